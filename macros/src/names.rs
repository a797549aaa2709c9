//! How the generated statics are called, which `method!` has to know, too.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident};
use syn::ext::IdentExt as _;
use syn::{Ident, Path, Type};

use crate::model::Method;
use crate::tokens::{mangle, spell};

/// The static of a method: `__outboard_find_match`, `__outboard_Recognizer_detect`,
/// `__outboard_Detector_for_Recognizer_detect`.
pub(crate) fn static_name(
    of_type: Option<&Type>,
    of_trait: Option<&Path>,
    method: &Ident,
    span: Span,
) -> Ident {
    let method = method.unraw();
    let words = |tokens: TokenStream| mangle(tokens);
    match (of_type.map(|ty| words(ty.to_token_stream())), of_trait.map(|path| words(path.to_token_stream())))
    {
        (Some(ty), Some(of_trait)) => format_ident!("__outboard_{of_trait}_for_{ty}_{method}", span = span),
        (Some(ty), None) => format_ident!("__outboard_{ty}_{method}", span = span),
        (None, _) => format_ident!("__outboard_{method}", span = span),
    }
}

impl Method {
    /// The name of its static.
    pub(crate) fn static_name(&self) -> Ident {
        let own = self.self_type.as_ref();
        static_name(
            own.map(|own| &own.ty),
            own.and_then(|own| own.of_trait.as_ref()),
            &self.function.signature.ident,
            Span::call_site(),
        )
    }

    /// The path within its module, as people and the method's identity spell it.
    pub(crate) fn path(&self) -> String {
        let method = self.function.signature.ident.unraw();
        let Some(own) = &self.self_type else { return method.to_string() };
        let ty = spell(own.ty.to_token_stream());
        match &own.of_trait {
            Some(of_trait) => format!("<{ty} as {}>::{method}", spell(of_trait.to_token_stream())),
            None => format!("{ty}::{method}"),
        }
    }
}
