use quote::quote;

use super::*;

/// The messages of the errors that the derive answers with.
fn complaints(item: TokenStream) -> Vec<String> {
    let input: DeriveInput = syn::parse2(item).expect("the test wrote an item");
    let mut errors = Errors::default();
    model::Item::read(&input, &mut errors);
    errors.messages()
}

#[test]
fn what_keeps_the_encoding_is_accepted() {
    let accepted = quote! {
        #[serde(rename = "R", rename_all = "camelCase", deny_unknown_fields, default, bound = "T: Clone")]
        struct Recognizer<T> {
            #[serde(rename(serialize = "a", deserialize = "b"), alias = "c", default)]
            gallery: Vec<T>,
            #[serde(skip, default = "open")]
            window: Option<Window>,
            #[serde(skip_serializing, skip_deserializing)]
            cache: Cache,
            #[state(opaque)]
            photo: image::Photo,
        }
    };
    assert_eq!(complaints(accepted), [""; 0]);
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_with_advice() {
    let found = complaints(quote! {
        #[serde(tag = "kind", content = "what")]
        enum Shape<'a> {
            #[serde(skip)]
            Hidden,
            Circle {
                #[serde(flatten)]
                centre: Point,
                #[serde(skip_serializing_if = "Option::is_none")]
                name: Option<&'a str>,
                #[serde(with = "as_text")]
                radius: f32,
                #[state(hidden)]
                colour: u8,
            },
        }
    });
    let expected = [
        "`tag`",
        "`content`",
        "lifetimes",
        "`skip`",
        "`flatten`",
        "`skip_serializing_if`",
        "`with`",
        "`opaque`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (message, part) in found.iter().zip(expected) {
        assert!(message.contains(part), "{message} should mention {part}");
        assert!(message.contains(": ") || message.contains("; "), "{message} should say what to do");
    }
}

#[test]
fn skipping_one_way_is_refused() {
    for one_way in [quote!(skip_serializing), quote!(skip_deserializing)] {
        let found = complaints(quote!(
            struct Cache {
                #[serde(#one_way)]
                hits: u32,
            }
        ));
        assert!(found[0].contains("use `skip`"), "{found:?}");
    }
}

#[test]
fn contradictions_and_misplaced_options_are_refused() {
    assert_eq!(
        complaints(quote!(
            struct Photo(
                #[serde(skip)]
                #[state(opaque)]
                Window,
            );
        ))
        .len(),
        1
    );
    assert_eq!(
        complaints(quote!(
            #[state(opaque)]
            struct Photo(u8);
        ))
        .len(),
        1
    );
    assert_eq!(
        complaints(quote!(
            struct Photo(#[serde(skip, default = "1 + 1")] u8);
        ))
        .len(),
        1
    );
    assert_eq!(
        complaints(quote!(
            #[serde(default = "whole")]
            struct Photo {
                #[serde(skip)]
                window: u8,
            }
        ))
        .len(),
        1
    );
}

#[test]
fn what_cannot_be_reached_field_by_field_is_refused() {
    assert_eq!(complaints(quote!(union Bits { real: f32, whole: u32 })).len(), 1);
    assert_eq!(
        complaints(quote!(
            #[repr(C, packed)]
            struct Header {
                size: u32,
            }
        ))
        .len(),
        1
    );
    assert_eq!(
        complaints(quote!(
            #[serde(remote = "Other")]
            struct Mine {
                size: u32,
            }
        ))
        .len(),
        1
    );
}

#[test]
fn an_unknown_attribute_is_not_guessed_at() {
    let found = complaints(quote!(
        #[serde(some_day)]
        struct Photo;
    ));
    assert!(found[0].starts_with("`some_day` cannot be kept"), "{found:?}");
}
