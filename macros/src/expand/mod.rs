//! The expansion of checked methods. What it calls is offered by the runtime under `outboard::__private`.

mod codec;
mod descriptor;
mod prelude;
mod shim;

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens as _, quote};

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

/// Tokens in braces that keep the place of the user's block.
fn block(tokens: TokenStream, like: &Group) -> TokenStream {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(like.span());
    block.into_token_stream()
}

/// The path to what the runtime offers.
fn private() -> TokenStream {
    quote!(::outboard::__private)
}
