//! Whole items: which mistakes are told, and what of a sound item reaches the expansion.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{File, ImplItem, Item};

use super::{device, local, remoteable};

/// The messages of the `compile_error!`s in an expansion, at module level or within an `impl`.
fn told(expanded: &TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    collect(expanded.clone(), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let mut waiting = false;
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(ident) => {
                waiting = ident == "compile_error" || waiting && ident == "core"
            }
            proc_macro2::TokenTree::Group(group) if waiting => {
                found.push(
                    syn::parse2::<syn::LitStr>(group.stream()).map_or_else(|e| e.to_string(), |l| l.value()),
                );
                waiting = false;
            }
            proc_macro2::TokenTree::Group(group) => collect(group.stream(), found),
            _ => {}
        }
    }
}

fn assert_told(expanded: &TokenStream, parts: &[&str]) {
    let messages = told(expanded);
    assert_eq!(messages.len(), parts.len(), "{messages:#?}");
    for part in parts {
        assert!(messages.iter().any(|message| message.contains(part)), "no `{part}` in {messages:#?}");
    }
}

fn items(expanded: TokenStream) -> Vec<Item> {
    assert_eq!(told(&expanded), Vec::<String>::new());
    syn::parse2::<File>(expanded).expect("the expansion parses").items
}

fn statics(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .filter_map(|item| if let Item::Static(item) = item { Some(item.ident.to_string()) } else { None })
        .collect()
}

#[test]
fn all_mistakes_of_a_function_are_told_at_once() {
    let expanded = remoteable(
        quote!(work = 1, work = 2, fast),
        quote! {
            #[track_caller]
            const unsafe extern "C" fn f<T, 'a>(a: &&u8, b: impl Copy, c: T) -> &'a str { "" }
        },
    );
    assert_told(
        &expanded,
        &[
            "given twice",
            "no option `fast`",
            "track_caller",
            "remove `const`",
            "`unsafe fn`",
            "`extern` function",
            "cannot be generic",
            "no lifetime parameters",
            "one `&`",
            "`impl Trait` argument",
            "borrowed result",
        ],
    );
}

#[test]
fn all_mistakes_of_an_impl_are_told_at_once() {
    let expanded = remoteable(
        quote!(name = "x"),
        quote! {
            impl<T> Grid<T> {
                fn a(self: Rc<Self>) {}
                #[outboard::local(once)]
                fn b(&self) {}
                #[outboard::device]
                #[remoteable]
                fn c(&self) {}
                #[remoteable(once)]
                fn d(&self) -> u8 { 1 }
                #[cfg_attr(feature = "x", outboard::local)]
                fn e(&self) {}
            }
        },
    );
    assert_told(
        &expanded,
        &[
            "belongs to one method",
            "cannot be generic",
            "typed receiver",
            "takes no options",
            "has one of",
            "`once` needs a way",
            "`cfg_attr` cannot switch",
        ],
    );
}

#[test]
fn a_refused_item_stays_without_our_attributes() {
    let expanded = remoteable(
        quote!(),
        quote! {
            impl Grid {
                #[outboard::local]
                fn new() -> Self { Self }
                #[outboard::device]
                fn show(&self, shape: &dyn Shape) {}
            }
        },
    );
    assert_told(&expanded, &["concrete type"]);
    let text = expanded.to_string();
    assert!(text.contains("fn new") && text.contains("fn show"));
    assert!(!text.contains("outboard :: local") && !text.contains("outboard :: device"));
}

#[test]
fn attributes_go_on_functions_and_impl_blocks_only() {
    assert_told(
        &remoteable(
            quote!(),
            quote!(
                struct Grid;
            ),
        ),
        &["goes on a function or an `impl` block"],
    );
    assert_told(
        &device(
            quote!(),
            quote!(
                trait Draw {
                    fn draw(&self);
                }
            ),
        ),
        &["`impl` blocks of the trait"],
    );
    assert_told(
        &remoteable(
            quote!(),
            quote!(
                fn scan(&self) {}
            ),
        ),
        &["annotated through its `impl`"],
    );
    assert_told(
        &remoteable(
            quote!(),
            quote!(
                static LIMIT: u8 = 1;
            ),
        ),
        &["neither"],
    );
    assert_told(
        &local(
            quote!(),
            quote!(
                fn scan() {}
            ),
        ),
        &["is local anyway"],
    );
    assert_told(
        &remoteable(quote!(), quote!(impl Drop for Grid { fn drop(&mut self) {} })),
        &["`drop` runs where"],
    );
    assert_told(
        &remoteable(
            quote!(),
            quote!(
                #[outboard::device]
                fn scan() {}
            ),
        ),
        &["has one of"],
    );
}

