use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;

use serde::Deserialize;

use super::*;

fn shape<T: DeserializeOwned>() -> String {
    shape_of::<T>().expect("the type shows its shape")
}

#[expect(dead_code, reason = "only its shape matters")]
#[derive(Deserialize)]
struct Photo {
    size: (u32, NonZero<u16>),
    kind: Kind,
    labels: HashMap<String, Option<f32>>,
}

#[expect(dead_code, reason = "only its shape matters")]
#[derive(Deserialize)]
enum Kind {
    Grey,
    Colour(Vec<u8>),
    Layered { layers: Vec<Kind>, blend: Blend },
}

#[expect(dead_code, reason = "only its shape matters")]
#[derive(Deserialize)]
enum Blend {
    Add,
    Weighted(f32),
}

#[test]
fn every_field_and_every_variant_shows() {
    let photo = "{\"size\":(u32,u16,),\"kind\":#1,\"labels\":map<text,option<f32>>,}";
    let kind = "{\"Grey\"{},\"Colour\"{sequence<u8,>},\"Layered\"{\"layers\":sequence<#1,>,\"blend\":#2,},}";
    let blend = "{\"Add\"{},\"Weighted\"{f32},}";
    assert_eq!(shape::<Photo>(), format!("#0;#0={photo};#1={kind};#2={blend}"));
}

#[test]
fn shapes_differ_where_encodings_do() {
    assert_ne!(shape::<Vec<u8>>(), shape::<Vec<u16>>());
    assert_ne!(shape::<(u8, u16)>(), shape::<(u16, u8)>());
    assert_ne!(shape::<Option<u8>>(), shape::<u8>());
    assert_eq!(shape::<BTreeMap<u8, u8>>(), shape::<HashMap<u8, u8>>());
}

#[test]
fn variants_deep_within_enums_show() {
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    enum Outer {
        First(u8),
        Second(Inner, Vec<Inner>),
    }
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    struct Inner {
        kind: Option<Kind>,
    }
    let shape = shape::<Vec<Outer>>();
    for part in ["First", "Second", "Grey", "Colour", "Layered", "Weighted"] {
        assert!(shape.contains(part), "{part} is missing in {shape}");
    }
}

#[test]
fn recursion_ends_whichever_variant_comes_first() {
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    enum Tree {
        Branch(Box<Tree>, Box<Tree>),
        Named { name: String, below: Box<Named> },
        Leaf(u16),
    }
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    struct Named {
        tree: Tree,
    }
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    struct List(Option<Box<List>>);

    let tree = shape::<Tree>();
    assert!(tree.starts_with("#0;#0={\"Branch\"{#0,#0,},\"Named\"{\"name\":text,\"below\":#"), "{tree}");
    assert!(tree.contains("\"Leaf\"{u16}"), "{tree}");
    assert_eq!(shape::<List>(), "#0;#0={option<#0>,}");
}

#[test]
fn a_type_that_cannot_end_is_opaque() {
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    struct Endless(Box<Endless>);
    assert_eq!(shape_of::<Endless>(), None);
}

#[test]
fn types_that_refuse_made_up_values_are_opaque() {
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Name;
    impl TryFrom<String> for Name {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.is_empty() { Err("a name has letters") } else { Ok(Self) }
        }
    }
    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u8),
        Text(String),
    }
    assert_eq!(shape_of::<Name>(), None);
    assert_eq!(shape_of::<Either>(), None);
}
