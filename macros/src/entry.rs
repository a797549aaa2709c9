//! From an attribute and its item to the expansion, or to all that is wrong with it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};

use crate::attributes::{LOCAL_TAKES_NOTHING, Marked, take_ours};
use crate::errors::Errors;
use crate::expand;
use crate::item::{Function, Impl, Item, Member};
use crate::model::{Method, Role, SelfType, generics};
use crate::options::{Options, Site};

/// `#[remoteable]`.
pub(crate) fn remoteable(options: TokenStream, item: TokenStream) -> TokenStream {
    annotated(Role::Remoteable, "remoteable", options, item)
}

/// `#[outboard::device]`.
pub(crate) fn device(options: TokenStream, item: TokenStream) -> TokenStream {
    annotated(Role::Device, "outboard::device", options, item)
}

/// `#[outboard::local]`, which the macro of an annotated `impl` takes before the compiler expands it: to be expanded is
/// the mistake.
pub(crate) fn local(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    if !options.is_empty() {
        errors.at(&options, LOCAL_TAKES_NOTHING);
    }
    errors.at_span(
        proc_macro2::Span::call_site(),
        "`#[outboard::local]` goes on a method of an `impl` block under `#[remoteable]` or `#[outboard::device]`: \
         everything else is local anyway, so remove it",
    );
    with_errors(errors, item)
}

fn annotated(role: Role, attribute: &str, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    match Item::parse(item.clone(), attribute) {
        Ok(Item::Function(function)) => {
            let site = if role == Role::Device { Site::Device } else { Site::Remoteable };
            let options = Options::parse(options, site, &mut errors);
            free_function(function, role, options, errors)
        }
        Ok(Item::Impl(block)) => {
            let site = if role == Role::Device { Site::DeviceImpl } else { Site::RemoteableImpl };
            let options = Options::parse(options, site, &mut errors);
            impl_block(block, role, &options, errors)
        }
        Err(error) => {
            errors.push(error);
            with_errors(errors, item)
        }
    }
}

fn free_function(mut function: Function, role: Role, options: Options, mut errors: Errors) -> TokenStream {
    if !matches!(take_ours(&mut function.attributes, &mut errors), Marked::Inherits) {
        errors.at(
            &function.signature.ident,
            "a function has one of `#[remoteable]`, `#[outboard::device]` and `#[outboard::local]`: remove the others",
        );
    }
    let plain = function.plain();
    let method = Method::check(function, role, options, None, &[], &mut errors);
    match (method, errors.into_tokens()) {
        (Some(method), None) => {
            let expand::Expanded { item, beside } = expand::method(&method);
            quote!(#item #beside)
        }
        (_, errors) => quote!(#plain #errors),
    }
}

fn impl_block(mut block: Impl, role: Role, options: &Options, mut errors: Errors) -> TokenStream {
    check_block(&block, &mut errors);
    let self_type = SelfType::of(&block);
    let mut items = TokenStream::new();
    let mut plain = TokenStream::new();
    let mut beside = TokenStream::new();
    for member in std::mem::take(&mut block.items) {
        let Member::Function(mut function) = member else {
            member.to_tokens(&mut items);
            member.to_tokens(&mut plain);
            continue;
        };
        let (role, own) = match take_ours(&mut function.attributes, &mut errors) {
            Marked::Inherits => (Some(role), Options::default()),
            Marked::Remoteable(own) => (Some(Role::Remoteable), own),
            Marked::Device(own) => (Some(Role::Device), own),
            Marked::Local => (None, Options::default()),
        };
        function.plain().to_tokens(&mut plain);
        let Some(role) = role else {
            function.to_tokens(&mut items);
            continue;
        };
        let options = own.refine(options, role == Role::Device);
        let attributes = &block.header.attrs;
        if let Some(method) =
            Method::check(*function, role, options, Some(&self_type), attributes, &mut errors)
        {
            let expanded = expand::method(&method);
            items.extend(expanded.item);
            beside.extend(expanded.beside);
        }
    }
    if let Some(errors) = errors.into_tokens() {
        let plain = block.with_items(&plain);
        return quote!(#plain #errors);
    }
    let block = block.with_items(&items);
    quote!(#block #beside)
}

/// What an `impl` block itself may not be.
fn check_block(block: &Impl, errors: &mut Errors) {
    let header = &block.header;
    generics(
        &header.generics,
        "an annotated `impl`",
        "or move the methods that need no parameters to an `impl` of their own and annotate that",
        errors,
    );
    if let Some(token) = &header.unsafety {
        errors.at(
            token,
            "what an `unsafe impl` promises cannot be kept on another machine: annotate safe methods that use it",
        );
    }
    if let Some(of_trait) = block.trait_path()
        && of_trait.segments.last().is_some_and(|last| last.ident == "Drop")
    {
        errors.at(
            of_trait,
            "`drop` runs where the value is, and copies of values that travel are dropped on both sides: call a \
             remoteable method before the value goes",
        );
    }
}

/// The item as it was, beside what is wrong with it: so that one mistake does not cause others where it is used.
fn with_errors(errors: Errors, item: TokenStream) -> TokenStream {
    let errors = errors.into_tokens();
    quote!(#item #errors)
}

#[cfg(test)]
mod tests;
