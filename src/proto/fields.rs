//! Lists and tokens in header fields (RFC 9110 §5.6), and the fields HTTP/2 has no use for.

use http::header::{CONNECTION, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName};

/// Fields that speak of an HTTP/1.1 connection (RFC 9113 §8.2.2); `te` has a meaning in requests alone.
pub(crate) const CONNECTION_SPECIFIC: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
];

/// The elements of a list, over all lines of the field, without the white space around them; empty ones too.
pub(super) fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(trim)
}

/// `bytes` as text if they are a token (RFC 9110 §5.6.2).
pub(super) fn token(bytes: &[u8]) -> Option<&str> {
    if bytes.is_empty() || !bytes.iter().copied().all(is_token_byte) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Without optional white space: spaces and tabs only (RFC 9110 §5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_5_6_1_all_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append("list", http::HeaderValue::from_static(" a,\tb ,,c c"));
        headers.append("list", http::HeaderValue::from_static("d"));
        let name = HeaderName::from_static("list");
        let elements: Vec<&[u8]> = elements(&headers, &name).collect();
        assert_eq!(elements, [&b"a"[..], b"b", b"", b"c c", b"d"]);
    }

    #[test]
    fn rfc9110_5_6_2_a_token_has_no_delimiters_and_is_not_empty() {
        for token_text in ["a", "v1.chat", "A-Z_09", "!#$%&'*+-.^_`|~"] {
            assert_eq!(token(token_text.as_bytes()), Some(token_text));
        }
        for other in [&b""[..], b"a b", b"a/b", b"a\"", b"(a)", b"a;b", b"\xc3\xa4", b"\x7f", b"a@b"] {
            assert_eq!(token(other), None, "{other:02x?}");
        }
    }
}
