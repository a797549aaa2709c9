//! What we need to know about plain tokens: a hash and a spelling that do not depend on whitespace, and which names
//! occur.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

/// Two punctuation characters mean one operator only if they stand together; other neighbours are accidents of
/// formatting.
const OPERATORS: [&str; 21] = [
    "&&", "||", "==", "!=", "<=", ">=", "=>", "->", "..", "::", "+=", "-=", "*=", "/=", "%=", "^=", "&=",
    "|=", "<<", ">>", "<-",
];

/// A 64-bit FNV-1a over a walk of the tokens: stable across compilers, machines and formatting.
#[derive(Clone, Copy)]
pub(crate) struct TokenHash(u64);

impl TokenHash {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) const fn finish(self) -> u64 {
        self.0
    }

    pub(crate) fn add(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = delimiters(group.delimiter());
                    self.text('(', open);
                    self.add(group.stream());
                    self.text(')', close);
                }
                TokenTree::Ident(ident) => self.text('i', &ident.to_string()),
                TokenTree::Literal(literal) => self.text('l', &literal.to_string()),
                TokenTree::Punct(punct) => {
                    let joined = tokens.peek().is_some_and(|next| forms_operator(&punct, next));
                    self.text(if joined { 'j' } else { 'p' }, punct.as_char().encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn text(&mut self, kind: char, text: &str) {
        // An invisible group leaves no mark: it depends on how the tokens came here.
        if text.is_empty() && matches!(kind, '(' | ')') {
            return;
        }
        let mut kind_bytes = [0; 4];
        for byte in kind.encode_utf8(&mut kind_bytes).bytes().chain(text.bytes()).chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

fn forms_operator(first: &proc_macro2::Punct, next: &TokenTree) -> bool {
    let TokenTree::Punct(second) = next else { return false };
    first.spacing() == proc_macro2::Spacing::Joint
        && OPERATORS.iter().any(|operator| operator.chars().eq([first.as_char(), second.as_char()]))
}

/// Spells tokens in one way however they were formatted: for signatures and paths that people read.
pub(crate) fn spell(tokens: TokenStream) -> String {
    let mut text = String::new();
    spell_into(&mut text, tokens);
    text
}

fn spell_into(text: &mut String, tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = delimiters(group.delimiter());
                if text.ends_with("mut") && !open.is_empty() {
                    text.push(' ');
                }
                text.push_str(open);
                spell_into(text, group.stream());
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => text.push_str(", "),
                ';' => text.push_str("; "),
                '=' => text.push_str(" ="),
                '+' => text.push_str(" + "),
                other => text.push(other),
            },
            word => {
                if text.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '=' | '"')) {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
    // A trailing comma is formatting, too.
    if text.ends_with(", ") {
        text.truncate(text.len() - 2);
    }
}

const fn delimiters(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Whether the tokens may use a variable of this name, also within a literal, as format strings do.
pub(crate) fn mention(tokens: TokenStream, name: &Ident) -> bool {
    let plain = name.unraw().to_string();
    mentions(tokens, name, &plain)
}

fn mentions(tokens: TokenStream, name: &Ident, plain: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), name, plain),
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Literal(literal) => literal.to_string().contains(plain),
        TokenTree::Punct(_) => false,
    })
}

/// The words of a type or path joined to a part of an identifier: `vision::Recognizer` becomes `vision_Recognizer`.
pub(crate) fn mangle(tokens: TokenStream) -> String {
    let mut words = Vec::new();
    collect_words(tokens, &mut words);
    words.join("_")
}

fn collect_words(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Ident(ident) => {
                let word = ident.unraw().to_string();
                if !matches!(word.as_str(), "crate" | "self" | "super") {
                    words.push(word);
                }
            }
            TokenTree::Literal(literal) => {
                words.push(literal.to_string().replace(|c: char| !c.is_alphanumeric(), "_"));
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// The place of `span` in our own hygiene: errors point at the user's code, lints take it for generated.
pub(crate) fn generated_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The same tokens as generated ones, see [`generated_at`].
pub(crate) fn generated(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let mut inner = proc_macro2::Group::new(group.delimiter(), generated(group.stream()));
                inner.set_span(generated_at(group.span()));
                return inner.into();
            }
            token.set_span(generated_at(token.span()));
            token
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(source: &str) -> u64 {
        let mut hash = TokenHash::new();
        hash.add(source.parse().unwrap());
        hash.finish()
    }

    #[test]
    fn the_hash_sees_code_and_not_its_formatting() {
        assert_eq!(hash("{ let x=-1; f(x) }"), hash("{\n    let x = -1; // why\n    f( x )\n}"));
        assert_ne!(hash("{ f(x) }"), hash("{ f(y) }"));
        assert_ne!(hash("a && b"), hash("a & &b"));
        assert_ne!(hash("f((a, b))"), hash("f(a, b)"));
        assert_ne!(hash("a b"), hash("ab"));
        assert_ne!(hash("\"a b\""), hash("\"ab\""));
    }

    #[test]
    fn the_hash_is_the_same_on_every_machine() {
        // FNV-1a over the bytes "ia\0p+\0l1\0".
        assert_eq!(hash("a + 1"), 0x32c9_2e73_7618_1599);
    }

    #[test]
    fn spelling_does_not_depend_on_formatting() {
        let spell = |source: &str| super::spell(source.parse().unwrap());
        assert_eq!(spell("Vec < ( u8 , [ f32 ; 4 ] , ) >"), "Vec<(u8, [f32; 4])>");
        assert_eq!(spell("& mut Photo"), "&mut Photo");
        assert_eq!(spell("&mut[u8]"), "&mut [u8]");
        assert_eq!(spell("<A as B>::C"), "<A as B>::C");
        assert_eq!(spell("Box<dyn Error+Send>"), "Box<dyn Error + Send>");
    }

    #[test]
    fn names_are_found_in_macros_and_format_strings() {
        let mentions =
            |source: &str| mention(source.parse().unwrap(), &Ident::new("photo", Span::call_site()));
        assert!(mentions("{ vec![f(photo)] }"));
        assert!(mentions("{ println!(\"{photo:?}\") }"));
        assert!(!mentions("{ photograph() }"));
    }

    #[test]
    fn types_become_words() {
        let mangle = |source: &str| super::mangle(source.parse().unwrap());
        assert_eq!(mangle("crate::vision::Grid<[u8; 4]>"), "vision_Grid_u8_4");
        assert_eq!(mangle("r#type"), "type");
    }
}
