//! The expressions that choose how a type travels.
//!
//! Only these carry trait bounds, and they are the same tokens with the same spans wherever one slot needs them, so
//! that the compiler folds what a missing bound causes into one error at the user's type.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::private_at;
use crate::model::{Method, Payload, Slot};
use crate::tokens::generated_at;

/// Where an expression stands: inside the item `Self` is at hand, and the lints of the user ask for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    Inside,
    Beside,
}

/// The codec of a slot.
pub(super) fn of_slot(slot: &Slot, site: Site) -> TokenStream {
    let ty = if site == Site::Inside { &slot.inside } else { &slot.ty };
    let span = generated_at(slot.span);
    let private = private_at(span);
    if slot.shape.is_exclusive() {
        return if slot.payload == Payload::Opaque {
            quote_spanned!(span=> #private::exclusive_opaque::<#ty>())
        } else {
            quote_spanned!(span=> #private::exclusive_codec::<#ty>())
        };
    }
    match slot.payload {
        Payload::Text => quote_spanned!(span=> #private::text()),
        Payload::Opaque => quote_spanned!(span=> #private::opaque::<#ty>()),
        Payload::Sized => of_value(&quote!(#ty), span),
        Payload::Slice => {
            let element = of_value(&quote!(#ty), span);
            quote_spanned!(span=> #private::slice(#element))
        }
    }
}

/// The codec of what a method returns.
pub(super) fn of_output(method: &Method, site: Site) -> TokenStream {
    let ty = if site == Site::Inside { &method.output.inside } else { &method.output.ty };
    let span = generated_at(method.output.span);
    if !method.output.is_result {
        return of_value(&quote!(#ty), span);
    }
    let private = private_at(span);
    let ok = of_value(&quote_spanned!(span=> <#ty as #private::Outcome>::Ok), span);
    quote_spanned! {span=>
        #private::outcome::<#ty, _, _>(
            #ok,
            (&&&&#private::ErrorVia::<<#ty as #private::Outcome>::Error>::new()).error_codec(),
        )
    }
}

/// By `State`, else by serde, else an error: the traits behind it are picked by how often the value is borrowed.
fn of_value(ty: &TokenStream, span: proc_macro2::Span) -> TokenStream {
    let private = private_at(span);
    quote_spanned!(span=> (&&&#private::Via::<#ty>::new()).codec())
}
