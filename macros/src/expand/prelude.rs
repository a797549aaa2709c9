//! The user's item with our check in front of its body.
//!
//! The body stays the block it was, inside a block of ours: what it declares cannot hide the names that our check
//! uses, and its own errors and lints stay where they were.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::Parser as _;
use syn::{Attribute, FnArg, Pat};

use super::codec::Site;
use super::{codec, private, private_at};
use crate::attributes::is_lint_level;
use crate::model::{Binding, Method, Shape, Slot};
use crate::tokens::{generated_at, mention};

pub(super) fn item(method: &Method) -> TokenStream {
    let mut function = method.function.clone();
    let split = |input: syn::parse::ParseStream<'_>| {
        Ok((Attribute::parse_inner(input)?, input.parse::<TokenStream>()?))
    };
    // A body whose inner attributes cannot be read goes through as it is, and the compiler reports it.
    let (inner, body) =
        split.parse2(function.body.stream()).unwrap_or_else(|_| (Vec::new(), function.body.stream()));
    let arguments = rebind(method, &mut function.signature.inputs, &body);
    let Arguments { before, after, bindings, passed } = arguments;
    let check = check(method, &passed);
    // A block of the user's as the last expression of ours would be reported as having needless braces.
    let body = block(body, generated_at(function.body.span()));
    let rest = if method.is_async() {
        asynchronous(method, &passed, &bindings, &body)
    } else {
        let fallback = method.options.fallback.as_ref().map(|path| {
            let arguments = plain(&passed);
            quote!(if outboard_frame.wants_fallback() { return #path(#(#arguments),*); })
        });
        quote!(#fallback #(#bindings)* #body)
    };
    let statements = quote!(#(#inner)* #(#before)* #check #(#after)* #rest);
    let outer = block(statements, function.body.span());
    let (attributes, visibility, defaultness, signature) =
        (&function.attributes, &function.visibility, &function.defaultness, &function.signature);
    quote!(#(#attributes)* #visibility #defaultness #signature #outer)
}

fn block(tokens: TokenStream, span: Span) -> TokenStream {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    TokenTree::from(block).into()
}

/// The frame of the call: run here, or tried on a server first.
fn check(method: &Method, passed: &[Passed<'_>]) -> TokenStream {
    let private = private();
    let name = method.static_name();
    let (prefix, asynchronous) = if method.is_async() { ("Async", true) } else { ("", false) };
    let frame_type = format_ident!("{prefix}Frame");
    let entry_type = format_ident!("{prefix}Entry");
    let suffix = if asynchronous { "_async" } else { "" };
    let enter = match &method.options.work {
        None => {
            let enter = format_ident!("enter{suffix}");
            quote!(#private::#enter(&#name))
        }
        Some(work) => {
            let enter = format_ident!("enter{suffix}_with_work");
            quote!(#private::#enter(&#name, || #private::work(#work)))
        }
    };
    let wait = asynchronous.then(|| quote!(.await));
    // What is missing of the result's type shows at the path of the function.
    let span = generated_at(method.output.span);
    let [attempt_type, run] =
        [format!("{prefix}Attempt"), if method.is_fallible() { "run_fallible" } else { "run" }.to_owned()]
            .map(|name| Ident::new(&name, span));
    let at_result = private_at(span);
    let run = quote_spanned!(span=> #at_result::#attempt_type::#run);
    let slots = passed.iter().rev().fold(quote!(()), |rest, slot| {
        let slot = slot.make();
        quote!((#slot, #rest))
    });
    let output = codec::of_output(method, Site::Inside);
    let consult = quote! {
        match #enter {
            #private::#entry_type::Local(outboard_frame) => outboard_frame,
            #private::#entry_type::Remote(outboard_attempt) => {
                use #private::tiers::*;
                match #run(outboard_attempt, #slots, #output)#wait {
                    ::core::result::Result::Ok(outboard_result) => return outboard_result,
                    ::core::result::Result::Err(outboard_frame) => outboard_frame,
                }
            }
        }
    };
    // What cannot run here at all asks the runtime even where none was started.
    let frame = if method.options.remote_only.is_some() {
        consult
    } else {
        quote!(if #name.is_idle() { #private::#frame_type::none() } else { #consult })
    };
    let underscored = passed.iter().any(|slot| slot.variable.to_string().starts_with('_')).then(|| {
        quote!(#[allow(clippy::used_underscore_binding, reason = "the call takes the argument, the body does not")])
    });
    quote!(#underscored let outboard_frame = #frame;)
}

fn asynchronous(
    method: &Method,
    passed: &[Passed<'_>],
    bindings: &[TokenStream],
    body: &TokenStream,
) -> TokenStream {
    let output = &method.output.inside;
    let (ask, fallback) = match &method.options.fallback {
        None => (None, None),
        Some(path) => {
            let arguments = plain(passed);
            (
                Some(quote!(let outboard_stand_in = outboard_frame.wants_fallback();)),
                Some(quote!(if outboard_stand_in { return #path(#(#arguments),*).await; })),
            )
        }
    };
    quote! {
        #ask
        outboard_frame.scope::<#output, _>(async move { #fallback #(#bindings)* #body }).await
    }
}

/// A slot and the variable that holds it.
struct Passed<'a> {
    slot: &'a Slot,
    variable: TokenStream,
}

impl Passed<'_> {
    /// The slot maker's call.
    fn make(&self) -> TokenStream {
        let variable = &self.variable;
        let codec = codec::of_slot(self.slot, Site::Inside);
        let span = generated_at(self.slot.span);
        let (private, maker) = (private_at(span), Ident::new(self.slot.shape.maker(), span));
        let place = match (self.slot.shape, &self.slot.binding) {
            (Shape::Value, _) => quote!(&#variable),
            (Shape::Shared, Binding::Receiver) => quote!(&*#variable),
            (Shape::Shared | Shape::SharedOption, _) => quote!(#variable),
            (Shape::Exclusive | Shape::ExclusiveSlice, _) => quote!(&mut *#variable),
            (Shape::ExclusiveOption, _) => quote!(#variable.as_deref_mut()),
        };
        quote_spanned!(span=> #private::#maker(#place, #codec))
    }
}

/// The variables as arguments of a function of the same signature.
fn plain<'a>(passed: &'a [Passed<'_>]) -> impl Iterator<Item = &'a TokenStream> {
    passed.iter().map(|slot| &slot.variable)
}

/// How the parameters get to the check and from there to the body.
struct Arguments<'a> {
    /// Statements before the check.
    before: Vec<TokenStream>,
    /// Statements behind it.
    after: Vec<TokenStream>,
    /// The bindings of the body, directly before it.
    bindings: Vec<TokenStream>,
    passed: Vec<Passed<'a>>,
}

/// Renames what the check cannot use as it stands, and binds it again for the body.
///
/// Bound again are patterns; with them all parameters, since they are dropped in the reverse order of their binding;
/// by-value parameters of an `async fn`, whose block would drop them in the order of their use; and names that the
/// body does not mention, because our check uses them and the compiler could not report them as unused any more.
fn rebind<'a>(
    method: &'a Method,
    inputs: &mut syn::punctuated::Punctuated<FnArg, syn::Token![,]>,
    body: &TokenStream,
) -> Arguments<'a> {
    let mut arguments =
        Arguments { before: Vec::new(), after: Vec::new(), bindings: Vec::new(), passed: Vec::new() };
    let any_pattern = method.slots.iter().any(|slot| matches!(slot.binding, Binding::Pattern));
    for (index, (slot, input)) in method.slots.iter().zip(inputs).enumerate() {
        let FnArg::Typed(argument) = input else {
            arguments.passed.push(Passed { slot, variable: self_token(input) });
            continue;
        };
        let user_pattern = argument.pat.clone();
        let variable = match &slot.binding {
            Binding::Name(name) => quote!(#name),
            _ => {
                let name = format_ident!("argument_{}", index + 1, span = Span::mixed_site());
                quote!(#name)
            }
        };
        let optional = slot.shape == Shape::ExclusiveOption;
        let again = any_pattern
            || optional
            || (method.is_async() && slot.shape == Shape::Value)
            || matches!(&slot.binding, Binding::Name(name) if reports_unused(name) && !mention(body.clone(), name));
        if again {
            let (lints, kept) = argument.attrs.drain(..).partition(is_lint_level);
            argument.attrs = kept;
            *argument.pat = parameter(&variable);
            arguments.bindings.push(bind(&user_pattern, &variable, &lints));
        }
        if optional {
            // Reborrowing an option needs a place that may change.
            let lent = format_ident!("lent_{}", index + 1, span = Span::mixed_site());
            arguments.before.push(quote!(let mut #lent = #variable;));
            arguments.after.push(quote!(let #variable = #lent;));
            arguments.passed.push(Passed { slot, variable: quote!(#lent) });
        } else {
            arguments.passed.push(Passed { slot, variable });
        }
    }
    arguments
}

fn reports_unused(name: &Ident) -> bool {
    !name.to_string().starts_with('_')
}

fn bind(pattern: &Pat, variable: &TokenStream, lints: &[Attribute]) -> TokenStream {
    quote! {
        #(#lints)*
        #[allow(clippy::redundant_locals, clippy::shadow_same, reason = "it orders drops and shows unused names")]
        let #pattern = #variable;
    }
}

fn parameter(variable: &TokenStream) -> Pat {
    // A single name always is a pattern.
    Pat::Verbatim(variable.clone())
}

/// The user's own `self`, whose hygiene the receiver has.
fn self_token(input: &FnArg) -> TokenStream {
    match input {
        FnArg::Receiver(receiver) => TokenTree::from(Ident::new("self", receiver.self_token.span)).into(),
        FnArg::Typed(_) => TokenStream::new(),
    }
}
