//! What a method may not be, each told at the user's tokens with what to do instead.

use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Generics, Lifetime, PathArguments, ReceiverKind, ReturnType, Signature, Type,
    TypeReference,
};

use super::slot::{peel, span_of};
use crate::errors::Errors;

/// Where the function stands, which decides what advice helps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Free,
    InImpl,
}

impl Place {
    const fn way_out(self) -> &'static str {
        match self {
            Self::Free => "or remove the attribute",
            Self::InImpl => "or keep the method on its side with `#[outboard::local]`",
        }
    }
}

/// Checks everything about a signature but the types of its arguments.
pub(crate) fn signature(signature: &Signature, place: Place, errors: &mut Errors) {
    let way_out = place.way_out();
    if let Some(token) = &signature.constness {
        errors.at(
            token,
            format!("a `const fn` may run in the compiler, where no server is: remove `const`, {way_out}"),
        );
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        errors.at(
            token,
            format!(
                "what an `unsafe fn` asks of its caller cannot be kept on another machine: annotate a safe function \
                 around it, {way_out}"
            ),
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(
            abi,
            format!("an `extern` function is called by foreign code: annotate a Rust function that it calls, {way_out}"),
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, format!("a variadic argument cannot travel: take a slice, {way_out}"));
    }
    generics(&signature.generics, "a remoteable function", way_out, errors);
    result(&signature.output, errors);
}

/// Refuses parameters of functions and `impl` blocks.
pub(crate) fn generics(generics: &Generics, what: &str, way_out: &str, errors: &mut Errors) {
    for parameter in &generics.params {
        match parameter {
            syn::GenericParam::Lifetime(_) => errors.at(
                parameter,
                format!(
                    "{what} has no lifetime parameters, since nothing outlives the message it travels in: leave the \
                     lifetimes of references out and pass types that own their contents, {way_out}"
                ),
            ),
            syn::GenericParam::Type(_) | syn::GenericParam::Const(_) => errors.at(
                parameter,
                format!(
                    "{what} cannot be generic, since the server has to hold the very instance that is called: write it \
                     for the concrete types that you use, {way_out}"
                ),
            ),
        }
    }
}

/// Refuses the receivers that are not `self`, `&self` or `&mut self`.
pub(crate) fn receiver(receiver: &syn::Receiver, errors: &mut Errors) -> bool {
    match &receiver.kind {
        ReceiverKind::Typed(_, ty) => {
            errors.at(
                ty,
                "a typed receiver cannot travel: write `self`, `&self` or `&mut self`, or keep the method on its side \
                 with `#[outboard::local]`",
            );
            false
        }
        ReceiverKind::Reference(_, Some(lifetime), _) => {
            errors.at(
                lifetime,
                "an argument that travels is borrowed for its call only: remove the lifetime from the reference",
            );
            false
        }
        _ => true,
    }
}

/// Whether a type owns everything it is made of, so that it can be decoded elsewhere.
pub(crate) fn travels(ty: &Type, errors: &mut Errors) -> bool {
    let mut walk = Walk { errors, good: true, role: WalkRole::Slot };
    walk.visit_type(ty);
    walk.good
}

/// The types of `Result<T, E>` as far as they are written out.
fn result(output: &ReturnType, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else { return };
    if let Type::Never(never) = peel(ty) {
        errors.at(
            never,
            "a function that never returns has no result to send back: return one, or remove the attribute",
        );
        return;
    }
    if !is_result(ty) {
        Walk { errors, good: true, role: WalkRole::Result }.visit_type(ty);
        return;
    }
    let Type::Path(path) = peel(ty) else { return };
    let Some(PathArguments::AngleBracketed(arguments)) =
        path.path.segments.last().map(|last| &last.arguments)
    else {
        return;
    };
    for (index, argument) in arguments.args.iter().enumerate() {
        if let GenericArgument::Type(ty) = argument {
            // An error that cannot travel is told as text, so that `Box<dyn Error>` is fine there.
            let role = if index == 0 { WalkRole::Result } else { WalkRole::ResultError };
            Walk { errors, good: true, role }.visit_type(ty);
        }
    }
}

/// Whether a type is written as a `Result`, of whatever module.
pub(crate) fn is_result(ty: &Type) -> bool {
    matches!(peel(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}

/// Attributes that make a function something else than it looks.
pub(crate) fn attributes(attributes: &[syn::Attribute], errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("track_caller") {
            errors.at(
                attribute,
                "the place of the caller does not travel, so `#[track_caller]` would name another one on the server: \
                 remove it",
            );
        }
        if attribute.path().is_ident("target_feature") {
            errors.at(
                attribute,
                "the server may lack the processor features that `#[target_feature]` asks for: annotate a function \
                 that detects them and calls this one",
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WalkRole {
    Slot,
    Result,
    ResultError,
}

/// Reports the first thing in a type that ties it to this process.
struct Walk<'a> {
    errors: &'a mut Errors,
    good: bool,
    role: WalkRole,
}

impl Walk<'_> {
    fn refuse(&mut self, place: &impl quote::ToTokens, message: &str) {
        if self.good {
            self.errors.at(place, message);
        }
        self.good = false;
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.refuse(
            reference,
            match self.role {
                WalkRole::Slot => {
                    "a reference inside an argument cannot travel: let the argument own the value (`String` for \
                     `&str`, `Vec<T>` for `&[T]`), or pass it as an argument of its own"
                }
                _ => {
                    "a borrowed result cannot travel, since what it borrows from is on the other machine: return an \
                     owned value (`String` for `&str`, `Vec<T>` for `&[T]`, an index, a clone)"
                }
            },
        );
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.refuse(
                lifetime,
                match self.role {
                    WalkRole::Slot => {
                        "an argument that borrows cannot travel: pass a type that owns its contents, without lifetimes"
                    }
                    _ => "a result that borrows cannot travel: return a type that owns its contents, without lifetimes",
                },
            );
        }
    }

    fn visit_type(&mut self, ty: &'ast Type) {
        match ty {
            Type::ImplTrait(_) if self.role == WalkRole::Slot => self.refuse(
                ty,
                "an `impl Trait` argument makes the function generic, and the server has to hold the very instance \
                 that is called: name a concrete type",
            ),
            Type::ImplTrait(_) => self.refuse(
                ty,
                "an `impl Trait` result hides the type that the device has to decode: name a concrete type (an \
                 `async fn` may be written as such)",
            ),
            Type::TraitObject(_) if self.role != WalkRole::ResultError => self.refuse(
                ty,
                "a `dyn` value cannot travel, since nobody knows what to decode: name a concrete type, or an `enum` \
                 of those there are",
            ),
            Type::FnPtr(_) => self.refuse(
                ty,
                "a function pointer means nothing on another machine: pass an `enum` of the functions there are",
            ),
            Type::Ptr(_) => self.refuse(
                ty,
                "a raw pointer means nothing on another machine: pass a value that owns what it points to",
            ),
            Type::Infer(_) => self.refuse(ty, "the type has to be written out here"),
            // Parenthesised arguments are those of `Fn(…)` bounds, which only occur beneath what was refused above.
            _ => visit::visit_type(self, ty),
        }
    }
}

/// Where an error about the result belongs.
pub(crate) fn result_span(signature: &Signature) -> proc_macro2::Span {
    match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, ty) => span_of(ty),
    }
}
