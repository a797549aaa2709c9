//! What serde's attributes and ours say, and which of them state cannot keep.
//!
//! State encodes every field in order and every variant by its number. Whatever makes serde do otherwise is refused where
//! it stands, with what to do instead.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, Meta, Token};

use crate::errors::Errors;

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    Type,
    Variant,
    Field,
}

/// What the attributes at one site say.
#[derive(Default)]
pub(super) struct Said {
    /// The name that the schema uses.
    pub(super) rename: Option<String>,
    /// The field is not encoded.
    pub(super) skip: bool,
    /// The field travels through serde.
    pub(super) opaque: bool,
    /// What a skipped field gets when it is decoded.
    pub(super) default: Option<Fallback>,
}

/// Where the value of a skipped field comes from.
pub(super) enum Fallback {
    /// `Default::default`.
    Trait,
    /// A function of the user.
    Function(ExprPath),
}

impl Said {
    pub(super) fn read(attributes: &[Attribute], site: Site, errors: &mut Errors) -> Self {
        let mut said = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("serde") {
                let metas = nested(attribute, errors);
                for meta in &metas {
                    said.read_serde(meta, &metas, site, errors);
                }
            } else if attribute.path().is_ident("state") {
                for meta in nested(attribute, errors) {
                    said.read_state(&meta, site, errors);
                }
            } else if attribute.path().is_ident("repr") && site == Site::Type {
                refuse_packed(attribute, errors);
            }
        }
        if said.skip && said.opaque {
            let at = attributes.iter().find(|attribute| attribute.path().is_ident("state"));
            errors.at(
                &at,
                "a skipped field does not travel, so it cannot be opaque: remove `#[state(opaque)]` or `skip`",
            );
        }
        said
    }

    fn read_serde(&mut self, meta: &Meta, beside: &[Meta], site: Site, errors: &mut Errors) {
        let Some(name) = meta.path().get_ident().map(ToString::to_string) else { return };
        match (site, name.as_str()) {
            (Site::Variant | Site::Field, "rename") => self.rename = renamed(meta),
            (Site::Field, "skip") => self.skip = true,
            (Site::Field, "skip_serializing" | "skip_deserializing") => {
                let is_there = |name: &str| beside.iter().any(|meta| meta.path().is_ident(name));
                if is_there("skip_serializing") && is_there("skip_deserializing") {
                    self.skip = true;
                } else {
                    errors.at(
                        meta,
                        "state goes there and back, so a field travels both ways or not at all: use `skip`",
                    );
                }
            }
            (Site::Type | Site::Field, "default") => self.default = fallback(meta, errors),
            // These change names or bounds, or how a self-describing format is read; the encoding stays as it is.
            (
                _,
                "rename"
                | "rename_all"
                | "rename_all_fields"
                | "alias"
                | "bound"
                | "crate"
                | "expecting"
                | "deny_unknown_fields"
                | "transparent",
            ) => {}
            _ => errors.at(meta, instead_of(&name)),
        }
    }

    fn read_state(&mut self, meta: &Meta, site: Site, errors: &mut Errors) {
        if !matches!(meta, Meta::Path(path) if path.is_ident("opaque")) {
            errors.at(
                meta,
                "the only option of `state` is `opaque`; serde's `skip` and `rename` are understood as well",
            );
        } else if site != Site::Field {
            errors.at(
                meta,
                "`opaque` goes on a field or a parameter whose type has serde's traits alone: derive `State` on a type \
                 of your own without it",
            );
        } else {
            self.opaque = true;
        }
    }
}

fn nested(attribute: &Attribute, errors: &mut Errors) -> Vec<Meta> {
    match attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
        Ok(metas) => metas.into_iter().collect(),
        Err(error) => {
            errors.push(error);
            Vec::new()
        }
    }
}

fn renamed(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(pair) => text_of(&pair.value),
        // The two directions may differ in serde; the schema follows the writing one.
        Meta::List(list) => {
            let both = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            both.iter().find(|meta| meta.path().is_ident("serialize")).and_then(renamed)
        }
        Meta::Path(_) => None,
    }
}

fn fallback(meta: &Meta, errors: &mut Errors) -> Option<Fallback> {
    let Meta::NameValue(pair) = meta else { return Some(Fallback::Trait) };
    let text = text_of(&pair.value)?;
    match syn::parse_str(&text) {
        Ok(path) => Some(Fallback::Function(path)),
        Err(_) => {
            errors.at(
                &pair.value,
                "`default` names a function without arguments: `default = \"path::to::function\"`",
            );
            None
        }
    }
}

fn text_of(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn refuse_packed(attribute: &Attribute, errors: &mut Errors) {
    for meta in nested(attribute, errors) {
        if meta.path().is_ident("packed") {
            errors.at(&meta, "fields of packed types cannot be borrowed, which state needs: remove `packed`");
        }
    }
}

fn instead_of(name: &str) -> String {
    let advice = match name {
        "flatten" => "state encodes fields in order, without names: nest the field plainly",
        "skip_serializing_if" => {
            "state encodes a field always or never: remove it, or keep the field on the device with `skip`"
        }
        "untagged" | "tag" | "content" | "other" => {
            "state encodes the number of a variant, not its name: remove it, so that the enum has serde's plain form"
        }
        "with" | "serialize_with" | "deserialize_with" => {
            "state cannot follow such functions: wrap the value in a type of your own that implements `outboard::State`"
        }
        "from" | "into" | "try_from" => {
            "state encodes the fields themselves: remove it, or implement `outboard::State` by hand by way of the other \
             type"
        }
        "remote" | "getter" => {
            "state has to reach the fields: put `#[state(opaque)]` on fields of the foreign type if it has serde's traits"
        }
        "borrow" => "state owns what it holds: use an owned type",
        "skip" | "skip_serializing" | "skip_deserializing" => {
            "a skipped variant could not come back from the server: skip fields of the variant instead"
        }
        _ => {
            "state does not know what it does to the encoding: remove it, or implement `outboard::State` by hand"
        }
    };
    format!("`{name}` cannot be kept: {advice}")
}
