//! Slots: how each argument and the receiver of a call travels, read from how its type is written.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{GenericArgument, Ident, Pat, PathArguments, Type};

use super::checks;
use crate::errors::Errors;

/// One argument or the receiver.
pub(crate) struct Slot {
    /// The name for people.
    pub(crate) label: String,
    pub(crate) binding: Binding,
    pub(crate) shape: Shape,
    pub(crate) payload: Payload,
    /// `Self` replaced: the type that travels, without the reference and the `Option` around it.
    pub(crate) ty: Type,
    /// The same type as it is spelled inside the item, where `Self` is at hand.
    pub(crate) inside: Type,
    /// As the user wrote it, for the signature that identifies the method; `Self` replaced, too.
    pub(crate) written: String,
    /// Where errors about the type belong.
    pub(crate) span: Span,
}

/// The variable that holds the slot inside the item.
pub(crate) enum Binding {
    Receiver,
    /// A name, `mut` or not.
    Name(Ident),
    /// A pattern that is taken apart behind our check.
    Pattern,
}

/// How the slot is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Value,
    Shared,
    SharedOption,
    Exclusive,
    ExclusiveSlice,
    ExclusiveOption,
}

impl Shape {
    /// The name of the slot maker, and of the shim's and the schema's method for it.
    pub(crate) const fn maker(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Shared => "shared",
            Self::SharedOption => "shared_option",
            Self::Exclusive => "exclusive",
            Self::ExclusiveSlice => "exclusive_slice",
            Self::ExclusiveOption => "exclusive_option",
        }
    }

    /// The runtime's word for it.
    pub(crate) const fn passing(self) -> &'static str {
        match self {
            Self::Value => "Value",
            Self::Shared | Self::SharedOption => "Shared",
            Self::Exclusive | Self::ExclusiveSlice | Self::ExclusiveOption => "Exclusive",
        }
    }

    pub(crate) const fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive | Self::ExclusiveSlice | Self::ExclusiveOption)
    }
}

/// What stands behind the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// A sized value.
    Sized,
    /// The elements of a slice.
    Slice,
    /// A `str`.
    Text,
    /// A value of a foreign type, marked `#[state(opaque)]`.
    Opaque,
}

/// The shape, payload and travelling type of a parameter's type; `None` with the reason in `errors` where it cannot
/// travel.
pub(crate) fn classify(ty: &Type, opaque: bool, errors: &mut Errors) -> Option<(Shape, Payload, Type)> {
    let ty = peel(ty);
    let (shape, payload, carried) = match ty {
        Type::Reference(reference) => {
            let (shape, payload, carried) = behind_reference(reference, errors)?;
            (shape, payload, carried.clone())
        }
        _ => match optional_reference(ty) {
            Some(reference) => {
                let (shape, payload, carried) = behind_reference(reference, errors)?;
                let shape = match shape {
                    Shape::Shared => Shape::SharedOption,
                    Shape::Exclusive => Shape::ExclusiveOption,
                    _ => {
                        errors.at(
                            reference,
                            "an `Option<&mut [T]>` cannot travel: pass `&mut Vec<T>`, or a slice that may be empty",
                        );
                        return None;
                    }
                };
                (shape, payload, carried.clone())
            }
            None => (Shape::Value, Payload::Sized, ty.clone()),
        },
    };
    if !checks::travels(&carried, errors) {
        return None;
    }
    if opaque && payload != Payload::Sized {
        errors.at(
            &carried,
            "`#[state(opaque)]` goes on one value of a type that only has serde: not on text or slices",
        );
        return None;
    }
    Some((shape, if opaque { Payload::Opaque } else { payload }, carried))
}

fn behind_reference<'a>(
    reference: &'a syn::TypeReference,
    errors: &mut Errors,
) -> Option<(Shape, Payload, &'a Type)> {
    if let Some(lifetime) = &reference.lifetime {
        errors.at(
            lifetime,
            "an argument that travels is borrowed for its call only: remove the lifetime from the reference",
        );
        return None;
    }
    let carried = peel(&reference.elem);
    let exclusive = reference.mutability.is_some();
    match carried {
        Type::Reference(_) => {
            errors.at(reference, "a reference to a reference cannot travel: pass one `&` to the value");
            None
        }
        Type::Slice(slice) if exclusive => Some((Shape::ExclusiveSlice, Payload::Slice, &slice.elem)),
        Type::Slice(slice) => Some((Shape::Shared, Payload::Slice, &slice.elem)),
        Type::Path(path) if path.qself.is_none() && path.path.is_ident("str") => {
            if exclusive {
                errors.at(reference, "a `&mut str` cannot travel: pass `&mut String`");
                return None;
            }
            Some((Shape::Shared, Payload::Text, carried))
        }
        _ if exclusive => Some((Shape::Exclusive, Payload::Sized, carried)),
        _ => Some((Shape::Shared, Payload::Sized, carried)),
    }
}

