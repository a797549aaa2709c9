//! The one line that a server prints and a device is given.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::credential::{AccessToken, CredentialError, ServerKey};

const SCHEME: &str = "outboard://";

/// Where a server is, the key it must have, and the token that opens it:
/// `outboard://host:port#<server key>.<access token>`.
///
/// It holds a secret, so `Debug` hides the token. `Display` shows all of it, because that is the line to copy.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Where it is.
    pub host: Host,
    /// Its UDP port.
    pub port: u16,
    /// The key it must have.
    pub key: ServerKey,
    /// What opens it.
    pub token: AccessToken,
}

/// A host, by name or by address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, resolved at each connection attempt.
    Name(HostName),
    /// An address. IPv6 is written in brackets.
    Ip(IpAddr),
}

/// A host name: letters, digits, `-`, `_` and `.`, at most 253 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

/// A text is not a server address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is empty.
    #[error("the server address is empty: copy the line that `serve` prints")]
    Empty,
    /// It starts with something else.
    #[error("a server address starts with `{SCHEME}`: copy the whole line that `serve` prints")]
    Scheme,
    /// Nothing follows the port.
    #[error(
        "the server address has no `#<server key>.<access token>`: copy the whole line that `serve` prints, \
         and quote it, because a shell may take `#` for a comment"
    )]
    NoFragment,
    /// The host is missing.
    #[error("the server address has no host: write `{SCHEME}host:port#…`")]
    NoHost,
    /// The host is not one.
    #[error(
        "`{0}` is not a host: give a name of letters, digits, `-`, `_` and `.`, an IPv4 address, \
         or an IPv6 address in brackets"
    )]
    Host(String),
    /// An IPv6 address without brackets.
    #[error("the IPv6 address `{0}` needs brackets: write `{SCHEME}[{0}]:port#…`")]
    Brackets(Ipv6Addr),
    /// There is no port.
    #[error("the server address has no port: write `{SCHEME}host:port#…`")]
    NoPort,
    /// The port is not one.
    #[error("`{0}` is not a port: give a number from 1 to 65535")]
    Port(String),
    /// There is no dot between key and token, so no token.
    #[error(
        "the server address has no access token: after the key comes `.` and the token, as `serve` prints it"
    )]
    NoToken,
    /// The key is malformed.
    #[error("the server key {0}: copy the whole line that `serve` prints")]
    Key(#[source] CredentialError),
    /// The token is malformed.
    #[error("the access token {0}: copy the whole line that `serve` prints")]
    Token(#[source] CredentialError),
}

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // A copied line often ends in a line break.
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(AddressError::Scheme)?;
        let (place, secrets) = rest.split_once('#').ok_or(AddressError::NoFragment)?;
        let (host, port) = split_port(place)?;
        let host = host.parse()?;
        let port = match port.parse() {
            Ok(number) if number != 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => number,
            _ => return Err(AddressError::Port(port.to_owned())),
        };
        let (key, token) = secrets.split_once('.').ok_or(AddressError::NoToken)?;
        Ok(Self {
            host,
            port,
            key: key.parse().map_err(AddressError::Key)?,
            token: token.parse().map_err(AddressError::Token)?,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}#{}.{}", self.host, self.port, self.key, self.token.reveal())
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}#{}.(hidden)", self.host, self.port, self.key)
    }
}

impl FromStr for Host {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::NoHost);
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let address = inner.parse::<Ipv6Addr>().map_err(|_| AddressError::Host(text.to_owned()))?;
            return Ok(Self::Ip(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Ip(address.into()));
        }
        if is_host_name(text) {
            return Ok(Self::Name(HostName(text.to_owned())));
        }
        Err(text.parse().map_or_else(|_| AddressError::Host(text.to_owned()), AddressError::Brackets))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&name.0),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

/// Splits at the last colon that is not within brackets.
fn split_port(place: &str) -> Result<(&str, &str), AddressError> {
    if let Ok(address) = place.parse::<Ipv6Addr>() {
        return Err(AddressError::Brackets(address));
    }
    match place.rsplit_once(':') {
        Some((_, port)) if port.ends_with(']') => Err(AddressError::NoPort),
        Some((_, "")) | None => Err(AddressError::NoPort),
        Some((host, port)) => match host.parse::<Ipv6Addr>() {
            Ok(address) => Err(AddressError::Brackets(address)),
            Err(_) => Ok((host, port)),
        },
    }
}

