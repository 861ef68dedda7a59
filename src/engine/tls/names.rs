//! Which certificate a client gets: by the name that it asks for (SNI, RFC 6066 §3) and the signatures that it knows.

use super::identity::Identity;
use super::refuse;
use crate::engine::status::Error;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::Arc;

/// The keys, by name. A wildcard is kept without its star: it stands for exactly one label (RFC 6125 §6.4.3).
#[derive(Debug, Default)]
pub(super) struct Names {
    exact: HashMap<String, Vec<Arc<CertifiedKey>>>,
    wildcard: HashMap<String, Vec<Arc<CertifiedKey>>>,
    all: Vec<Arc<CertifiedKey>>,
}

impl Names {
    pub(super) fn load(identities: &[Identity], provider: &CryptoProvider) -> Result<Self, Error> {
        let mut names = Self::default();
        for identity in identities {
            let (key, own) = identity.load(provider)?;
            let key = Arc::new(key);
            for name in own {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut names.wildcard, parent.to_owned()),
                    None => (&mut names.exact, name),
                };
                map.entry(name).or_default().push(Arc::clone(&key));
            }
            names.all.push(key);
        }
        if names.all.is_empty() {
            return Err(refuse("no certificate was given; TLS needs at least one identity".into()));
        }
        Ok(names)
    }

    /// The keys for a name, best first; all of them if it is unknown.
    fn of(&self, name: Option<&str>) -> &[Arc<CertifiedKey>] {
        let Some(name) = name.map(|name| name.trim_end_matches('.').to_ascii_lowercase()) else { return &self.all };
        let parent = || name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        self.exact.get(&name).or_else(parent).unwrap_or(&self.all)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self.of(hello.server_name());
        let usable = keys.iter().find(|key| key.key.choose_scheme(hello.signature_schemes()).is_some());
        usable.or(keys.first()).cloned()
    }
}
