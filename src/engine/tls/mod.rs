//! TLS: certificates and keys, what a handshake came to, and the stream. On `rustls`, with `ring`'s cryptography.

pub(crate) mod handshake;
pub(crate) mod info;
pub(crate) mod stream;

use std::sync::Arc;

/// A TLS configuration. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<rustls::ServerConfig>,
}

impl Tls {
    /// What a new handshake is done with.
    pub(crate) fn server_config(&self, http1: bool, http2: bool) -> Arc<rustls::ServerConfig> {
        let _ = (http1, http2);
        Arc::clone(&self.config)
    }
}
