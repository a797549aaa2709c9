//! `method!`: the static of a method, found by the rule that names it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{ExprPath, Path, PathSegment, QSelf, Token, Type, TypePath};

use crate::names::static_name;
use crate::tokens::generated_at;

/// Expands `method!(path)`, `method!(<Type as Trait>::method)` and either with `in module`.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    match syn::parse2::<Named>(tokens).and_then(|named| named.resolve()) {
        Ok(path) => quote!(&#path),
        Err(error) => error.into_compile_error(),
    }
}

struct Named {
    path: ExprPath,
    module: Option<Path>,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = input.parse()?;
        let module = if input.peek(Token![in]) {
            input.parse::<Token![in]>()?;
            Some(input.call(Path::parse_mod_style)?)
        } else {
            None
        };
        Ok(Self { path, module })
    }
}

impl Named {
    fn resolve(self) -> syn::Result<Path> {
        let Self { path: ExprPath { qself, mut path, .. }, module } = self;
        let whole = path.clone();
        let Some(method) = path.segments.pop() else {
            return Err(syn::Error::new_spanned(whole, "name an annotated function or method"));
        };
        if !method.arguments.is_none() {
            return Err(syn::Error::new_spanned(
                method,
                "annotated methods are not generic: name it without arguments",
            ));
        }
        path.segments.pop_punct();
        let mut prefix = None;
        let (ty, of_trait) = match qself {
            Some(QSelf { ty, .. }) => (Some(*ty), (!path.segments.is_empty()).then_some(path)),
            None if path.segments.last().is_some_and(is_type) => {
                let last = path.segments.pop();
                prefix = Some(path);
                let ty = last
                    .map(|last| Type::Path(TypePath { attrs: Vec::new(), qself: None, path: last.into() }));
                (ty, None)
            }
            None => {
                prefix = Some(path);
                (None, None)
            }
        };
        if let Some(ty) = &ty
            && ty.to_token_stream().to_string() == "Self"
        {
            return Err(syn::Error::new_spanned(
                ty,
                "name the type itself: its methods are listed beside its `impl`",
            ));
        }
        let span = generated_at(method.ident.span());
        let name = static_name(ty.as_ref(), of_trait.as_ref(), &method.ident, span);
        let mut found = module
            .or(prefix)
            .unwrap_or_else(|| Path { leading_colon: None, segments: syn::punctuated::Punctuated::new() });
        found.segments.push(PathSegment::from(name));
        Ok(found)
    }
}

/// Types begin with a capital letter, modules do not.
fn is_type(segment: &PathSegment) -> bool {
    segment.ident.unraw().to_string().starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::spell;

    #[test]
    fn finds_the_static_beside_the_method() {
        let expand = |source: &str| spell(expand(source.parse().unwrap()));
        assert_eq!(expand("find_match"), "&__outboard_find_match");
        assert_eq!(expand("vision::find_match"), "&vision::__outboard_find_match");
        assert_eq!(
            expand("crate::vision::Recognizer::detect"),
            "&crate::vision::__outboard_Recognizer_detect"
        );
        assert_eq!(expand("<Recognizer as Detector>::detect"), "&__outboard_Detector_for_Recognizer_detect");
        assert_eq!(expand("<a::Grid>::scan in crate::b"), "&crate::b::__outboard_a_Grid_scan");
        assert!(expand("Self::detect").contains("name the type itself"));
    }
}
