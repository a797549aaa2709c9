//! The expansion of checked methods. What it calls is offered by the runtime under `outboard::__private`.

mod codec;
mod descriptor;
mod prelude;
mod shim;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::model::Method;

/// A method and what stands beside it.
pub(crate) struct Expanded {
    /// The user's item, with our check in front of its body.
    pub(crate) item: TokenStream,
    /// The static that describes it, and its registration.
    pub(crate) beside: TokenStream,
}

/// Expands one method.
pub(crate) fn method(method: &Method) -> Expanded {
    Expanded { item: prelude::item(method), beside: descriptor::beside(method) }
}

/// The path to what the runtime offers.
fn private() -> TokenStream {
    private_at(Span::call_site())
}

/// The same, for an expression whose errors show at `span`.
fn private_at(span: Span) -> TokenStream {
    quote_spanned!(span=> ::outboard::__private)
}
