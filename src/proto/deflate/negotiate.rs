//! The handshake (RFC 7692 §5, §7.1): offers of permessage-deflate, and the answer to one of them.
//!
//! An offer that is not understood word for word is declined, and the next one is looked at: a peer may offer
//! the same extension several times, in its order of preference (§5). No offer fails the handshake.

use crate::proto::fields::{self, trim};
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};
use std::borrow::Cow;

/// The extension's registered name (RFC 7692 §9.1).
const NAME: &str = "permessage-deflate";
const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// The largest window of DEFLATE, as a power of 2 (RFC 1951 §2); what holds when none is agreed on.
const MAX_BITS: u8 = 15;
/// The smallest that RFC 7692 knows.
const MIN_BITS: u8 = 8;
/// The smallest that our compressor knows: zlib's has no raw window of 8.
const MIN_OUR_BITS: u8 = 9;

/// An offer that can be honoured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The client wants us to use no context takeover (§7.1.1.1).
    server_no_takeover: bool,
    /// The client says that it will not use it (§7.1.1.2).
    client_no_takeover: bool,
    /// The largest window that the client takes from us (§7.1.2.1), 9 to 15.
    server_bits: Option<u8>,
    /// The client lets us limit its window (§7.1.2.2), and will not use more than this, 8 to 15.
    client_bits: Option<u8>,
}

/// What we are ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The window that we compress with, 9 to 15.
    pub server_bits: u8,
    /// The window that a client may compress with, 9 to 15.
    pub client_bits: u8,
    /// Whether we keep our window from message to message.
    pub server_takeover: bool,
    /// Whether a client may.
    pub client_takeover: bool,
}

/// What holds for one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The window that we compress with, 9 to 15.
    pub server_bits: u8,
    /// The window that the client compresses with, 8 to 15.
    pub client_bits: u8,
    /// We may use our window from message to message.
    pub server_takeover: bool,
    /// The client may.
    pub client_takeover: bool,
}

/// The first offer of permessage-deflate that can be honoured.
pub fn offer(headers: &HeaderMap) -> Option<Offer> {
    // all lines are one list (RFC 6455 §9.1)
    headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .flat_map(|line| Parts::new(line.as_bytes(), b','))
        .find_map(Offer::read)
}

impl Offer {
    /// An element of the list (RFC 6455 §9.1): a name and parameters, each at most once (RFC 7692 §7.1).
    fn read(element: &[u8]) -> Option<Self> {
        let mut parts = Parts::new(element, b';').map(trim);
        if parts.next() != Some(NAME.as_bytes()) {
            return None;
        }
        let mut offer = Self::default();
        let mut any_client_bits = false;
        for part in parts {
            let (name, value) = parameter(part)?;
            match (name, value.as_deref()) {
                (SERVER_NO_TAKEOVER, None) if !offer.server_no_takeover => offer.server_no_takeover = true,
                (CLIENT_NO_TAKEOVER, None) if !offer.client_no_takeover => offer.client_no_takeover = true,
                (SERVER_BITS, Some(value)) if offer.server_bits.is_none() => offer.server_bits = Some(bits(value)?),
                (CLIENT_BITS, value) if !any_client_bits => {
                    any_client_bits = true;
                    offer.client_bits = Some(value.map_or(Some(MAX_BITS), bits)?);
                }
                _ => return None,
            }
        }
        // §7.1.2.1: a window that we cannot keep to is to be declined, not ignored
        (offer.server_bits.unwrap_or(MAX_BITS) >= MIN_OUR_BITS).then_some(offer)
    }

    /// The answer, and what then holds. Of two limits the tighter one counts.
    pub fn agree(&self, terms: &Terms) -> (HeaderValue, Agreed) {
        let agreed = Agreed {
            server_bits: self.server_bits.unwrap_or(MAX_BITS).min(terms.server_bits),
            // §7.1.2.2: a client that does not offer it cannot be told
            client_bits: self.client_bits.map_or(MAX_BITS, |bits| bits.min(terms.client_bits)),
            server_takeover: terms.server_takeover && !self.server_no_takeover,
            client_takeover: terms.client_takeover && !self.client_no_takeover,
        };
        let mut answer = NAME.to_owned();
        // both may be said without having been offered (§7.1.1.1, §7.1.1.2)
        for (say, name) in
            [(!agreed.server_takeover, SERVER_NO_TAKEOVER), (!agreed.client_takeover, CLIENT_NO_TAKEOVER)]
        {
            if say {
                answer.push_str("; ");
                answer.push_str(name);
            }
        }
        // an offer with the server's is accepted by saying it (§7.1.2.1); 15 is what holds without a word
        let server = (self.server_bits.is_some() || agreed.server_bits < MAX_BITS).then_some(agreed.server_bits);
        let client = (agreed.client_bits < MAX_BITS).then_some(agreed.client_bits);
        for (bits, name) in [(server, SERVER_BITS), (client, CLIENT_BITS)] {
            if let Some(bits) = bits {
                answer.push_str(&format!("; {name}={bits}"));
            }
        }
        (HeaderValue::from_str(&answer).expect("names and numbers are a header value"), agreed)
    }
}

/// A parameter: `name`, `name=token` or `name="token"`, quoted or not the same (RFC 6455 §9.1).
fn parameter(part: &[u8]) -> Option<(&str, Option<Cow<'_, str>>)> {
    let Some(at) = part.iter().position(|byte| *byte == b'=') else {
        return Some((fields::token(part)?, None));
    };
    let (name, value) = (fields::token(trim(&part[..at]))?, trim(&part[at + 1..]));
    let [b'"', inner @ .., b'"'] = value else {
        return Some((name, Some(fields::token(value)?.into())));
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'\\' => bytes.push(*rest.next()?),
            b'"' => return None,
            _ => bytes.push(byte),
        }
    }
    // RFC 6455 §9.1: what stands in the quotes is to be a token too
    Some((name, Some(fields::token(&bytes)?.to_owned().into())))
}

/// 8 to 15, decimal, without leading zeros (RFC 7692 §7.1.2.1).
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (MIN_BITS..=MAX_BITS).contains(bits))?;
    (value.as_bytes()[0].is_ascii_digit() && value.as_bytes()[0] != b'0').then_some(bits)
}

/// What stands between separators that are not inside a quoted string (RFC 9110 §5.6.4).
struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Parts<'a> {
    fn new(bytes: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(bytes), separator }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (mut quoted, mut escaped) = (false, false);
        for (at, &byte) in rest.iter().enumerate() {
            if escaped {
                escaped = false;
            } else if quoted && byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                quoted = !quoted;
            } else if byte == self.separator && !quoted {
                self.rest = Some(&rest[at + 1..]);
                return Some(&rest[..at]);
            }
        }
        self.rest = None;
        Some(rest)
    }
}
