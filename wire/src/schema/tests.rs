use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::*;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};

/// A type that has nothing but a schema.
macro_rules! shape {
    ($name:ident, $schema:expr) => {
        struct $name;

        impl State for $name {
            fn schema(schema: &mut SchemaBuilder) {
                let describe: fn(&mut SchemaBuilder) = $schema;
                describe(schema);
            }

            fn encode(&self, _out: &mut Encoder) -> Result<(), EncodeError> {
                Ok(())
            }

            fn decode(_input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self)
            }
        }
    };
}

shape!(Face, |schema| schema.structure::<Face>(|schema| {
    schema.field("score", f32::schema);
    schema.skipped("window");
}));

shape!(Tree, |schema| schema.structure::<Tree>(|schema| {
    schema.skipped("selected");
    schema.field("children", Vec::<Tree>::schema);
}));

shape!(Screen, |schema| schema.structure::<Screen>(|schema| {
    schema.field("front", Face::schema);
    schema.field("pair", <[Face; 2]>::schema);
    schema.field("shape", Shape::schema);
    schema.field("all", Vec::<Face>::schema);
}));

shape!(Shape, |schema| schema.choice::<Shape>(|schema| {
    schema.variant("Point", |_| ());
    schema.variant("Portrait", |schema| schema.field("0", Face::schema));
}));

fn hash_of(describe: fn(&mut SchemaBuilder)) -> SchemaHash {
    Schema::describe(describe).hash
}

fn paths(schema: &Schema, beneath_container: bool) -> Vec<&str> {
    let skips = schema.skips.iter().filter(|skip| skip.beneath_container == beneath_container);
    skips.map(|skip| skip.path.as_str()).collect()
}

#[test]
fn the_text_names_what_is_encoded() {
    let schema = Schema::of::<(u8, Option<[f32; 3]>, BTreeMap<String, ()>)>();
    assert_eq!(schema.text, r#"{"0":u8,"1":option<3[f32]>,"2":map<{"0":text,"1":unit,}>,}"#);
}

#[test]
fn names_shapes_and_order_count() {
    let reference = hash_of(|schema| schema.slot("photo", Vec::<u8>::schema));
    assert_eq!(reference, hash_of(|schema| schema.slot("photo", Box::<[u8]>::schema)));
    assert_ne!(reference, hash_of(|schema| schema.slot("image", Vec::<u8>::schema)));
    assert_ne!(reference, hash_of(|schema| schema.slot("photo", Vec::<u16>::schema)));
    assert_ne!(Schema::of::<(u8, u16)>().hash, Schema::of::<(u16, u8)>().hash);
}

#[test]
fn types_that_encode_alike_have_one_schema() {
    assert_eq!(Schema::of::<usize>().hash, Schema::of::<u64>().hash);
    assert_eq!(Schema::of::<std::collections::VecDeque<u8>>().hash, Schema::of::<Vec<u8>>().hash);
}

#[test]
fn skipped_fields_do_not_change_the_hash_and_are_reported() {
    shape!(Plain, |schema| schema.structure::<Plain>(|schema| schema.field("score", f32::schema)));
    let face = Schema::of::<Face>();
    assert_eq!(face.hash, Schema::of::<Plain>().hash);
    assert_eq!(paths(&face, false), ["window"]);
}

#[test]
fn fixed_places_are_told_from_containers() {
    let schema = Schema::of::<Screen>();
    assert_eq!(paths(&schema, false), ["front.window"]);
    assert_eq!(paths(&schema, true), ["shape.Portrait.0.window"]);
    assert_eq!(paths(&Schema::of::<[Face; 2]>(), false), ["[].window"]);
    assert_eq!(paths(&Schema::of::<Vec<Face>>(), true), ["[].window"]);
}

#[test]
fn recursive_types_end_and_show_their_skips_beneath_themselves() {
    let schema = Schema::of::<Tree>();
    assert_eq!(paths(&schema, false), ["selected"]);
    assert_eq!(paths(&schema, true), ["children[].selected"]);
}

#[test]
fn each_slot_reports_for_itself() {
    let schema = Schema::describe(|schema| {
        schema.slot("self", Face::schema);
        schema.slot("faces", Vec::<Face>::schema);
        schema.slot("result", Face::schema);
    });
    let found: Vec<_> = schema.skips.iter().map(|skip| (skip.slot, skip.path.as_str())).collect();
    assert_eq!(found, [(Some(0), "self.window"), (Some(1), "faces[].window"), (Some(2), "result.window")]);
    assert_eq!(schema.skips_beneath_containers().count(), 1);
}

#[test]
fn opaque_parts_are_reported() {
    let schema = Schema::describe(|schema| schema.slot("photo", |schema| schema.opaque("image::Photo")));
    assert_eq!(schema.opaque[0].path, "photo");
    assert_eq!(schema.opaque[0].type_name, "image::Photo");
}

#[test]
fn types_that_use_each_other_often_stay_small() {
    // Each level uses the one below twice: without references the text would double fifteen times.
    type Two<T> = (T, T);
    type Four<T> = Two<Two<T>>;
    type Sixteen<T> = Four<Four<T>>;
    type Many = Sixteen<Sixteen<Sixteen<Four<u8>>>>;
    assert!(Schema::of::<Many>().text.len() < 1000);
}

#[test]
fn what_has_serde_alone_is_traced_and_else_opaque() {
    let traced = Schema::describe(|schema| schema.slot("numbers", SchemaBuilder::serde::<Vec<u32>>));
    assert_eq!(traced.text, r#""numbers":serde "sequence<u32,>","#);
    assert_eq!(traced.opaque, []);

    #[derive(serde::Deserialize)]
    #[serde(try_from = "u8")]
    struct Never;
    impl TryFrom<u8> for Never {
        type Error = &'static str;
        fn try_from(_: u8) -> Result<Self, &'static str> {
            Err("nothing is good enough")
        }
    }
    let opaque = Schema::describe(|schema| schema.slot("never", SchemaBuilder::serde::<Never>));
    assert_eq!(opaque.opaque.len(), 1);
}

#[test]
fn collections_without_an_order_are_listed_and_agree_with_those_that_have_one() {
    let unordered = Schema::describe(|schema| {
        schema.slot("places", Vec::<HashMap<u8, HashSet<u8>>>::schema);
        schema.slot("rest", BTreeMap::<u8, u8>::schema);
    });
    let ordered = Schema::describe(|schema| {
        schema.slot("places", Vec::<BTreeMap<u8, BTreeSet<u8>>>::schema);
        schema.slot("rest", HashMap::<u8, u8>::schema);
    });
    assert_eq!(unordered.hash, ordered.hash);
    let listed = |schema: &Schema| -> Vec<_> {
        schema.unordered.iter().map(|part| (part.slot, part.path.clone())).collect()
    };
    let places = [(Some(0), "places[]".to_owned()), (Some(0), "places[][].1".to_owned())];
    assert_eq!(listed(&unordered), places);
    assert_eq!(listed(&ordered), [(Some(1), "rest".to_owned())]);
}
