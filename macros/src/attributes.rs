//! Our attributes among those of a method, and the ones of the user that generated items repeat.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Attribute, Meta};

use crate::errors::Errors;
use crate::options::{Options, Site};

/// What the attributes of one method of an annotated `impl` say about it.
pub(crate) enum Marked {
    /// Nothing: it is what its `impl` is.
    Inherits,
    /// `#[remoteable(…)]`.
    Remoteable(Options),
    /// `#[outboard::device(…)]`.
    Device(Options),
    /// `#[outboard::local]`: not intercepted.
    Local,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ours {
    Remoteable,
    Device,
    Local,
}

impl Ours {
    fn of(attribute: &Attribute) -> Option<Self> {
        let path = attribute.path();
        let mut segments = path.segments.iter();
        let last = segments.next_back()?;
        let qualified = match segments.next_back() {
            None => path.leading_colon.is_none(),
            Some(first) => first.ident == "outboard" && segments.next_back().is_none(),
        };
        match last.ident.to_string().as_str() {
            "remoteable" if qualified => Some(Self::Remoteable),
            "device" if qualified => Some(Self::Device),
            "local" if qualified => Some(Self::Local),
            _ => None,
        }
    }
}

/// Takes our attributes out of `attributes` and reads them.
pub(crate) fn take_ours(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Marked {
    let mut marked: Option<Marked> = None;
    attributes.retain(|attribute| {
        if hides_ours(attribute) {
            errors.at(
                attribute,
                "`cfg_attr` cannot switch this attribute inside an annotated `impl`: write the method twice, each \
                 under its own `#[cfg]`, or annotate only what differs",
            );
            return false;
        }
        let Some(ours) = Ours::of(attribute) else { return true };
        if marked.is_some() {
            errors.at(
                attribute,
                "a method has one of `#[remoteable]`, `#[outboard::device]` and `#[outboard::local]`: remove the others",
            );
            return false;
        }
        marked = Some(match ours {
            Ours::Remoteable => Marked::Remoteable(read_options(attribute, Site::Remoteable, errors)),
            Ours::Device => Marked::Device(read_options(attribute, Site::Device, errors)),
            Ours::Local => {
                if !matches!(attribute.meta, Meta::Path(_)) {
                    errors.at(attribute, LOCAL_TAKES_NOTHING);
                }
                Marked::Local
            }
        });
        false
    });
    marked.unwrap_or(Marked::Inherits)
}

pub(crate) const LOCAL_TAKES_NOTHING: &str =
    "`#[outboard::local]` takes no options: the method is not intercepted, so there is nothing to choose";

fn read_options(attribute: &Attribute, site: Site, errors: &mut Errors) -> Options {
    match &attribute.meta {
        Meta::Path(_) => Options::default(),
        Meta::List(list) => Options::parse(list.tokens.clone(), site, errors),
        Meta::NameValue(_) => {
            errors.at(attribute, "options go in parentheses: `#[remoteable(once)]`");
            Options::default()
        }
    }
}

/// Whether a `cfg_attr` carries one of ours, which the compiler would expand only after us.
fn hides_ours(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    if !list.path.is_ident("cfg_attr") {
        return false;
    }
    let nested = list.parse_args_with(|input: syn::parse::ParseStream<'_>| {
        input.parse::<Meta>()?;
        input.parse::<syn::Token![,]>()?;
        syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated(input)
    });
    nested.is_ok_and(|metas| {
        metas.into_iter().any(|meta| {
            let attribute: Attribute = syn::parse_quote!(#[#meta]);
            Ours::of(&attribute).is_some()
        })
    })
}

/// The attributes that an item beside the method repeats: whether it exists, and what the user tolerates in it.
pub(crate) fn repeated<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("allow") {
            let meta = &attribute.meta;
            tokens.extend(quote!(#[#meta]));
        } else if attribute.path().is_ident("expect")
            && let Meta::List(list) = &attribute.meta
        {
            // The expectation is met in the user's item; a second one here would be reported as unmet.
            let lints = &list.tokens;
            tokens.extend(quote!(#[allow(#lints)]));
        } else if attribute.path().is_ident("deprecated") {
            tokens.extend(quote!(#[allow(deprecated, reason = "the generated code calls the method")]));
        }
    }
    tokens
}

/// Whether an attribute sets the level of a lint, so that it has to stand where the lint looks.
pub(crate) fn is_lint_level(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
}

/// Whether a parameter says `#[state(opaque)]`; anything else in `state(…)` is a mistake.
pub(crate) fn is_opaque(attribute: &Attribute, errors: &mut Errors) -> bool {
    if !attribute.path().is_ident("state") {
        return false;
    }
    let opaque = matches!(&attribute.meta, Meta::List(list) if list.tokens.to_string() == "opaque");
    if !opaque {
        let found = attribute.meta.to_token_stream().to_string();
        errors.at(attribute, format!("a parameter can say only `#[state(opaque)]`, not `#[{found}]`"));
    }
    true
}
