//! TLS: certificates and keys, what a handshake came to, and the stream. On `rustls`, with `ring`'s cryptography.

pub(crate) mod handshake;
mod identity;
pub(crate) mod info;
mod names;
mod source;
pub(crate) mod stream;

pub use identity::Identity;
pub use source::Source;

use super::status::{Error, Status};
use names::Names;
use rustls::crypto::CryptoProvider;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::sync::{Arc, PoisonError, RwLock};

/// Sessions that are remembered for TLS 1.2 clients that have no tickets (RFC 5246 §7.4.1.2); tickets need no memory.
const SESSIONS: usize = 1024;

/// Whether clients show a certificate. Those who are trusted are named by their roots.
#[derive(Clone, Debug, Default)]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    None,
    /// They may; a certificate that these roots do not vouch for ends the handshake.
    Optional(Source),
    /// They must.
    Required(Source),
}

/// What a [`Tls`] is loaded from.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// At least one. A client gets the first whose certificate has the name that it asks for (SNI) and whose key it can use;
    /// a client that asks for no name or an unknown one gets the first of all.
    pub identities: Vec<Identity>,
    /// Client certificates. Default: none are asked for.
    pub client_auth: ClientAuth,
}

/// Certificates and keys, loaded, for [`crate::ListenOptions::tls`]. Clones share them: after [`Self::reload`] all of them
/// use the new ones.
///
/// TLS 1.2 and 1.3; sessions are resumed; no 0-RTT and no renegotiation.
#[derive(Clone, Debug)]
pub struct Tls {
    loaded: Arc<RwLock<Loaded>>,
}

/// One configuration for each set of protocols. They share keys and sessions.
#[derive(Clone, Debug)]
struct Loaded {
    both: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
}

impl Tls {
    /// Loads certificates and keys. Reads files, so it may block for as long as the file system does.
    ///
    /// # Errors
    /// [`Status::Tls`], with a text that names the file and what is wrong: it cannot be read, has no certificate or no key,
    /// the key does not fit the certificate, the certificate has expired.
    pub fn new(config: &TlsConfig) -> Result<Self, Error> {
        Ok(Self { loaded: Arc::new(RwLock::new(load(config)?)) })
    }

    /// Loads others in their place. Handshakes that begin from now on use them; connections that are open go on. Sessions
    /// of before are not resumed. Blocks like [`Self::new`].
    ///
    /// # Errors
    /// As [`Self::new`]; then nothing has changed.
    pub fn reload(&self, config: &TlsConfig) -> Result<(), Error> {
        let loaded = load(config)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// What a new handshake is done with, and which protocols it may agree on.
    pub(crate) fn server_config(&self, http1: bool, http2: bool) -> Arc<ServerConfig> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(match (http1, http2) {
            (true, true) => &loaded.both,
            (true, false) => &loaded.http1,
            (false, _) => &loaded.http2,
        })
    }
}

fn refuse(text: String) -> Error {
    Error::new(Status::Tls, text)
}

fn load(config: &TlsConfig) -> Result<Loaded, Error> {
    // named, since a process has only one default, and it may be another's
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let names = Names::load(&config.identities, &provider)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| refuse(format!("TLS cannot be set up: {e}")))?;
    let builder = match &config.client_auth {
        ClientAuth::None => builder.with_no_client_auth(),
        ClientAuth::Optional(roots) | ClientAuth::Required(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(load_roots(roots)?, Arc::clone(&provider));
            let verifier = match config.client_auth {
                ClientAuth::Optional(_) => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            let built = verifier.build();
            builder.with_client_cert_verifier(built.map_err(|e| refuse(format!("client roots {roots}: {e}")))?)
        }
    };
    let mut base = builder.with_cert_resolver(Arc::new(names));
    base.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    base.ticketer = rustls::crypto::ring::Ticketer::new().map_err(|e| refuse(format!("no key for tickets: {e}")))?;
    let speaking = |protocols: &[&[u8]]| {
        let mut config = base.clone();
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        Arc::new(config)
    };
    Ok(Loaded { both: speaking(&[b"h2", b"http/1.1"]), http1: speaking(&[b"http/1.1"]), http2: speaking(&[b"h2"]) })
}

fn load_roots(source: &Source) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in source.certificates("client roots")? {
        roots.add(certificate).map_err(|e| refuse(format!("client roots {source}: a certificate is no root: {e}")))?;
    }
    Ok(Arc::new(roots))
}

/// The signing key of an identity.
fn signing_key(
    provider: &CryptoProvider,
    key: rustls::pki_types::PrivateKeyDer<'static>,
) -> Result<Arc<dyn rustls::sign::SigningKey>, rustls::Error> {
    provider.key_provider.load_private_key(key)
}