fn is_host_name(text: &str) -> bool {
    let part_is_good = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    // All digits and dots is a mistyped IPv4 address, which a resolver would read in surprising ways.
    text.len() <= 253
        && text.strip_suffix('.').unwrap_or(text).split('.').all(part_is_good)
        && !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn address(place: &str) -> Result<ServerAddress, AddressError> {
        format!("outboard://{place}#{KEY}.{TOKEN}").parse()
    }

    #[test]
    fn names_and_addresses_are_read_and_printed_alike() {
        for place in ["edge.local:4433", "localhost:1", "192.0.2.7:65535", "[::1]:4433", "[2001:db8::7]:4433"]
        {
            let parsed = address(place).unwrap();
            assert_eq!(parsed.to_string(), format!("outboard://{place}#{KEY}.{TOKEN}"));
        }
        assert_eq!(address("[::1]:1").unwrap().host, Host::Ip(Ipv6Addr::LOCALHOST.into()));
    }

    #[test]
    fn space_around_a_copied_line_does_no_harm() {
        let text = format!("  outboard://edge:4433#{KEY}.{TOKEN}\n");
        assert_eq!(text.parse::<ServerAddress>().unwrap(), address("edge:4433").unwrap());
    }

    #[test]
    fn every_malformed_part_has_its_own_error() {
        use AddressError as E;
        let host = |text: &str| E::Host(text.into());
        let port = |text: &str| E::Port(text.into());
        let cases: [(&str, AddressError); 18] = [
            ("", E::NoPort),
            (":4433", E::NoHost),
            ("edge", E::NoPort),
            ("edge:", E::NoPort),
            ("edge:0", port("0")),
            ("edge:65536", port("65536")),
            ("edge:+1", port("+1")),
            ("edge:4433/path", port("4433/path")),
            ("user@edge:4433", host("user@edge")),
            ("-edge:4433", host("-edge")),
            ("ed ge:4433", host("ed ge")),
            ("bücher.example:4433", host("bücher.example")),
            ("1.2.3:4433", host("1.2.3")),
            ("[::1:4433", host("[::1")),
            ("[::1]", E::NoPort),
            ("[fe80::1%eth0]:4433", host("[fe80::1%eth0]")),
            ("2001:db8::7", E::Brackets("2001:db8::7".parse().unwrap())),
            ("a..b:4433", host("a..b")),
        ];
        for (place, expected) in cases {
            assert_eq!(address(place).unwrap_err(), expected, "{place}");
        }
    }

    #[test]
    fn a_missing_or_malformed_secret_has_its_own_error() {
        use AddressError as E;
        let parse = |text: &str| text.parse::<ServerAddress>().unwrap_err();
        assert_eq!(parse(" "), E::Empty);
        assert_eq!(parse(&format!("https://edge:4433#{KEY}.{TOKEN}")), E::Scheme);
        assert_eq!(parse("outboard://edge:4433"), E::NoFragment);
        assert_eq!(parse(&format!("outboard://edge:4433#{KEY}")), E::NoToken);
        assert_eq!(
            parse(&format!("outboard://edge:4433#AAAA.{TOKEN}")),
            E::Key(CredentialError::Length { found: 4, expected: 43 })
        );
        assert_eq!(
            parse(&format!("outboard://edge:4433#{KEY}.{TOKEN}.")),
            E::Token(CredentialError::Length { found: 23, expected: 22 })
        );
    }

    #[test]
    fn debug_output_hides_the_token() {
        let shown = format!("{:?}", address("edge:4433").unwrap());
        assert!(shown.contains(KEY) && !shown.contains(TOKEN), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(outboard://)?[\\[\\]:.#%a-f0-9é-]{0,40}") {
            let _ = text.parse::<ServerAddress>();
        }

        #[test]
        fn what_is_printed_is_read_again(host in any::<IpAddr>(), port in 1..=u16::MAX) {
            let printed = ServerAddress { host: host.into(), port, ..address("edge:1").unwrap() };
            prop_assert_eq!(printed.to_string().parse::<ServerAddress>().unwrap(), printed);
        }
    }
}
