//! What an attribute was put on, parsed as far as we need it.
//!
//! Bodies stay the tokens they were: the compiler then reports on exactly what the user wrote, and syntax that is
//! newer than our parser passes through.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{AttrStyle, Attribute, ImplItem, ItemFn, ItemImpl, Signature, Token, Visibility};

/// An item that an attribute may stand on.
pub(crate) enum Item {
    Function(Function),
    Impl(Impl),
}

/// A function, or a method of an annotated `impl`.
#[derive(Clone)]
pub(crate) struct Function {
    /// Outer attributes, ours included until they are taken.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

/// An `impl` block.
pub(crate) struct Impl {
    /// The block without its items.
    pub(crate) header: ItemImpl,
    pub(crate) items: Vec<Member>,
}

/// An item of an `impl` block.
pub(crate) enum Member {
    Function(Box<Function>),
    Other(Box<ImplItem>),
}

impl Item {
    /// Parses the item below an attribute; the error says where `attribute` may stand.
    pub(crate) fn parse(tokens: TokenStream, attribute: &str) -> syn::Result<Self> {
        let (header, body) = split_body(tokens.clone());
        let header = quote!(#header {});
        if let Some(body) = body {
            if let Ok(header) = syn::parse2::<ItemImpl>(header.clone()) {
                return Impl::parse(header, &body).map(Self::Impl);
            }
            if let Ok(function) = syn::parse2::<ItemFn>(header) {
                return Ok(Self::Function(Function {
                    attributes: function.attrs,
                    visibility: function.vis,
                    defaultness: None,
                    signature: function.sig,
                    body,
                }));
            }
        }
        Err(not_an_item(tokens, attribute))
    }
}

impl Impl {
    fn parse(mut header: ItemImpl, body: &Group) -> syn::Result<Self> {
        let read = |input: ParseStream<'_>| Ok((Attribute::parse_inner(input)?, parse_members(input)?));
        let (inner, items) = read.parse2(body.stream())?;
        // The same attribute outside the braces means the same, and there it survives the rewriting of the block.
        header
            .attrs
            .extend(inner.into_iter().map(|attribute| Attribute { style: AttrStyle::Outer, ..attribute }));
        header.brace_token.span = body.delim_span();
        Ok(Self { header, items })
    }

    /// The trait that it implements.
    pub(crate) fn trait_path(&self) -> Option<&syn::Path> {
        self.header.trait_.as_ref().map(|(path, _)| path)
    }

    /// The block around `items`, which replace its own.
    pub(crate) fn with_items(&self, items: &TokenStream) -> TokenStream {
        let mut tokens: Vec<TokenTree> = self.header.to_token_stream().into_iter().collect();
        let mut block = Group::new(Delimiter::Brace, items.clone());
        block.set_span(self.header.brace_token.span.join());
        // The header was parsed with an empty block behind it, which is the last token it prints.
        tokens.pop();
        tokens.push(block.into());
        tokens.into_iter().collect()
    }
}

impl Function {
    /// The item without what only we understand, for when it is refused: its other mistakes then show as ever.
    pub(crate) fn plain(&self) -> Self {
        let mut plain = self.clone();
        for input in &mut plain.signature.inputs {
            if let syn::FnArg::Typed(argument) = input {
                argument.attrs.retain(|attribute| !attribute.path().is_ident("state"));
            }
        }
        plain
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, defaultness, signature, body } = self;
        tokens.extend(quote!(#(#attributes)* #visibility #defaultness #signature #body));
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(function) => function.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
        }
    }
}

fn parse_members(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut members = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        let is_method = parse_method_head(&ahead).is_ok_and(|_| ahead.peek(syn::token::Brace));
        members.push(if is_method {
            let (attributes, visibility, defaultness, signature) = parse_method_head(input)?;
            let body = input.parse::<Group>()?;
            Member::Function(Box::new(Function { attributes, visibility, defaultness, signature, body }))
        } else {
            Member::Other(Box::new(input.parse()?))
        });
    }
    Ok(members)
}

type MethodHead = (Vec<Attribute>, Visibility, Option<Token![default]>, Signature);

fn parse_method_head(input: ParseStream<'_>) -> syn::Result<MethodHead> {
    let attributes = Attribute::parse_outer(input)?;
    let visibility = Visibility::parse(input)?;
    let defaultness = if input.peek(Token![default]) { Some(input.parse()?) } else { None };
    Ok((attributes, visibility, defaultness, input.parse()?))
}

/// Splits off the block at the end. A block that came through a `macro_rules!` fragment sits in an invisible group.
fn split_body(tokens: TokenStream) -> (TokenStream, Option<Group>) {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let body = tokens.pop().and_then(visible_block);
    (tokens.into_iter().collect(), body)
}

fn visible_block(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let block = inner.next().and_then(visible_block);
            if inner.next().is_none() { block } else { None }
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

fn not_an_item(tokens: TokenStream, attribute: &str) -> syn::Error {
    // What the compiler's own parser would refuse is better told by syn.
    let place = match syn::parse2::<syn::Item>(tokens) {
        Err(error) => return error,
        Ok(syn::Item::Trait(item)) => {
            return syn::Error::new_spanned(
                item.trait_token,
                format!(
                    "a trait has no code to run elsewhere: put `#[{attribute}]` on the `impl` blocks of the trait"
                ),
            );
        }
        Ok(item) => item,
    };
    syn::Error::new_spanned(
        place,
        format!("`#[{attribute}]` goes on a function or an `impl` block, and this is neither"),
    )
}