/// The reference in an `Option<&T>`.
fn optional_reference(ty: &Type) -> Option<&syn::TypeReference> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut arguments = arguments.args.iter();
    let (Some(GenericArgument::Type(inner)), None) = (arguments.next(), arguments.next()) else {
        return None;
    };
    match peel(inner) {
        Type::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// The type without parentheses and the invisible groups that `macro_rules!` leaves.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return ty,
        };
    }
}

/// The binding of a parameter's pattern.
pub(crate) fn binding(pat: &Pat) -> Binding {
    match pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            Binding::Name(name.ident.clone())
        }
        _ => Binding::Pattern,
    }
}

/// Where an error about a type belongs. The compiler gives us single tokens only: the most telling one is its name.
pub(crate) fn span_of(ty: &Type) -> Span {
    match peel(ty) {
        Type::Reference(reference) => span_of(&reference.elem),
        Type::Path(path) => match optional_reference(ty) {
            Some(reference) => span_of(&reference.elem),
            None => path.path.segments.last().map_or_else(|| ty.span(), |last| last.ident.span()),
        },
        other => other.span(),
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;
    use crate::tokens::spell;

    fn classified(source: &str) -> Result<(Shape, Payload, String), Vec<String>> {
        let mut errors = Errors::default();
        let found = classify(&syn::parse_str(source).unwrap(), false, &mut errors);
        found
            .map(|(shape, payload, ty)| (shape, payload, spell(ty.to_token_stream())))
            .ok_or_else(|| errors.messages())
    }

    #[test]
    fn every_form_of_argument_has_its_shape() {
        let table = [
            ("Photo", Shape::Value, Payload::Sized, "Photo"),
            ("Option<Photo>", Shape::Value, Payload::Sized, "Option<Photo>"),
            ("&Photo", Shape::Shared, Payload::Sized, "Photo"),
            ("&(Photo)", Shape::Shared, Payload::Sized, "Photo"),
            ("&str", Shape::Shared, Payload::Text, "str"),
            ("&[Face]", Shape::Shared, Payload::Slice, "Face"),
            ("&[Face; 4]", Shape::Shared, Payload::Sized, "[Face; 4]"),
            ("Option<&Photo>", Shape::SharedOption, Payload::Sized, "Photo"),
            ("std::option::Option<&str>", Shape::SharedOption, Payload::Text, "str"),
            ("Option<&[Face]>", Shape::SharedOption, Payload::Slice, "Face"),
            ("&mut Photo", Shape::Exclusive, Payload::Sized, "Photo"),
            ("&mut [Face]", Shape::ExclusiveSlice, Payload::Slice, "Face"),
            ("Option<&mut Photo>", Shape::ExclusiveOption, Payload::Sized, "Photo"),
            ("Cow<'static, str>", Shape::Value, Payload::Sized, "Cow<'static, str>"),
        ];
        for (source, shape, payload, ty) in table {
            assert_eq!(classified(source), Ok((shape, payload, ty.to_owned())), "{source}");
        }
    }

    #[test]
    fn what_cannot_travel_is_refused_with_advice() {
        let table = [
            ("&&Photo", "one `&`"),
            ("&mut str", "&mut String"),
            ("&'a Photo", "remove the lifetime"),
            ("Vec<&Photo>", "own the value"),
            ("(&str, u8)", "own the value"),
            ("Frame<'_>", "without lifetimes"),
            ("&dyn Shape", "concrete type"),
            ("Box<dyn Shape>", "concrete type"),
            ("impl Shape", "concrete type"),
            ("fn(u8) -> u8", "`enum`"),
            ("*const u8", "owns"),
            ("Option<&mut [u8]>", "&mut Vec<T>"),
            ("Option<&&u8>", "one `&`"),
        ];
        for (source, advice) in table {
            let messages = classified(source).expect_err(source);
            assert!(messages.len() == 1 && messages[0].contains(advice), "{source}: {messages:?}");
        }
    }
}
