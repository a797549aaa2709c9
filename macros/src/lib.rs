//! The attributes and derives of Outboard. The facade `outboard` re-exports and documents them.
//!
//! # What it does not do
//! It decides nothing. It checks what may be annotated, tells all mistakes of an item at the user's spans, and expands
//! the item to calls of what the runtime offers under `outboard::__private`.
//!
//! ```text
//!   item ── parse ──▶ Item ── check ──▶ Method ── expand ──▶ the item with a check, its static, its registration
//!           item.rs           model/              expand/
//! ```

mod attributes;
mod entry;
mod errors;
mod expand;
mod item;
mod method;
mod model;
mod names;
mod options;
mod state;
mod tokens;

use proc_macro::TokenStream;

/// Makes a function, or the methods of an `impl` block, run where they cost least.
#[proc_macro_attribute]
pub fn remoteable(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::remoteable(options.into(), item.into()).into()
}

/// Keeps a function, a method, or the methods of an `impl` block on the device: remote code that calls it calls back.
#[proc_macro_attribute]
pub fn device(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::device(options.into(), item.into()).into()
}

/// Leaves a method of an annotated `impl` block alone: it runs where it is called.
#[proc_macro_attribute]
pub fn local(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::local(options.into(), item.into()).into()
}

/// The description of an annotated method, to register it by hand: `method!(Recognizer::detect)`.
#[proc_macro]
pub fn method(path: TokenStream) -> TokenStream {
    method::expand(path.into()).into()
}

/// Lets the values of a type travel: as receivers and `&mut` arguments of remoteable methods, and within them.
#[proc_macro_derive(State, attributes(state, serde))]
pub fn state(item: TokenStream) -> TokenStream {
    state::derive(item.into()).into()
}
