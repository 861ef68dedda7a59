//! What a handshake came to, for the host.

use rustls::{HandshakeKind, ProtocolVersion, ServerConnection};
use std::borrow::Cow;

/// The TLS of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: Cow<'static, str>,
    /// The cipher suite by its IANA name, as `TLS13_AES_128_GCM_SHA256`.
    pub cipher: Cow<'static, str>,
    /// The name that the client asked for (SNI, RFC 6066 §3).
    pub server_name: Option<String>,
    /// The protocol agreed on by ALPN (RFC 7301): `h2` or `http/1.1`.
    pub alpn: Option<&'static str>,
    /// The client's certificate chain in DER, its own first. Empty: it sent none.
    pub peer_certificates: Vec<Vec<u8>>,
    /// An earlier session was resumed.
    pub resumed: bool,
}

impl TlsInfo {
    /// The protocol of this name, if it is one that h2ws speaks.
    pub fn known_alpn(name: &[u8]) -> Option<&'static str> {
        match name {
            b"h2" => Some("h2"),
            b"http/1.1" => Some("http/1.1"),
            _ => None,
        }
    }

    /// Of a session whose handshake is complete.
    pub(crate) fn of(session: &ServerConnection) -> Self {
        Self {
            version: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".into(),
                _ => "TLSv1.2".into(),
            },
            cipher: session.negotiated_cipher_suite().and_then(|c| c.suite().as_str()).unwrap_or("").into(),
            server_name: session.server_name().map(str::to_owned),
            alpn: session.alpn_protocol().and_then(Self::known_alpn),
            peer_certificates: session.peer_certificates().unwrap_or(&[]).iter().map(|c| c.to_vec()).collect(),
            resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }
}
