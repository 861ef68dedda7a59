//! `h2ws_tls`: certificates and keys, and what a handshake came to.

use super::engine::output;
use super::guard::guard;
use super::status::h2ws_status;
use super::view::{Versioned, flag, h2ws_str, invalid, read_versioned, reserved};
use crate::host::{ClientAuth, Error, Identity, Source, Tls, TlsConfig, TlsInfo};
use std::ptr;

/// Certificates and keys, loaded: `tls` of `h2ws_listen_options` and `h2ws_adopt_options`. One may serve many listeners
/// and engines; each keeps what it needs, so it can be destroyed at any time.
pub struct h2ws_tls {
    tls: Tls,
}

/// Where a certificate or a key comes from: a file or bytes, not both. PEM or DER, which is seen from the content.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_tls_source {
    /// The path of a file, UTF-8; read during the call.
    pub file: h2ws_str,
    /// The content itself.
    pub bytes: h2ws_str,
}

/// A certificate chain with its key. Both may be in one PEM.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_tls_identity {
    /// The server's certificate, then those that vouch for it; the root may be left out.
    pub chain: h2ws_tls_source,
    /// PKCS#8, SEC1 or PKCS#1, not encrypted.
    pub key: h2ws_tls_source,
}

/// Whether clients are asked for a certificate: one of H2WS_CLIENT_AUTH_*.
pub type h2ws_client_auth = i32;
/// They are not asked.
pub const H2WS_CLIENT_AUTH_NONE: h2ws_client_auth = 0;
/// They may show one; one that the roots do not vouch for ends the handshake.
pub const H2WS_CLIENT_AUTH_OPTIONAL: h2ws_client_auth = 1;
/// They must show one.
pub const H2WS_CLIENT_AUTH_REQUIRED: h2ws_client_auth = 2;

/// What a `h2ws_tls` is loaded from: initialise it with H2WS_TLS_CONFIG_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_tls_config {
    /// Set by H2WS_TLS_CONFIG_INIT.
    pub size: usize,
    /// At least one. A client gets the first whose certificate has the name that it asks for (SNI) and whose key it can
    /// use; a client that asks for no name or an unknown one gets the first of all.
    pub identities: *const h2ws_tls_identity,
    /// How many.
    pub identity_count: usize,
    /// The roots that vouch for clients' certificates; empty if they are not asked.
    pub client_roots: h2ws_tls_source,
    /// One of H2WS_CLIENT_AUTH_*.
    pub client_auth: h2ws_client_auth,
    /// 0.
    pub reserved: i32,
}

/// The TLS of a connection: that of h2ws in an event, whose pointers are borrowed until the callback returns; that of the host in
/// `h2ws_attach_options`, initialised with H2WS_TLS_INFO_INIT and borrowed until the call returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_tls_info {
    /// The size of this struct in the library that runs; set by H2WS_TLS_INFO_INIT.
    pub size: usize,
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: h2ws_str,
    /// The cipher suite, as `TLS13_AES_128_GCM_SHA256`.
    pub cipher: h2ws_str,
    /// The name that the client asked for (SNI); empty if it asked for none.
    pub server_name: h2ws_str,
    /// The protocol agreed on by ALPN: `h2` or `http/1.1`; empty if the client offered none.
    pub alpn: h2ws_str,
    /// The client's certificates in DER, its own first; NULL if it showed none.
    pub peer_certificates: *const h2ws_str,
    /// How many it showed.
    pub peer_certificate_count: usize,
    /// 1: an earlier session was resumed.
    pub resumed: i32,
    /// Always 0.
    pub reserved: i32,
}

// SAFETY: `size` first; pointers, sizes and pairs of them, then two `i32`, which fill a multiple of the alignment: no
// padding. Any bytes are a valid value, NULL among them.
unsafe impl Versioned for h2ws_tls_info {
    const NAME: &'static str = "h2ws_tls_info";
    const INIT: &'static str = "H2WS_TLS_INFO_INIT";
    const FIRST_SIZE: usize = 11 * size_of::<usize>() + 8;
}
const _: () = assert!(size_of::<h2ws_tls_info>() >= h2ws_tls_info::FIRST_SIZE, "a field was taken away");

/// More certificates than a chain has: a count beyond it was never set.
const MOST_CERTIFICATES: usize = 100;

/// More identities than a process serves: a count beyond it was never set.
const MOST_IDENTITIES: usize = 10_000;

