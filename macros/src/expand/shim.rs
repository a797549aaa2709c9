//! The shim: a plain function that runs a method from an encoded call.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::FnArg;

use super::{codec, private};
use crate::model::{Method, Shape, Slot};
use crate::tokens::generated;

/// The variable of a slot within the shim. Names of ours only: a user's name could hide the function itself.
fn variable(index: usize) -> Ident {
    format_ident!("__outboard_{index}")
}

pub(super) fn shim(method: &Method) -> TokenStream {
    let private = private();
    let slots: Vec<(usize, &Slot)> = method.slots.iter().enumerate().collect();
    let decode = slots.iter().map(|(index, slot)| {
        let (variable, codec) = (variable(*index), codec::of_slot(slot));
        let maker = format_ident!("{}", slot.shape.maker());
        let mutability = slot.shape.is_exclusive().then(|| quote!(mut));
        quote!(let #mutability #variable = frame.#maker(#index, #codec)?;)
    });
    let exclusive = || slots.iter().filter(|(_, slot)| slot.shape.is_exclusive()).map(|(index, _)| *index);
    let place = exclusive().map(|index| {
        let variable = variable(index);
        quote!(frame.place(#index, &#variable);)
    });
    let unchanged = slots
        .iter()
        .filter(|(_, slot)| matches!(slot.shape, Shape::Shared | Shape::SharedOption))
        .map(|(index, _)| {
            let variable = variable(*index);
            quote!(frame.unchanged(#index, &#variable)?;)
        });
    let give_back = exclusive().map(|index| {
        let variable = variable(index);
        quote!(frame.give_back(#index, #variable)?;)
    });
    let call = call(method);
    let run = if method.is_async() { quote!(frame.run_async(#call)?) } else { quote!(frame.run(|| #call)?) };
    let output = codec::of_output(method);
    quote! {
        fn __outboard_shim(
            frame: &mut #private::ShimFrame<'_>,
        ) -> ::core::result::Result<(), #private::ShimError> {
            #(#decode)*
            #(#place)*
            let __outboard_result = #run;
            #(#unchanged)*
            frame.reply(&__outboard_result, #output)?;
            #(#give_back)*
            ::core::result::Result::Ok(())
        }
    }
}

/// The method itself, called by its full path.
fn call(method: &Method) -> TokenStream {
    let name = &method.function.signature.ident;
    let arguments = method.slots.iter().enumerate().map(|(index, slot)| {
        let variable = variable(index);
        match slot.shape {
            Shape::Value => quote!(#variable),
            Shape::Shared | Shape::SharedOption => quote!(#variable.get()),
            Shape::Exclusive | Shape::ExclusiveSlice | Shape::ExclusiveOption => quote!(#variable.get_mut()),
        }
    });
    debug_assert_eq!(
        method.slots.len(),
        method
            .function
            .signature
            .inputs
            .iter()
            .filter(|input| matches!(input, FnArg::Receiver(_) | FnArg::Typed(_)))
            .count()
    );
    let function = match &method.self_type {
        None => generated(quote!(#name)),
        Some(own) => {
            let ty = &own.ty;
            let name = generated(quote!(#name));
            match &own.of_trait {
                Some(of_trait) => quote!(<#ty as #of_trait>::#name),
                None => quote!(<#ty>::#name),
            }
        }
    };
    quote!(#function(#(#arguments),*))
}
