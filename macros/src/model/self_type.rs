//! `Self` outside the `impl`: the generated functions stand beside it and have to name the type.

use std::collections::BTreeSet;

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprPath, Ident, Path, PathSegment, QSelf, Type, TypePath};

use crate::item::{Impl, Member};

/// What `Self` means in one `impl`.
#[derive(Clone)]
pub(crate) struct SelfType {
    pub(crate) ty: Type,
    /// The trait that is implemented.
    pub(crate) of_trait: Option<Path>,
    /// The types and constants that this `impl` gives its trait: `Self::Output` is the trait's.
    associated: BTreeSet<Ident>,
}

impl SelfType {
    pub(crate) fn of(block: &Impl) -> Self {
        let associated = block.items.iter().filter_map(|member| match member {
            Member::Other(item) => match &**item {
                syn::ImplItem::Type(item) => Some(item.ident.clone()),
                syn::ImplItem::Const(item) => Some(item.ident.clone()),
                _ => None,
            },
            Member::Function(_) => None,
        });
        Self {
            ty: (*block.header.self_ty).clone(),
            of_trait: block.trait_path().cloned(),
            associated: associated.collect(),
        }
    }

    /// `ty` with `Self` replaced in types, paths and array lengths.
    pub(crate) fn resolve(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        Replace(self).visit_type_mut(&mut ty);
        ty
    }

    /// `Self::A::B` as a path that starts from the type, or from the trait where the name is one of its own.
    fn qualify(&self, path: &Path) -> (QSelf, Path) {
        let rest: Vec<PathSegment> = path.segments.iter().skip(1).cloned().collect();
        let of_trait = self
            .of_trait
            .as_ref()
            .filter(|_| rest.first().is_some_and(|first| self.associated.contains(&first.ident)));
        let mut qualified = of_trait.cloned().unwrap_or(Path {
            leading_colon: Some(syn::token::PathSep::default()),
            segments: syn::punctuated::Punctuated::new(),
        });
        let position = qualified.segments.len();
        qualified.segments.extend(rest);
        let qself = QSelf {
            lt_token: syn::token::Lt::default(),
            ty: Box::new(self.ty.clone()),
            position,
            as_token: of_trait.is_some().then(syn::token::As::default),
            gt_token: syn::token::Gt::default(),
        };
        (qself, qualified)
    }
}

struct Replace<'a>(&'a SelfType);

impl VisitMut for Replace<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(TypePath { qself: None, path, .. }) = ty
            && starts_with_self(path)
        {
            if path.segments.len() == 1 {
                *ty = self.0.ty.clone();
            } else {
                let (qself, path) = self.0.qualify(path);
                *ty = Type::Path(TypePath { attrs: Vec::new(), qself: Some(qself), path });
            }
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Path(ExprPath { attrs, qself: None, path }) = expr
            && starts_with_self(path)
            && path.segments.len() > 1
        {
            let (qself, path) = self.0.qualify(path);
            *expr = Expr::Path(ExprPath { attrs: attrs.clone(), qself: Some(qself), path });
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

fn starts_with_self(path: &Path) -> bool {
    path.leading_colon.is_none() && path.segments.first().is_some_and(|first| first.ident == "Self")
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens as _, quote};

    use super::*;
    use crate::item::Item;
    use crate::tokens::spell;

    fn resolve(block: proc_macro2::TokenStream, ty: &str) -> String {
        let Ok(Item::Impl(block)) = Item::parse(block, "remoteable") else { panic!("not an impl") };
        let resolved = SelfType::of(&block).resolve(&syn::parse_str(ty).unwrap());
        spell(resolved.to_token_stream())
    }

    #[test]
    fn self_becomes_the_type_wherever_it_stands() {
        let block = quote!(
            impl vision::Grid {
                const N: usize = 3;
            }
        );
        assert_eq!(resolve(block.clone(), "Option<Box<Self>>"), "Option<Box<vision::Grid>>");
        assert_eq!(resolve(block.clone(), "[u8; Self::N]"), "[u8; <vision::Grid>::N]");
        assert_eq!(resolve(block, "Selfish"), "Selfish");
    }

    #[test]
    fn names_that_belong_to_the_trait_go_through_it() {
        let block = quote!(
            impl Detector<u8> for Grid {
                type Output = u8;
            }
        );
        assert_eq!(resolve(block.clone(), "Vec<Self::Output>"), "Vec<<Grid as Detector<u8>>::Output>");
        assert_eq!(resolve(block, "[u8; Self::N]"), "[u8; <Grid>::N]");
    }
}
