//! The implementation of `State` for a type.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::model::{Field, Item, Shape, Travel, Variant};

pub(super) fn implementation(item: &Item<'_>) -> TokenStream {
    let name = item.name;
    let (parameters, arguments, bounds) = item.generics.split_for_impl();
    let functions = match &item.shape {
        Shape::Structure { fields, from_default } => structure(fields, *from_default),
        Shape::Choice(variants) => choice(name, variants),
    };
    quote! {
        #[doc(hidden)]
        // These three are about tokens with the user's spans; all others see that the code is not the user's.
        #[allow(unreachable_code, unused_qualifications, clippy::question_mark_used, reason = "generated")]
        const _: () = {
            // The name must not hide one that a field's type uses.
            use ::outboard::__private::wire as __outboard_wire;

            #[automatically_derived]
            impl #parameters __outboard_wire::State for #name #arguments #bounds {
                #functions
            }
        };
    }
}

fn structure(fields: &[Field<'_>], from_default: bool) -> TokenStream {
    let described = fields.iter().map(Field::described);
    let encoded = fields.iter().filter(|field| field.travels()).map(|field| {
        let member = &field.member;
        field.encoded(&quote!(&self.#member))
    });
    let decoded = if from_default { decode_into_default(fields) } else { decode_whole(fields) };
    let exchanged = fields.iter().map(exchanged);
    let skips = skips(fields);
    let stamp = stamp(fields);
    let named = numbered(fields).map(|(index, field)| named(&index, field));
    let placed = numbered(fields).map(|(index, field)| placed(&index, field));
    quote! {
        const SKIPS: bool = #skips;

        fn schema(schema: &mut __outboard_wire::SchemaBuilder) {
            schema.structure::<Self>(|schema| { #(#described)* });
        }

        fn encode(&self, out: &mut __outboard_wire::Encoder) -> ::core::result::Result<(), __outboard_wire::EncodeError> {
            #(#encoded)*
            ::core::result::Result::Ok(())
        }

        fn decode(input: &mut __outboard_wire::Decoder<'_>) -> ::core::result::Result<Self, __outboard_wire::DecodeError> {
            #decoded
        }

        fn exchange(&mut self, other: &mut Self) {
            #(#exchanged)*
        }

        #stamp

        fn places(&self, places: &mut __outboard_wire::Places<'_>) {
            if <Self as __outboard_wire::State>::SKIPS {
                places.object(self);
                #(#named)*
            }
        }

        fn place(&mut self, path: &[u16]) -> ::core::option::Option<&mut dyn __outboard_wire::Lent> {
            match path.split_first() {
                ::core::option::Option::None => ::core::option::Option::Some(self),
                #(#placed)*
                ::core::option::Option::Some(_) => ::core::option::Option::None,
            }
        }
    }
}

/// Fields that travel as state, so that their places can be named, with their positions among all fields.
fn numbered<'f>(fields: &'f [Field<'f>]) -> impl Iterator<Item = (Literal, &'f Field<'f>)> {
    let positions = (0u16..).map(Literal::u16_suffixed);
    positions.zip(fields).filter(|(_, field)| matches!(field.travel, Travel::State))
}

fn decode_whole(fields: &[Field<'_>]) -> TokenStream {
    let values = fields.iter().map(|field| {
        let (member, value) = (&field.member, field.decoded());
        quote!(#member: #value)
    });
    quote!(::core::result::Result::Ok(Self { #(#values),* }))
}

/// Assigning works for types with `Drop` too, out of which nothing can be moved.
fn decode_into_default(fields: &[Field<'_>]) -> TokenStream {
    let assigned = fields.iter().filter(|field| !matches!(field.travel, Travel::Skipped(None)));
    let assignments = assigned.map(|field| {
        let (member, value) = (&field.member, field.decoded());
        quote!(value.#member = #value;)
    });
    quote! {
        let mut value = <Self as ::core::default::Default>::default();
        #(#assignments)*
        ::core::result::Result::Ok(value)
    }
}

fn exchanged(field: &Field<'_>) -> TokenStream {
    let member = &field.member;
    match field.travel {
        Travel::State => {
            let exchanged = field.call("exchange", quote!(&mut self.#member, &mut other.#member));
            quote!(#exchanged;)
        }
        Travel::Opaque => quote!(::core::mem::swap(&mut self.#member, &mut other.#member);),
        Travel::Skipped(_) => TokenStream::new(),
    }
}

fn named(index: &Literal, field: &Field<'_>) -> TokenStream {
    let (member, skips) = (&field.member, field.function("SKIPS"));
    let named = field.call("places", quote!(&self.#member, places));
    quote! {
        if #skips {
            places.within(#index, |places| #named);
        }
    }
}

fn placed(index: &Literal, field: &Field<'_>) -> TokenStream {
    let member = &field.member;
    let placed = field.call("place", quote!(&mut self.#member, rest));
    quote!(::core::option::Option::Some((#index, rest)) => #placed,)
}

/// Whether a value has skipped fields at fixed places. Recursion goes through containers, whose answer is no.
fn skips(fields: &[Field<'_>]) -> TokenStream {
    if fields.iter().any(|field| !field.travels()) {
        return quote!(true);
    }
    let within = numbered(fields).map(|(_, field)| field.function("SKIPS"));
    quote!(false #(|| #within)*)
}

/// A value is known to be unchanged where all of its parts are that travel. What goes through serde never says so.
fn stamp(fields: &[Field<'_>]) -> TokenStream {
    if fields.iter().any(|field| matches!(field.travel, Travel::Opaque)) {
        return TokenStream::new();
    }
    let parts = numbered(fields).map(|(_, field)| {
        let member = &field.member;
        field.call("stamp", quote!(&self.#member))
    });
    quote! {
        fn stamp(&self) -> ::core::option::Option<__outboard_wire::Stamp> {
            __outboard_wire::Stamp::of_all([#(#parts),*])
        }
    }
}

/// What a variant holds has no fixed place, so a choice is exchanged whole and found as a whole: the trait's defaults.
fn choice(name: &syn::Ident, variants: &[Variant<'_>]) -> TokenStream {
    let text = name.to_string();
    let described = variants.iter().map(|variant| {
        let (name, fields) = (&variant.name, variant.fields.iter().map(Field::described));
        quote!(schema.variant(#name, |schema| { #(#fields)* });)
    });
    let encoded = (0u32..)
        .map(Literal::u32_suffixed)
        .zip(variants)
        .map(|(number, variant)| encode_variant(&number, variant));
    let encoded = match variants {
        // A type without values is matched by value; behind a reference the compiler wants an arm.
        [] => quote!(match *self {}),
        _ => quote!(match self { #(#encoded)* }),
    };
    let decoded = (0u32..).map(Literal::u32_suffixed).zip(variants).map(|(number, variant)| {
        let ident = variant.ident;
        let values = variant.fields.iter().map(|field| {
            let (member, value) = (&field.member, field.decoded());
            quote!(#member: #value)
        });
        quote!(#number => Self::#ident { #(#values),* },)
    });
    quote! {
        fn schema(schema: &mut __outboard_wire::SchemaBuilder) {
            schema.choice::<Self>(|schema| { #(#described)* });
        }

        fn encode(&self, out: &mut __outboard_wire::Encoder) -> ::core::result::Result<(), __outboard_wire::EncodeError> {
            #encoded
            ::core::result::Result::Ok(())
        }

        fn decode(input: &mut __outboard_wire::Decoder<'_>) -> ::core::result::Result<Self, __outboard_wire::DecodeError> {
            ::core::result::Result::Ok(match input.read_variant()? {
                #(#decoded)*
                variant => return ::core::result::Result::Err(__outboard_wire::DecodeError::Variant { of: #text, variant }),
            })
        }
    }
}

fn encode_variant(number: &Literal, variant: &Variant<'_>) -> TokenStream {
    let ident = variant.ident;
    let travelling = || variant.fields.iter().filter(|field| field.travels());
    let bindings = travelling().map(|field| {
        let (member, binding) = (&field.member, &field.binding);
        quote!(#member: #binding)
    });
    let values = travelling().map(|field| {
        let binding = &field.binding;
        field.encoded(&quote!(#binding))
    });
    quote! {
        Self::#ident { #(#bindings,)* .. } => {
            out.write_variant(#number)?;
            #(#values)*
        }
    }
}
