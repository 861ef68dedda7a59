//! Certificates made on the spot, and the client's side of TLS.

use super::FAILURE;
use super::client::{Client, Hello, Socket};
use super::host::Host;
use h2ws::{ClientAuth, Config, Identity, ListenOptions, Source, Tls, TlsConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub der: Vec<u8>,
    pub pem: String,
    pub key_der: Vec<u8>,
    pub key_pem: String,
}

impl Certificate {
    pub fn identity(&self) -> Identity {
        Identity::bytes(self.pem.clone(), self.key_pem.clone())
    }

    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key_der: key.serialize_der(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// One that vouches for itself, for these names.
pub fn self_signed(names: &[&str]) -> Certificate {
    self_signed_with(names, |_| {})
}

pub fn self_signed_with(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Certificate {
    let key = KeyPair::generate().expect("a key");
    let mut params = params(names);
    change(&mut params);
    Certificate::new(&params.self_signed(&key).expect("a certificate"), &key)
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names")
}

/// Who vouches for others.
pub struct Authority {
    pub certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// One that vouches for itself.
    pub fn root() -> Self {
        Self::certified("root", |params, key| params.self_signed(key))
    }

    /// One that this one vouches for.
    pub fn intermediate(&self) -> Self {
        Self::certified("intermediate", |params, key| params.signed_by(key, &self.issuer))
    }

    fn certified(
        name: &str,
        sign: impl FnOnce(&CertificateParams, &KeyPair) -> Result<rcgen::Certificate, rcgen::Error>,
    ) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // two authorities of one name would be taken for one
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = Certificate::new(&sign(&params, &key).expect("a certificate"), &key);
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate that it vouches for.
    pub fn issue(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        Certificate::new(&params(&[name]).signed_by(&key, &self.issuer).expect("a certificate"), &key)
    }
}

/// A root, and a certificate that it vouches for.
pub fn issued(name: &str) -> (Certificate, Certificate) {
    let root = Authority::root();
    let certificate = root.issue(name);
    (root.certificate, certificate)
}

/// A file of this process, which is gone when this is dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let n = FILES.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("h2ws-tls-{}-{n}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("can be written");
        Self(path)
    }

    pub fn text(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// For `localhost`, loaded.
pub fn tls() -> Tls {
    load(vec![self_signed(&["localhost"]).identity()])
}

pub fn load(identities: Vec<Identity>) -> Tls {
    Tls::new(&TlsConfig { identities, ..TlsConfig::default() }).expect("certificates")
}

pub fn load_with(identity: Identity, client_auth: ClientAuth) -> Tls {
    Tls::new(&TlsConfig { identities: vec![identity], client_auth }).expect("certificates")
}

pub fn roots(certificate: &Certificate) -> Source {
    Source::Bytes(certificate.pem.clone().into_bytes())
}

/// A host whose listener speaks TLS.
pub fn host(tls: &Tls) -> Host {
    host_with(tls, |_| {}, |_| {})
}

pub fn host_with(tls: &Tls, config: impl FnOnce(&mut Config), options: impl FnOnce(&mut ListenOptions)) -> Host {
    let mut listen = ListenOptions { tls: Some(tls.clone()), ..ListenOptions::default() };
    options(&mut listen);
    Host::with_options(config, &listen)
}

/// What a client asks for.
pub struct Wants {
    pub alpn: Vec<&'static str>,
    pub name: &'static str,
    pub sni: bool,
    pub versions: Vec<&'static rustls::SupportedProtocolVersion>,
    pub certificate: Option<Certificate>,
    /// Those that vouch for it, which are shown behind it.
    pub vouching: Vec<Certificate>,
}

impl Default for Wants {
    fn default() -> Self {
        Self {
            alpn: vec!["h2"],
            name: "localhost",
            sni: true,
            versions: vec![&rustls::version::TLS12, &rustls::version::TLS13],
            certificate: None,
            vouching: Vec::new(),
        }
    }
}

impl Wants {
    pub fn alpn(alpn: &[&'static str]) -> Self {
        Self { alpn: alpn.to_vec(), ..Self::default() }
    }

    pub fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// A client's configuration, which remembers sessions.
    pub fn config(self) -> Arc<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::try_from(own.key_der).expect("a key");
                let chain = std::iter::once(own.der).chain(self.vouching.into_iter().map(|c| c.der));
                builder.with_client_auth_cert(chain.map(Into::into).collect(), key).expect("a certificate")
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
        config.enable_sni = self.sni;
        Arc::new(config)
    }
}

/// A stream whose handshake is complete, or why there is none.
pub fn connect(address: &str, config: &Arc<ClientConfig>, name: &'static str) -> Result<Stream, std::io::Error> {
    let mut sock = TcpStream::connect(address)?;
    sock.set_nodelay(true)?;
    sock.set_read_timeout(Some(FAILURE))?;
    sock.set_write_timeout(Some(FAILURE))?;
    let name = ServerName::try_from(name).expect("a name");
    let mut conn = ClientConnection::new(Arc::clone(config), name).expect("a client");
    while conn.is_handshaking() {
        conn.complete_io(&mut sock)?;
    }
    Ok(StreamOwned::new(conn, sock))
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A stream with what `wants` asks for.
pub fn stream(host: &Host, wants: Wants) -> Stream {
    let name = wants.name;
    connect(&host.address, &wants.config(), name).expect("the handshake is good")
}

/// An HTTP/2 client over TLS.
pub fn client(host: &Host, wants: Wants) -> Client {
    on(stream(host, wants))
}

pub fn on(stream: Stream) -> Client {
    let mut client = Client::raw(Socket::Tls(Box::new(stream)));
    client.hello(&Hello::default());
    client
}

/// The certificate that a server has shown.
pub fn shown(stream: &Stream) -> Vec<u8> {
    stream.conn.peer_certificates().expect("a server shows one")[0].to_vec()
}

/// An answer to a request over HTTP/1.1, to the end of the connection.
pub fn http1(stream: &mut Stream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the host reads");
    let mut answer = Vec::new();
    std::io::Read::read_to_end(stream, &mut answer).expect("the host answers, and says close_notify");
    String::from_utf8(answer).expect("text")
}

/// Trusts whom it meets.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
