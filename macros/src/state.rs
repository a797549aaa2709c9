//! `#[derive(State)]`: how a type travels, field by field.

mod attributes;
mod expand;
mod model;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

/// Derives `State`, or says everything that is in its way.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let item = model::Item::read(&input, &mut errors);
    // An implementation beside the errors would only add errors that follow from them.
    errors.into_tokens().unwrap_or_else(|| expand::implementation(&item))
}

#[cfg(test)]
mod tests;
