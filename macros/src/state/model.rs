//! The type as the derive sees it: only what can travel, in the order of its encoding.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Generics, Ident, Member, Type};

use super::attributes::{Fallback, Said, Site};
use crate::errors::Errors;

/// A type that derives `State`.
pub(super) struct Item<'a> {
    pub(super) name: &'a Ident,
    pub(super) generics: Generics,
    pub(super) shape: Shape<'a>,
}

pub(super) enum Shape<'a> {
    Structure {
        fields: Vec<Field<'a>>,
        /// Skipped fields without a default of their own come from the default of the whole, as in serde.
        from_default: bool,
    },
    Choice(Vec<Variant<'a>>),
}

pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    /// As the schema names it.
    pub(super) name: String,
    pub(super) fields: Vec<Field<'a>>,
}

pub(super) struct Field<'a> {
    pub(super) member: Member,
    /// What the field is called where a pattern binds it.
    pub(super) binding: Ident,
    /// As the schema names it.
    pub(super) name: String,
    pub(super) ty: &'a Type,
    pub(super) travel: Travel,
}

/// How a field travels.
pub(super) enum Travel {
    /// As state.
    State,
    /// Through serde.
    Opaque,
    /// Not at all: the other side gets a default.
    Skipped(Option<Fallback>),
}

impl<'a> Item<'a> {
    pub(super) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let said = Said::read(&input.attrs, Site::Type, errors);
        for lifetime in input.generics.lifetimes() {
            errors.at(
                lifetime,
                "state owns what it holds, so its type has no lifetimes: replace references with owned values",
            );
        }
        let shape = match &input.data {
            Data::Struct(data) => {
                let fields = Field::read(&data.fields, errors);
                let lacks_default = |field: &Field<'_>| matches!(field.travel, Travel::Skipped(None));
                let from_default = said.default.is_some() && fields.iter().any(lacks_default);
                if let (true, Some(Fallback::Function(function))) = (from_default, &said.default) {
                    errors.at(
                        function,
                        "state takes skipped fields from `Default`, not from a function for the whole type: implement \
                         `Default`, or put a `default` on the skipped fields",
                    );
                }
                Shape::Structure { fields, from_default }
            }
            Data::Enum(data) => {
                Shape::Choice(data.variants.iter().map(|variant| Variant::read(variant, errors)).collect())
            }
            Data::Union(data) => {
                errors.at(
                    &data.union_token,
                    "a union does not know what it holds, so it cannot travel: use an enum",
                );
                Shape::Choice(Vec::new())
            }
        };
        Self { name: &input.ident, generics: bounded(&input.generics), shape }
    }
}

impl<'a> Variant<'a> {
    fn read(variant: &'a syn::Variant, errors: &mut Errors) -> Self {
        let said = Said::read(&variant.attrs, Site::Variant, errors);
        Self {
            ident: &variant.ident,
            name: said.rename.unwrap_or_else(|| variant.ident.unraw().to_string()),
            fields: Field::read(&variant.fields, errors),
        }
    }
}

impl<'a> Field<'a> {
    fn read(fields: &'a syn::Fields, errors: &mut Errors) -> Vec<Self> {
        fields.iter().zip(fields.members()).map(|(field, member)| Self::of(field, member, errors)).collect()
    }

    fn of(field: &'a syn::Field, member: Member, errors: &mut Errors) -> Self {
        let said = Said::read(&field.attrs, Site::Field, errors);
        let plain = match &member {
            Member::Named(ident) => ident.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        let travel = match (said.skip, said.opaque) {
            (true, _) => Travel::Skipped(said.default),
            (false, true) => Travel::Opaque,
            (false, false) => Travel::State,
        };
        Self {
            binding: format_ident!("field_{plain}", span = Span::mixed_site()),
            name: said.rename.unwrap_or(plain),
            member,
            ty: &field.ty,
            travel,
        }
    }

    /// Whether the field is part of the encoding.
    pub(super) fn travels(&self) -> bool {
        !matches!(self.travel, Travel::Skipped(_))
    }

    /// The path of a function of the trait that the field travels by. It is the only place where the trait is asked of
    /// the type, always with the same tokens at the same span, so that the compiler tells a missing one once.
    pub(super) fn function(&self, name: &str) -> TokenStream {
        let (ty, span) = (self.ty, self.ty.span());
        let name = Ident::new(name, span);
        match self.travel {
            Travel::Opaque => quote_spanned!(span=> <#ty as __outboard_wire::Opaque>::#name),
            _ => quote_spanned!(span=> <#ty as __outboard_wire::State>::#name),
        }
    }

    /// A call of that function. The arguments keep their own spans, as names of ours are seen where the derive stands,
    /// not where another macro may have made the type.
    pub(super) fn call(&self, name: &str, arguments: TokenStream) -> TokenStream {
        let function = self.function(name);
        quote_spanned!(self.ty.span()=> #function(#arguments))
    }

    /// The expression that reads the field from `input`.
    pub(super) fn decoded(&self) -> TokenStream {
        match &self.travel {
            Travel::State | Travel::Opaque => {
                let decoded = self.call("decode", quote!(input));
                quote_spanned!(self.ty.span()=> #decoded?)
            }
            Travel::Skipped(None | Some(Fallback::Trait)) => {
                let span = Span::call_site().located_at(self.ty.span());
                quote_spanned!(span=> ::core::default::Default::default())
            }
            Travel::Skipped(Some(Fallback::Function(function))) => quote!(#function()),
        }
    }

    /// The statement that writes the field behind the reference `value` to `out`.
    pub(super) fn encoded(&self, value: &TokenStream) -> TokenStream {
        let encoded = self.call("encode", quote!(#value, out));
        quote_spanned!(self.ty.span()=> #encoded?;)
    }

    /// The statement that describes the field to `schema`.
    pub(super) fn described(&self) -> TokenStream {
        let (name, described) = (&self.name, self.call("schema", quote!(schema)));
        match self.travel {
            Travel::Skipped(_) => quote!(schema.skipped(#name);),
            _ => quote!(schema.field(#name, |schema| #described);),
        }
    }
}

/// Every type parameter has to be state itself.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in parameters {
        let bound = syn::parse_quote!(#parameter: ::outboard::__private::wire::State);
        generics.make_where_clause().predicates.push(bound);
    }
    generics
}
