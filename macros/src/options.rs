//! The options in the parentheses of an attribute, and how those of an `impl` and of its methods come together.

use std::time::Duration;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::errors::Errors;

/// Where a set of options was written, which decides what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// `#[remoteable(…)]` on a function or a method.
    Remoteable,
    /// `#[remoteable(…)]` on an `impl`: what makes sense for all its methods.
    RemoteableImpl,
    /// `#[outboard::device(…)]` on a function or a method.
    Device,
    /// `#[outboard::device(…)]` on an `impl`.
    DeviceImpl,
}

impl Site {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Remoteable | Self::RemoteableImpl => "remoteable",
            Self::Device | Self::DeviceImpl => "outboard::device",
        }
    }

    const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Remoteable => {
                &["name", "work", "deadline", "once", "remote_only", "fallback", "hedge", "compatible"]
            }
            Self::RemoteableImpl => &["deadline", "once", "remote_only", "hedge", "compatible"],
            Self::Device => &["name", "compatible"],
            Self::DeviceImpl => &["compatible"],
        }
    }
}

/// The options of one attribute; flags keep the place where they were written.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) work: Option<Expr>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) once: Option<Span>,
    pub(crate) remote_only: Option<Span>,
    pub(crate) fallback: Option<Path>,
    pub(crate) hedge: Option<Hedge>,
    hedge_at: Option<Span>,
    pub(crate) compatible: Option<Span>,
}

/// When a call is run on the device beside an attempt, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hedge {
    Never,
    Late,
    Always,
}

impl Options {
    /// Reads the tokens between the parentheses. What is wrong goes to `errors`, the rest is kept.
    pub(crate) fn parse(tokens: TokenStream, site: Site, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = options.parse_one(input, site, &mut seen) {
                    errors.push(error);
                    skip_to_comma(input);
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            errors.push(error);
        }
        options.check_hedge(errors);
        options
    }

    /// A hedge runs the method's own body, a second time perhaps.
    fn check_hedge(&self, errors: &mut Errors) {
        let Some((span, Hedge::Late | Hedge::Always)) = self.hedge_at.zip(self.hedge) else { return };
        let why = if self.once.is_some() {
            "`hedge` runs a call on the device and on a server, which `once` forbids: remove one of them"
        } else if self.remote_only.is_some() {
            "`hedge` runs a call on the device too, which `remote_only` says it cannot: remove one of them"
        } else if self.fallback.is_some() {
            "`hedge` and `fallback` both stand in for a late server: remove one of them"
        } else {
            return;
        };
        errors.push(syn::Error::new(span, why));
    }

    fn parse_one(&mut self, input: ParseStream<'_>, site: Site, seen: &mut Vec<Ident>) -> syn::Result<()> {
        let key = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(
                error.span(),
                format!("expected an option of `{}`: {}", site.attribute(), list(site)),
            )
        })?;
        let text = key.to_string();
        let attribute = site.attribute();
        if seen.contains(&key) {
            return Err(syn::Error::new(key.span(), format!("`{text}` is given twice: remove one of them")));
        }
        if !site.allowed().contains(&text.as_str()) {
            return Err(syn::Error::new(key.span(), not_allowed(&text, site)));
        }
        let flag = Some(key.span());
        let wants_value = matches!(text.as_str(), "name" | "work" | "deadline" | "fallback" | "hedge");
        if wants_value != input.peek(Token![=]) {
            let message = if wants_value {
                format!("`{text}` takes a value: write `#[{attribute}({text} = {})]`", example(&text))
            } else {
                format!("`{text}` takes no value: write `#[{attribute}({text})]`")
            };
            return Err(syn::Error::new(key.span(), message));
        }
        if wants_value {
            input.parse::<Token![=]>()?;
        }
        match text.as_str() {
            "name" => self.name = Some(parse_name(input)?),
            "work" => self.work = Some(input.parse()?),
            "deadline" => self.deadline = Some(parse_deadline(input)?),
            "fallback" => self.fallback = Some(input.parse()?),
            "hedge" => {
                self.hedge = Some(Hedge::parse(input)?);
                self.hedge_at = flag;
            }
            "once" => self.once = flag,
            "remote_only" => self.remote_only = flag,
            _ => self.compatible = flag,
        }
        seen.push(key);
        Ok(())
    }

    /// These options with those of the surrounding `impl` where they say nothing. A method on the device takes over
    /// only what means something there.
    pub(crate) fn refine(mut self, of_impl: &Self, device: bool) -> Self {
        self.compatible = self.compatible.or(of_impl.compatible);
        if !device {
            self.deadline = self.deadline.or(of_impl.deadline);
            self.once = self.once.or(of_impl.once);
            self.hedge = self.hedge.or(of_impl.hedge);
            self.remote_only = self.remote_only.or(of_impl.remote_only);
        }
        self
    }

    /// The option that makes the call return an error of ours, so that the result has to be a `Result`.
    pub(crate) fn needs_result(&self) -> Option<(&'static str, Span)> {
        match (self.once, self.remote_only) {
            (Some(span), _) => Some(("once", span)),
            (None, Some(span)) if self.fallback.is_none() => Some(("remote_only", span)),
            _ => None,
        }
    }
}