// SAFETY: `size` first; pointers, sizes and pairs of them, then two `i32`, which fill a multiple of the alignment: no
// padding. Any bytes are a valid value, NULL among them.
unsafe impl Versioned for h2ws_tls_config {
    const NAME: &'static str = "h2ws_tls_config";
    const INIT: &'static str = "H2WS_TLS_CONFIG_INIT";
    const FIRST_SIZE: usize = 7 * size_of::<usize>() + 8;
}
const _: () = assert!(size_of::<h2ws_tls_config>() >= h2ws_tls_config::FIRST_SIZE, "a field was taken away");

/// Loads certificates and keys. `config` and all that it points to are borrowed until the call returns. `*out_tls` is
/// owned, free it with `h2ws_tls_destroy`.
///
/// H2WS_TLS names the file and what is wrong: it cannot be read, has no certificate or no key in it, the key does not fit
/// the certificate, the certificate has expired. Any thread; blocks while it reads files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_tls_create(config: *const h2ws_tls_config, out_tls: *mut *mut h2ws_tls) -> h2ws_status {
    guard("h2ws_tls_create", || {
        // SAFETY: the caller's struct, as the contract above wants it.
        let config = unsafe { read(config)? };
        let out_tls = output(out_tls, "out_tls")?;
        let tls = Box::into_raw(Box::new(h2ws_tls { tls: Tls::new(&config)? }));
        // SAFETY: not NULL, so writable (the caller's contract).
        unsafe { out_tls.write(tls) };
        Ok(())
    })
}

/// Loads others in their place, for all listeners that use them. Handshakes that begin from now on use the new ones;
/// connections that are open go on; sessions of before are not resumed. When it fails, as `h2ws_tls_create` may, nothing
/// has changed. Any thread; blocks while it reads files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_tls_reload(tls: *mut h2ws_tls, config: *const h2ws_tls_config) -> h2ws_status {
    guard("h2ws_tls_reload", || {
        // SAFETY: NULL or a live object, and the caller's struct (the contract above).
        let (tls, config) = unsafe { (shared(tls), read(config)?) };
        let tls = tls.ok_or_else(|| invalid("tls is NULL; pass what h2ws_tls_create gave".into()))?;
        tls.reload(&config)
    })
}

/// Frees it. Listeners and connections that use it go on, with what was loaded last. NULL is allowed and does nothing; no
/// other thread may use the pointer from the call on. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_tls_destroy(tls: *mut h2ws_tls) -> h2ws_status {
    guard("h2ws_tls_destroy", || {
        if !tls.is_null() {
            // SAFETY: made by `Box::into_raw` in `h2ws_tls_create`, and not used any more (the caller's contract).
            drop(unsafe { Box::from_raw(tls) });
        }
        Ok(())
    })
}

/// The TLS of an option; `None` for NULL.
///
/// # Safety
/// `tls` is NULL or came from `h2ws_tls_create`, and is not destroyed while this runs.
pub(super) unsafe fn shared(tls: *const h2ws_tls) -> Option<Tls> {
    // SAFETY: the same contract.
    unsafe { tls.as_ref() }.map(|tls| tls.tls.clone())
}

/// Calls `with` with a view of `info`; NULL for none.
pub(super) fn with_tls_view<R>(info: Option<&TlsInfo>, with: impl FnOnce(*const h2ws_tls_info) -> R) -> R {
    let Some(info) = info else { return with(ptr::null()) };
    let text = |text: Option<&str>| h2ws_str::of(text.unwrap_or("").as_bytes());
    let certificates: Vec<h2ws_str> = info.peer_certificates.iter().map(|der| h2ws_str::of(der)).collect();
    let view = h2ws_tls_info {
        size: size_of::<h2ws_tls_info>(),
        version: text(Some(&info.version)),
        cipher: text(Some(&info.cipher)),
        server_name: text(info.server_name.as_deref()),
        alpn: text(info.alpn),
        peer_certificates: if certificates.is_empty() { ptr::null() } else { certificates.as_ptr() },
        peer_certificate_count: certificates.len(),
        resumed: info.resumed.into(),
        reserved: 0,
    };
    with(&raw const view)
}

