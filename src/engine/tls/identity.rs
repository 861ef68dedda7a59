//! A certificate chain with its key: loaded, checked, and the names that it is for.

use super::source::Source;
use super::{refuse, signing_key};
use crate::engine::status::Error;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// A certificate chain, the server's own certificate first, and the key of that one. Both may be in one PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The server's certificate, then those that vouch for it; the root may be left out.
    pub chain: Source,
    /// PKCS#8, SEC1 or PKCS#1, not encrypted.
    pub key: Source,
}

impl Identity {
    /// From two files, each PEM or DER.
    pub fn files(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { chain: Source::File(chain.into()), key: Source::File(key.into()) }
    }

    /// From bytes, each PEM or DER.
    pub fn bytes(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self { chain: Source::Bytes(chain.into()), key: Source::Bytes(key.into()) }
    }

    /// The key that signs handshakes, and the DNS names of its certificate, in lower case.
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<(CertifiedKey, Vec<String>), Error> {
        let Self { chain, key } = self;
        let certificates = chain.certificates("certificate")?;
        let mut names = Vec::new();
        for (i, certificate) in certificates.iter().enumerate() {
            let own = check(certificate).map_err(|e| refuse(format!("certificate {} of {chain}: {e}", i + 1)))?;
            if i == 0 {
                names = own;
            }
        }
        let signing = signing_key(provider, key.key("key")?)
            .map_err(|e| refuse(format!("key {key} is of no kind that can sign (RSA, ECDSA or Ed25519): {e}")))?;
        let certified = CertifiedKey::new(certificates, signing);
        match certified.keys_match() {
            // `Unknown`: a kind of key that cannot be compared; the handshake will tell
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok((certified, names)),
            Err(_) => Err(refuse(format!("key {key} does not fit the first certificate of {chain}"))),
        }
    }
}

/// The DNS names of a certificate that is valid now.
fn check(der: &CertificateDer<'_>) -> Result<Vec<String>, String> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|e| format!("it is no X.509 certificate: {e}"))?;
    let validity = certificate.validity();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()) as i64;
    if now > validity.not_after.timestamp() {
        return Err(format!("it expired on {}", validity.not_after));
    }
    if now < validity.not_before.timestamp() {
        return Err(format!("it is not valid before {}", validity.not_before));
    }
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else { return Ok(Vec::new()) };
    let names = alternative.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        _ => None,
    });
    Ok(names.collect())
}