fn parse_name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name: LitStr = input.parse()?;
    if name.value().trim().is_empty() {
        return Err(syn::Error::new(
            name.span(),
            "the name is empty: give one that stays the same when the method is renamed or moved",
        ));
    }
    Ok(name)
}

impl Hedge {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word: Option<Ident> = input.call(Ident::parse_any).ok();
        match word.as_ref().map(ToString::to_string).as_deref() {
            Some("never") => Ok(Self::Never),
            Some("late") => Ok(Self::Late),
            Some("always") => Ok(Self::Always),
            _ => {
                let span = word.map_or_else(|| input.span(), |word| word.span());
                Err(syn::Error::new(span, "`hedge` is `never`, `late` or `always`"))
            }
        }
    }
}

fn parse_deadline(input: ParseStream<'_>) -> syn::Result<Duration> {
    let text: LitStr = input.parse()?;
    duration(&text.value()).ok_or_else(|| {
        syn::Error::new(
            text.span(),
            "a deadline is a whole number above zero with its unit: \"250ms\", \"2s\" or \"1min\"",
        )
    })
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => return None,
    };
    let total = number.parse::<u64>().ok()?.checked_mul(milliseconds)?;
    (total > 0).then(|| Duration::from_millis(total))
}

fn example(option: &str) -> &'static str {
    match option {
        "name" => "\"find-match\"",
        "work" => "photo.len()",
        "deadline" => "\"2s\"",
        "hedge" => "late",
        _ => "find_match_roughly",
    }
}

fn list(site: Site) -> String {
    site.allowed().iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ")
}

fn not_allowed(option: &str, site: Site) -> String {
    let attribute = site.attribute();
    let known = Site::Remoteable.allowed().contains(&option);
    match site {
        Site::RemoteableImpl | Site::DeviceImpl if known => {
            format!(
                "`{option}` belongs to one method: write it on the method; on an `impl` there may be {}",
                list(site)
            )
        }
        Site::Device if known => format!(
            "`{option}` means nothing for a method that always runs on the device: remove it, or use `#[remoteable]`"
        ),
        _ => format!("`{attribute}` has no option `{option}`: there are {}", list(site)),
    }
}

/// Goes on behind a mistake, so that the options after it are checked too.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn mistakes(tokens: TokenStream, site: Site) -> Vec<String> {
        let mut errors = Errors::default();
        Options::parse(tokens, site, &mut errors);
        errors.messages()
    }

    #[test]
    fn reads_every_option() {
        let mut errors = Errors::default();
        let tokens = quote!(
            name = "match",
            work = a.len() * b.len(),
            deadline = "250ms",
            once,
            remote_only,
            fallback = roughly::find,
            hedge = never,
            compatible,
        );
        let options = Options::parse(tokens, Site::Remoteable, &mut errors);
        assert!(errors.messages().is_empty());
        assert_eq!(options.name.unwrap().value(), "match");
        assert_eq!(options.deadline, Some(Duration::from_millis(250)));
        assert!(options.work.is_some() && options.fallback.is_some());
        assert_eq!(options.hedge, Some(Hedge::Never));
        assert!(options.once.is_some() && options.remote_only.is_some() && options.compatible.is_some());
    }

    #[test]
    fn reports_all_mistakes_of_one_attribute() {
        let found =
            mistakes(quote!(onse, name, once = 1, deadline = "2 weeks", once, once), Site::Remoteable);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].contains("no option `onse`"));
        assert!(found[1].contains("takes a value"));
        assert!(found[2].contains("takes no value"));
        assert!(found[3].contains("250ms"));
        assert!(found[4].contains("twice"));
    }

    #[test]
    fn an_impl_takes_only_what_all_methods_share() {
        assert_eq!(mistakes(quote!(deadline = "2s", compatible), Site::RemoteableImpl), Vec::<String>::new());
        let found = mistakes(quote!(name = "x", work = 3), Site::RemoteableImpl);
        assert!(found.iter().all(|message| message.contains("belongs to one method")), "{found:?}");
        assert_eq!(found.len(), 2);
        assert!(mistakes(quote!(once), Site::Device)[0].contains("always runs on the device"));
    }

    #[test]
    fn a_hedge_is_one_of_three_words_and_of_a_method_that_may_run_twice_and_here() {
        let found = mistakes(quote!(hedge = sometimes), Site::Remoteable);
        assert_eq!(found, ["`hedge` is `never`, `late` or `always`"]);
        for (option, told) in [
            (quote!(once), "`once` forbids"),
            (quote!(remote_only), "`remote_only` says it cannot"),
            (quote!(fallback = a), "stand in"),
        ] {
            assert!(mistakes(quote!(hedge = late, #option), Site::Remoteable)[0].contains(told));
            assert!(mistakes(quote!(hedge = never, #option), Site::Remoteable).is_empty());
        }
    }

    #[test]
    fn deadlines_are_whole_and_above_zero() {
        assert_eq!(duration("2s"), Some(Duration::from_secs(2)));
        assert_eq!(duration("1 min"), Some(Duration::from_secs(60)));
        for wrong in ["", "2", "s", "0s", "-1s", "1.5s", "18446744073709551615min"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