/// What a host says of TLS of its own; `None` for NULL.
///
/// # Safety
/// NULL, or as [`read_versioned`]; each `h2ws_str` is as [`h2ws_str::bytes`] wants it, `peer_certificates` has
/// `peer_certificate_count` items.
pub(super) unsafe fn read_info(info: *const h2ws_tls_info, argument: &str) -> Result<Option<TlsInfo>, Error> {
    if info.is_null() {
        return Ok(None);
    }
    // SAFETY: the same contract.
    let info = unsafe { read_versioned(info, argument)? };
    reserved(info.reserved, &format!("{argument}->reserved"))?;
    let count = info.peer_certificate_count;
    if count > MOST_CERTIFICATES || count > 0 && info.peer_certificates.is_null() {
        let text = format!(
            "{argument}->peer_certificate_count is {count}; there are none at NULL, and at most {MOST_CERTIFICATES}"
        );
        return Err(invalid(text));
    }
    // SAFETY: the same contract.
    let text = |text: h2ws_str, field: &str| unsafe { text.text(&format!("{argument}->{field}")).map(str::to_owned) };
    let (version, cipher) = (text(info.version, "version")?, text(info.cipher, "cipher")?);
    let (server_name, alpn) = (text(info.server_name, "server_name")?, text(info.alpn, "alpn")?);
    let mut peer_certificates = Vec::with_capacity(count);
    for i in 0..count {
        // SAFETY: item `i` of `peer_certificate_count` (the caller's contract).
        let der = unsafe { info.peer_certificates.add(i).read_unaligned().bytes("peer_certificates")? };
        peer_certificates.push(der.to_vec());
    }
    Ok(Some(TlsInfo {
        version: version.into(),
        cipher: cipher.into(),
        server_name: (!server_name.is_empty()).then_some(server_name),
        alpn: TlsInfo::known_alpn(alpn.as_bytes()),
        peer_certificates,
        resumed: flag(info.resumed, &format!("{argument}->resumed"))?,
    }))
}

/// # Safety
/// As [`read_versioned`]; `identities` has `identity_count` items, and each `h2ws_str` is as [`h2ws_str::bytes`] wants it.
unsafe fn read(config: *const h2ws_tls_config) -> Result<TlsConfig, Error> {
    // SAFETY: the same contract.
    let config = unsafe { read_versioned(config, "config")? };
    reserved(config.reserved, "config->reserved")?;
    let count = config.identity_count;
    if count > MOST_IDENTITIES {
        let text = format!("config->identity_count is {count}; at most {MOST_IDENTITIES} are taken; was it set?");
        return Err(invalid(text));
    }
    if count == 0 || config.identities.is_null() {
        return Err(invalid("config->identities is empty; TLS needs at least one certificate with its key".into()));
    }
    let mut identities = Vec::with_capacity(count);
    for i in 0..count {
        // SAFETY: item `i` of `identity_count` (the caller's contract).
        let identity = unsafe { config.identities.add(i).read_unaligned() };
        // SAFETY: the same contract.
        let (chain, key) = unsafe {
            (
                source(identity.chain, &format!("config->identities[{i}].chain"))?,
                source(identity.key, &format!("config->identities[{i}].key"))?,
            )
        };
        identities.push(Identity { chain, key });
    }
    let roots = || {
        // SAFETY: the same contract.
        unsafe { source(config.client_roots, "config->client_roots") }
    };
    let client_auth = match config.client_auth {
        H2WS_CLIENT_AUTH_NONE => ClientAuth::None,
        H2WS_CLIENT_AUTH_OPTIONAL => ClientAuth::Optional(roots()?),
        H2WS_CLIENT_AUTH_REQUIRED => ClientAuth::Required(roots()?),
        other => {
            return Err(invalid(format!("config->client_auth is {other}, which is no H2WS_CLIENT_AUTH_ constant")));
        }
    };
    Ok(TlsConfig { identities, client_auth })
}

/// # Safety
/// As [`h2ws_str::bytes`], both.
unsafe fn source(source: h2ws_tls_source, argument: &str) -> Result<Source, Error> {
    // SAFETY: the same contract.
    let (file, bytes) = unsafe {
        (source.file.text(&format!("{argument}.file"))?, source.bytes.bytes(format_args!("{argument}.bytes"))?)
    };
    match (file.is_empty(), bytes.is_empty()) {
        (false, true) => Ok(Source::File(file.into())),
        (true, false) => Ok(Source::Bytes(bytes.into())),
        (true, true) => Err(invalid(format!("{argument} is empty; set its file or its bytes"))),
        (false, false) => Err(invalid(format!("{argument} has a file and bytes; set one of them"))),
    }
}
