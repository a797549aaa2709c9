//! One annotated function or method.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::{FnArg, PatType, Receiver, ReceiverKind, ReturnType, Type};

use super::checks::{self, Place};
use super::self_type::SelfType;
use super::slot::{self, Binding, Payload, Slot};
use crate::attributes;
use crate::errors::Errors;
use crate::item::Function;
use crate::options::Options;
use crate::tokens::{TokenHash, spell};

/// Where a method may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Here or on a server.
    Remoteable,
    /// Always on the device.
    Device,
}

/// A function or method without mistakes.
pub(crate) struct Method {
    /// The item without our attributes.
    pub(crate) function: Function,
    pub(crate) role: Role,
    pub(crate) options: Options,
    pub(crate) slots: Vec<Slot>,
    pub(crate) output: Output,
    pub(crate) self_type: Option<SelfType>,
    /// The attributes that items beside the method repeat.
    pub(crate) repeated: TokenStream,
    /// Tells methods with differing code apart.
    pub(crate) hash: u64,
}

/// What a method returns.
pub(crate) struct Output {
    /// `Self` replaced.
    pub(crate) ty: Type,
    /// As it is spelled inside the item.
    pub(crate) inside: Type,
    /// Whether it is written as a `Result`, so that its error may fail to travel.
    pub(crate) is_result: bool,
    pub(crate) span: Span,
}

impl Method {
    /// Checks a function, free where `self_type` is `None`; what is wrong goes to `errors`.
    pub(crate) fn check(
        mut function: Function,
        role: Role,
        options: Options,
        self_type: Option<&SelfType>,
        impl_attributes: &[syn::Attribute],
        errors: &mut Errors,
    ) -> Option<Self> {
        let place = if self_type.is_some() { Place::InImpl } else { Place::Free };
        checks::attributes(&function.attributes, errors);
        checks::signature(&function.signature, place, errors);
        let slots = slots(&mut function, self_type, errors);
        let output = output(&function, self_type);
        if let Some((option, span)) = options.needs_result()
            && !output.is_result
        {
            errors.at_span(
                if matches!(function.signature.output, ReturnType::Default) { span } else { output.span },
                needs_result(option),
            );
        }
        let repeated = attributes::repeated(impl_attributes.iter().chain(&function.attributes));
        let hash = hash(&function, &options);
        Some(Self {
            function,
            role,
            options,
            slots: slots?,
            output,
            self_type: self_type.cloned(),
            repeated,
            hash,
        })
    }

    /// The types in it, by which the runtime tells methods of one name apart.
    pub(crate) fn signature(&self) -> String {
        let slots: Vec<&str> = self.slots.iter().map(|slot| slot.written.as_str()).collect();
        let asynchronous = if self.is_async() { "async " } else { "" };
        let result = match &self.function.signature.output {
            ReturnType::Default => String::new(),
            ReturnType::Type(..) => format!(" -> {}", spell(self.output.ty.to_token_stream())),
        };
        format!("{asynchronous}fn({}){result}", slots.join(", "))
    }

    pub(crate) const fn is_async(&self) -> bool {
        self.function.signature.asyncness.is_some()
    }

    /// Whether our own errors come back as the method's `Err`.
    pub(crate) fn is_fallible(&self) -> bool {
        self.options.needs_result().is_some()
    }
}

fn needs_result(option: &str) -> String {
    let why = if option == "once" {
        "it may be unknown whether the call ran"
    } else {
        "the server may be away, and nothing else can run the call (a `fallback` could)"
    };
    format!(
        "`{option}` needs a way to say that the call failed, since {why}: return `Result<_, E>` where \
         `E: From<outboard::CallError>`"
    )
}

fn slots(function: &mut Function, self_type: Option<&SelfType>, errors: &mut Errors) -> Option<Vec<Slot>> {
    let mut slots = Vec::new();
    let mut good = true;
    for (index, input) in function.signature.inputs.iter_mut().enumerate() {
        let slot = match input {
            FnArg::Receiver(receiver) => receiver_slot(receiver, self_type, errors),
            FnArg::Typed(argument) => argument_slot(argument, index, self_type, errors),
        };
        good &= slot.is_some();
        slots.extend(slot);
    }
    good.then_some(slots)
}

