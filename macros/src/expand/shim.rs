//! The shim: a plain function that runs a method from an encoded call.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::codec::Site;
use super::{codec, private};
use crate::model::{Method, Shape};
use crate::tokens::generated;

/// The variable of a slot within the shim. Names of ours only: a user's name could hide the function itself. Nor may a
/// variable be called like one of our statics, which all begin with `__outboard_`.
fn variable(index: usize) -> Ident {
    format_ident!("outboard_{index}")
}

pub(super) fn shim(method: &Method) -> TokenStream {
    let private = private();
    let (mut decode, mut place, mut unchanged, mut give_back) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, slot) in method.slots.iter().enumerate() {
        let (variable, codec) = (variable(index), codec::of_slot(slot, Site::Beside));
        let maker = format_ident!("{}", slot.shape.maker());
        let index = Literal::usize_unsuffixed(index);
        let mutability = slot.shape.is_exclusive().then(|| quote!(mut));
        decode.push(quote!(let #mutability #variable = outboard_frame.#maker(#index, #codec)?;));
        match slot.shape {
            Shape::Value => {}
            Shape::Shared | Shape::SharedOption => {
                unchanged.push(quote!(outboard_frame.unchanged(#index, &#variable)?;))
            }
            Shape::Exclusive | Shape::ExclusiveSlice | Shape::ExclusiveOption => {
                place.push(quote!(outboard_frame.place(#index, &#variable);));
                give_back.push(quote!(outboard_frame.give_back(#index, #variable)?;));
            }
        }
    }
    let call = call(method);
    let run = if method.is_async() {
        quote!(outboard_frame.run_async(#call)?)
    } else {
        quote!(outboard_frame.run(|| #call)?)
    };
    let output = codec::of_output(method, Site::Beside);
    quote! {
        fn __outboard_shim(
            outboard_frame: &mut #private::ShimFrame<'_>,
        ) -> ::core::result::Result<(), #private::ShimError> {
            #(#decode)*
            #(#place)*
            let outboard_result = #run;
            #(#unchanged)*
            outboard_frame.reply(&outboard_result, #output)?;
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