#[test]
fn options_that_contradict_the_kind_are_told() {
    assert_told(
        &device(
            quote!(once, fallback = f),
            quote!(
                fn f() {}
            ),
        ),
        &["always runs on", "always runs on"],
    );
    assert_told(
        &remoteable(
            quote!(remote_only),
            quote!(
                fn f() -> u8 {
                    1
                }
            ),
        ),
        &["a `fallback` could"],
    );
    assert_eq!(
        told(&remoteable(
            quote!(remote_only, fallback = g),
            quote!(
                fn f() -> u8 {
                    1
                }
            )
        )),
        Vec::<String>::new()
    );
}

#[test]
fn an_impl_gives_one_static_for_each_method_that_is_not_local() {
    let items = items(remoteable(
        quote!(once, deadline = "2s"),
        quote! {
            impl Detector for vision::Grid {
                type Output = u8;
                #[outboard::local]
                fn new() -> Self { Self }
                fn scan(&mut self, area: Option<&mut Area>) -> Result<Self::Output, CallError> { Ok(1) }
                #[outboard::device]
                fn show(&self) {}
            }
        },
    ));
    assert_eq!(
        statics(&items),
        ["__outboard_Detector_for_vision_Grid_scan", "__outboard_Detector_for_vision_Grid_show"]
    );
    let text = quote!(#(#items)*).to_string();
    // The options of the `impl` hold for what may run elsewhere.
    assert_eq!(text.matches("once : true").count(), 1);
    assert_eq!(text.matches("from_millis (2000u64)").count(), 1);
    assert!(text.contains("< vision :: Grid as Detector > :: Output"));
}

#[test]
fn what_stands_beside_a_method_exists_when_the_method_does() {
    let items = items(remoteable(
        quote!(),
        quote! {
            #[cfg(unix)]
            impl Grid {
                #[cfg(feature = "scan")]
                #[expect(clippy::ptr_arg)]
                #[must_use]
                pub(crate) fn scan(&self) {}
            }
        },
    ));
    let [Item::Impl(block), Item::Static(described), Item::Const(registration)] = &items[..] else {
        panic!("an impl, a static and a registration")
    };
    let ImplItem::Fn(method) = &block.items[0] else { panic!("a method") };
    assert_eq!(method.attrs.len(), 3);
    assert_eq!(method.vis, described.vis);
    for attributes in [&described.attrs, &registration.attrs] {
        let text = quote!(#(#attributes)*).to_string();
        assert!(text.contains("cfg (unix)") && text.contains("cfg (feature = \"scan\")"), "{text}");
        assert!(text.contains("allow (clippy :: ptr_arg)") && !text.contains("must_use"), "{text}");
    }
}

#[test]
fn the_body_and_its_inner_attributes_are_kept() {
    let items = items(remoteable(
        quote!(),
        quote! {
            fn scan((a, b): (u8, u8), c: u8) -> u8 {
                #![allow(clippy::identity_op)]
                return a + b + c + 0;
            }
        },
    ));
    let Item::Fn(function) = &items[0] else { panic!("a function") };
    assert!(function.attrs.iter().any(|attribute| attribute.path().is_ident("allow")));
    let text = quote!(#function).to_string();
    assert!(text.contains("{ return a + b + c + 0 ; }"), "{text}");
    assert!(text.contains("let (a , b) = argument_1"), "{text}");
}

#[test]
fn formatting_does_not_make_another_method_and_code_does() {
    let hash = |body: TokenStream| {
        let items = items(remoteable(quote!(), quote!(fn scan(a: u8) -> u8 { #body })));
        let text = quote!(#(#items)*).to_string();
        text.split("body : ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .map(str::to_owned)
            .expect("a hash")
    };
    let spaced: TokenStream = "a\n  +1 // one".parse().unwrap();
    assert_eq!(hash(quote!(a + 1)), hash(spaced));
    assert_ne!(hash(quote!(a + 1)), hash(quote!(a + 2)));
}
