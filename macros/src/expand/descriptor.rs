//! The static beside a method: what it is, how to run it from bytes, and its entry in the table of methods.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Visibility;

use super::codec::Site;
use super::{codec, private, shim};
use crate::model::{Method, Role};
use crate::tokens::generated;

/// The static and its registration.
pub(super) fn beside(method: &Method) -> TokenStream {
    let private = private();
    let name = method.static_name();
    let repeated = &method.repeated;
    let visibility = visibility(method);
    let schema = schema(method);
    let shim = shim::shim(method);
    let descriptor = descriptor(method);
    quote! {
        #repeated
        #[doc(hidden)]
        #visibility static #name: #private::Method = {
            use #private::tiers::*;
            #schema
            #shim
            #private::Method::new(#descriptor)
        };
        #repeated
        const _: () = {
            #[#private::linkme::distributed_slice(#private::METHODS)]
            #[linkme(crate = #private::linkme)]
            static REGISTRATION: &#private::Method = &#name;
        };
    }
}

fn descriptor(method: &Method) -> TokenStream {
    let private = private();
    let path = format!("::{}", method.path());
    let options = &method.options;
    let name = option(options.name.as_ref().map(|name| {
        let name = name.value();
        quote!(#name)
    }));
    let deadline = option(options.deadline.map(|deadline| {
        let milliseconds = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        quote!(::core::time::Duration::from_millis(#milliseconds))
    }));
    let hedge = option(options.hedge.map(|hedge| {
        let hedge = format_ident!("{hedge:?}");
        quote!(#private::Hedge::#hedge)
    }));
    let signature = method.signature();
    let body = method.hash;
    let kind = match method.role {
        Role::Remoteable => quote!(Remoteable),
        Role::Device => quote!(Device),
    };
    let [once, remote_only, compatible] =
        [options.once, options.remote_only, options.compatible].map(|flag| flag.is_some());
    let fallback = options.fallback.is_some();
    let asynchronous = method.is_async();
    let slots = method.slots.iter().map(|slot| {
        let (name, passing) = (&slot.label, Ident::new(slot.shape.passing(), Span::call_site()));
        quote!(#private::SlotInfo { name: #name, passing: #private::Passing::#passing })
    });
    quote! {
        #private::Descriptor {
            app: #private::App {
                name: ::core::env!("CARGO_PKG_NAME"),
                version: ::core::env!("CARGO_PKG_VERSION"),
                build: match ::core::option_env!("OUTBOARD_BUILD_ID") {
                    ::core::option::Option::Some(build) => build,
                    ::core::option::Option::None => "",
                },
            },
            path: ::core::concat!(::core::module_path!(), #path),
            name: #name,
            signature: #signature,
            body: #body,
            kind: #private::Kind::#kind,
            once: #once,
            remote_only: #remote_only,
            fallback: #fallback,
            compatible: #compatible,
            deadline: #deadline,
            hedge: #hedge,
            asynchronous: #asynchronous,
            slots: &[#(#slots),*],
            schema: __outboard_schema,
            shim: __outboard_shim,
        }
    }
}

/// The function that tells the runtime what travels; asked when two programs meet.
fn schema(method: &Method) -> TokenStream {
    let private = private();
    let slots = method.slots.iter().enumerate().map(|(index, slot)| {
        let (index, codec) = (Literal::usize_unsuffixed(index), codec::of_slot(slot, Site::Beside));
        let maker = format_ident!("{}", slot.shape.maker());
        quote!(outboard_schema.#maker(#index, #codec);)
    });
    let output = codec::of_output(method, Site::Beside);
    quote! {
        fn __outboard_schema(outboard_schema: &mut #private::MethodSchema) {
            #(#slots)*
            outboard_schema.result(#output);
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// The static is as visible as its method. A method of a trait has no visibility of its own.
fn visibility(method: &Method) -> TokenStream {
    let of_trait = method.self_type.as_ref().is_some_and(|own| own.of_trait.is_some());
    match &method.function.visibility {
        Visibility::Inherited if of_trait => quote!(pub(crate)),
        own => generated(quote!(#own)),
    }
}
