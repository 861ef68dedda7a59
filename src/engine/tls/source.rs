//! Where certificates and keys come from: files or memory, PEM or DER, which is seen from the bytes.

use super::refuse;
use crate::engine::status::Error;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

/// What begins a PEM section (RFC 7468 §2).
const BEGIN: &[u8] = b"-----BEGIN ";

/// PEM (RFC 7468) or DER, which is seen from the first bytes. Certificates in DER follow one another.
#[derive(Clone)]
pub enum Source {
    /// A file, read when it is loaded.
    File(PathBuf),
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

/// How an error names it: the file, or that it came as bytes. Never the bytes.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Bytes(bytes) => write!(f, "given as {} bytes", bytes.len()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl Source {
    fn read(&self, what: &str) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.into()),
            Self::File(path) => match std::fs::read(path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(e) => Err(refuse(format!("{what} {self} cannot be read: {e}"))),
            },
        }
    }

    /// All certificates in it, at least one. `what` names its role in an error.
    pub(super) fn certificates(&self, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
        let bytes = self.read(what)?;
        let found = if is_pem(&bytes) {
            let sections: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
            sections.map_err(|e| refuse(format!("{what} {self} is broken PEM: {}", why(&e))))?
        } else {
            let whole = split_der(&bytes);
            whole.ok_or_else(|| refuse(format!("{what} {self} is neither PEM nor DER certificates")))?
        };
        if found.is_empty() {
            return Err(refuse(format!("{what} {self} has no certificate in it")));
        }
        Ok(found)
    }

    /// The first key in it: PKCS#8, SEC1 or PKCS#1.
    pub(super) fn key(&self, what: &str) -> Result<PrivateKeyDer<'static>, Error> {
        let bytes = self.read(what)?;
        if !is_pem(&bytes) {
            return PrivateKeyDer::try_from(bytes.into_owned()).map_err(|_| {
                refuse(format!("{what} {self} is neither PEM nor a key in DER (PKCS#8, SEC1 or PKCS#1)"))
            });
        }
        match PrivateKeyDer::from_pem_slice(&bytes) {
            Ok(key) => Ok(key),
            Err(pem::Error::NoItemsFound) if contains(&bytes, b"ENCRYPTED") => {
                Err(refuse(format!("{what} {self} is encrypted; decrypt it (openssl pkey -in KEY -out PLAIN)")))
            }
            Err(pem::Error::NoItemsFound) => Err(refuse(format!("{what} {self} has no private key in it"))),
            Err(e) => Err(refuse(format!("{what} {self} is broken PEM: {}", why(&e)))),
        }
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    contains(bytes, BEGIN)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Without the bytes that some of these have in their text: they may be of a key.
fn why(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section does not end",
        pem::Error::IllegalSectionStart { .. } => "a section does not begin rightly",
        pem::Error::Base64Decode(_) => "its base64 is wrong",
        _ => "it cannot be read",
    }
}

/// DER SEQUENCEs, one after another (X.690 §8.1.3).
fn split_der(mut bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (header, len) = match *bytes {
            [0x30, len @ 0..=0x7f, ..] => (2, len.into()),
            [0x30, 0x81, a, ..] => (3, a.into()),
            [0x30, 0x82, a, b, ..] => (4, usize::from(a) << 8 | usize::from(b)),
            [0x30, 0x83, a, b, c, ..] => (5, usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)),
            _ => return None,
        };
        let (certificate, rest) = bytes.split_at_checked(header + len)?;
        found.push(certificate.to_vec().into());
        bytes = rest;
    }
    Some(found)
}
