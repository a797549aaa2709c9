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
///
/// On an `impl` block, of a type or of a trait for a type, it takes all methods but those marked `#[outboard::local]`;
/// those marked `#[outboard::device]` stay on the device. A method may repeat `#[remoteable(…)]` to add options.
///
/// # Options
/// - `name = "find-match"`: an id that stays when the method is renamed or moved; by default its path and signature.
/// - `work = photo.len()`: a number that grows with the work of this call. It may use the arguments, not the parts of
///   arguments that are patterns.
/// - `deadline = "250ms"` (or `"2s"`, `"1min"`): after this time a call is not waited for any longer.
/// - `once`: runs at most once, also when the link or the server fails. Returns a `Result` whose error is made from
///   `outboard::CallError`.
/// - `remote_only`: cannot run on the device. Returns such a `Result`, too, unless there is a `fallback`.
/// - `fallback = path`: a function of the same signature that stands in when the server is away or late.
/// - `hedge = never`, `late` or `always`: when the device runs a call too that is under way to a server.
/// - `compatible`: device and server may have different bodies of it.
///
/// An `impl` block takes `deadline`, `once`, `remote_only`, `hedge` and `compatible`, for all its methods that may run elsewhere.
///
/// # Arguments and results
/// `T`, `&T`, `&str`, `&[T]`, `&mut T`, `&mut [T]`, `Option` of `&T`, `&str`, `&[T]` and `&mut T`; receivers `self`,
/// `&self` and `&mut self`. Whatever is behind `&mut` derives `State`; everything else has `State` or serde's traits. A
/// parameter of a foreign type that has serde's traits alone goes behind `&mut` with `#[state(opaque)]`. The error of a
/// `Result` may be any type; where it cannot travel the call is run again on the device to make it.
///
/// What cannot be remoteable is refused with the reason and a way out.
#[proc_macro_attribute]
pub fn remoteable(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::remoteable(options.into(), item.into()).into()
}

/// Keeps a function, a method, or the methods of an `impl` block on the device: remote code that calls it calls back.
///
/// Arguments and results travel by the rules of `#[remoteable]`. Options are `name` and `compatible`.
#[proc_macro_attribute]
pub fn device(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::device(options.into(), item.into()).into()
}

/// Leaves a method of an annotated `impl` block alone: it runs where it is called.
///
/// For constructors, getters and helpers, and for what cannot travel.
#[proc_macro_attribute]
pub fn local(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::local(options.into(), item.into()).into()
}

/// The description of an annotated method, to register it where the linker drops the gathered table.
///
/// `method!(find_match)`, `method!(vision::find_match)`, `method!(vision::Recognizer::detect)`. A type is told from a
/// module by its capital letter. A method of a trait, or of a type that its `impl` names by a path, is spelled as its
/// `impl` spells it: `method!(<Recognizer as Detector>::detect)`; where that `impl` is in another module,
/// `method!(<Recognizer as Detector>::detect in crate::vision)`.
#[proc_macro]
pub fn method(path: TokenStream) -> TokenStream {
    method::expand(path.into()).into()
}

/// Lets the values of a type travel: as receivers and `&mut` arguments of remoteable methods, and within them.
#[proc_macro_derive(State, attributes(state, serde))]
pub fn state(item: TokenStream) -> TokenStream {
    state::derive(item.into()).into()
}
