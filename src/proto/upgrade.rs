//! What a WebSocket handshake over HTTP/1.1 has to look like (RFC 6455 §4.2.1), and what its answer carries.
//!
//! That it is a GET of HTTP/1.1 with `Upgrade: websocket` and `Connection: upgrade`, one `Host` and no body is known before
//! (`http1`): without these it is an ordinary request.

use super::connect::{Refusal, Refused, check_version, subprotocols};
use http::header::{CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode};
use tungstenite::handshake::derive_accept_key;

/// A handshake that the host may accept.
#[derive(Clone, Debug)]
pub struct Handshake<'a> {
    /// What the client offers, in its order of preference.
    pub subprotocols: Vec<&'a str>,
    /// The value of `sec-websocket-accept`.
    pub accept: HeaderValue,
}

/// Judges a handshake.
///
/// # Errors
/// The answer to give instead.
#[allow(clippy::result_large_err)] // once a refused handshake, and moved into the response at once
pub fn open(headers: &HeaderMap) -> Result<Handshake<'_>, Refused> {
    let refuse = |refusal, text: &str| Err(Refused::bad_request(refusal, text));
    let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    if host.is_none_or(|host| host.host().is_empty() || host.as_str().contains('@')) {
        return refuse(Refusal::Authority, "host is not a host with an optional port");
    }
    check_version(headers).map_err(|mut refused| {
        // RFC 6455 §4.2.2, RFC 9110 §15.5.22
        refused.status = StatusCode::UPGRADE_REQUIRED;
        refused.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        refused.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        refused
    })?;
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key.as_bytes()) => key,
        _ => return refuse(Refusal::Malformed, "not exactly one sec-websocket-key of 16 bytes in base64"),
    };
    let subprotocols = subprotocols(headers)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    let Ok(accept) = accept else { return refuse(Refusal::Malformed, "sec-websocket-key cannot be answered") };
    Ok(Handshake { subprotocols, accept })
}

/// 16 bytes in base64 (RFC 4648 §4) are 22 letters and two paddings.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24
        && key.ends_with(b"==")
        && key[..22].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// The fields of the 101 (RFC 6455 §4.2.2): the host's, which were checked, and those of the handshake.
pub fn accept_headers(mut headers: HeaderMap, accept: HeaderValue) -> HeaderMap {
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers
}