fn receiver_slot(receiver: &Receiver, self_type: Option<&SelfType>, errors: &mut Errors) -> Option<Slot> {
    let Some(self_type) = self_type else {
        errors.at(
            receiver,
            "a method is annotated through its `impl`: put the attribute on the `impl` block, and `#[outboard::local]` \
             on the methods that are not to be intercepted",
        );
        return None;
    };
    if !checks::receiver(receiver, errors) {
        return None;
    }
    let own = &self_type.ty;
    let (passed, sign): (Type, &str) = match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(_)) => (syn::parse_quote!(&mut #own), "&mut self"),
        ReceiverKind::Reference(..) => (syn::parse_quote!(&#own), "&self"),
        _ => (own.clone(), "self"),
    };
    let (shape, payload, ty) = slot::classify(&passed, false, errors)?;
    // All methods of an `impl` that lack the same thing then give one error, at the type in its head.
    let span = slot::span_of(own);
    Some(Slot {
        label: "self".to_owned(),
        binding: Binding::Receiver,
        shape,
        payload,
        inside: if payload == Payload::Sized { syn::parse_quote_spanned!(span=> Self) } else { ty.clone() },
        ty,
        written: sign.to_owned(),
        span,
    })
}

fn argument_slot(
    argument: &mut PatType,
    index: usize,
    self_type: Option<&SelfType>,
    errors: &mut Errors,
) -> Option<Slot> {
    let mut opaque = false;
    argument.attrs.retain(|attribute| {
        let ours = attributes::is_opaque(attribute, errors);
        opaque |= ours;
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors.at(
                attribute,
                "a method with an argument that comes and goes would be two methods: put the `#[cfg]` on two functions",
            );
        }
        !ours
    });
    let resolved = match self_type {
        Some(own) => own.resolve(&argument.ty),
        None => (*argument.ty).clone(),
    };
    if self_type.is_none() && mentions_self(&argument.ty) {
        errors.at(&argument.ty, "`Self` outside an annotated `impl`: put the attribute on the `impl` block");
        return None;
    }
    let (shape, payload, ty) = slot::classify(&resolved, opaque, errors)?;
    let inside = match slot::classify(&argument.ty, opaque, &mut Errors::default()) {
        Some((.., Payload::Sized | Payload::Opaque, inside)) if payload != Payload::Slice => inside,
        _ => ty.clone(),
    };
    let binding = slot::binding(&argument.pat);
    let label = match &binding {
        Binding::Name(name) => name.to_string().trim_start_matches("r#").to_owned(),
        _ => format!("argument {}", index + 1),
    };
    let written = spell(resolved.to_token_stream());
    Some(Slot { label, binding, shape, payload, span: slot::span_of(&argument.ty), ty, inside, written })
}

fn mentions_self(ty: &Type) -> bool {
    crate::tokens::mention(ty.to_token_stream(), &syn::Ident::new("Self", Span::call_site()))
}

fn output(function: &Function, self_type: Option<&SelfType>) -> Output {
    let span = checks::result_span(&function.signature);
    match &function.signature.output {
        ReturnType::Default => {
            let nothing: Type = syn::parse_quote!(());
            Output { ty: nothing.clone(), inside: nothing, is_result: false, span }
        }
        ReturnType::Type(_, ty) => Output {
            is_result: checks::is_result(ty),
            inside: (**ty).clone(),
            ty: self_type.map_or_else(|| (**ty).clone(), |own| own.resolve(ty)),
            span,
        },
    }
}

/// The hash of all that decides what a call does, apart from the types, which the schema covers.
fn hash(function: &Function, options: &Options) -> u64 {
    let mut hash = TokenHash::new();
    for input in &function.signature.inputs {
        if let FnArg::Typed(argument) = input {
            hash.add(argument.pat.to_token_stream());
        }
    }
    let fallback = &options.fallback;
    hash.add(quote!(#fallback));
    hash.add(function.body.stream());
    hash.finish()
}
