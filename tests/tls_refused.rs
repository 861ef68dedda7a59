//! TLS that is refused: certificates that cannot be used, each with its reason, and peers that misbehave.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{ClientAuth, Error, Identity, Source, Status, Tls, TlsConfig};
use rcgen::date_time_ymd;
use std::io::{Read, Write};
use std::net::TcpStream;
use support::FAILURE;
use support::tls::{self, Certificate, Scratch, Wants};

// --- certificates and keys

fn error_of(config: &TlsConfig) -> Error {
    let error = Tls::new(config).expect_err("it cannot be used");
    assert_eq!(error.status(), Status::Tls);
    assert!(!error.text().contains("PRIVATE"), "no key in a text: {error}");
    error
}

/// An identity is refused, with each of these words in the text.
fn refused(identity: Identity, words: &[&str]) {
    let error = error_of(&TlsConfig { identities: vec![identity], ..TlsConfig::default() });
    for word in words {
        assert!(error.text().contains(word), "expected {word:?}: {error}");
    }
}

fn own() -> Certificate {
    tls::self_signed(&["localhost"])
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let key = Source::Bytes(own().key_pem.into());
    refused(
        Identity { chain: Source::File("/no/such/cert.pem".into()), key },
        &["certificate /no/such/cert.pem cannot be read", "No such file"],
    );
    let chain = Source::Bytes(own().pem.into());
    refused(
        Identity { chain, key: Source::File("/no/such/key.pem".into()) },
        &["key /no/such/key.pem cannot be read", "No such file"],
    );
}

#[test]
fn what_holds_no_certificate_or_no_key_is_named() {
    let own = own();
    let len = own.key_pem.len();
    refused(
        Identity::bytes(own.key_pem.clone(), own.key_pem.clone()),
        &["certificate given as", &format!("{len} bytes"), "has no certificate in it"],
    );
    refused(Identity::bytes(own.pem.clone(), own.pem.clone()), &["key", "has no private key in it"]);
    refused(Identity::bytes("", own.key_pem.clone()), &["has no certificate in it"]);
    refused(Identity::bytes(own.pem.clone(), ""), &["neither PEM nor a key in DER"]);
}

#[test]
fn what_is_broken_is_named() {
    let own = own();
    let cut = &own.pem[..own.pem.len() / 2];
    refused(Identity::bytes(cut, own.key_pem.clone()), &["certificate", "is broken PEM", "does not end"]);
    let bad = own.pem.replacen('M', "!", 1);
    refused(Identity::bytes(bad, own.key_pem.clone()), &["is broken PEM"]);
    let cut = &own.key_pem[..own.key_pem.len() / 2];
    refused(Identity::bytes(own.pem.clone(), cut), &["key", "is broken PEM"]);
    refused(Identity::bytes(&own.der[..own.der.len() - 1], own.key_der.clone()), &["neither PEM nor DER"]);
    refused(Identity::bytes("no certificate", own.key_der.clone()), &["neither PEM nor DER"]);
    refused(Identity::bytes([0x30, 0x03, 0x02, 0x01, 0x05], own.key_der.clone()), &["certificate 1", "no X.509"]);
    refused(Identity::bytes(own.der.clone(), "no key"), &["neither PEM nor a key in DER"]);
    refused(Identity::bytes(own.der.clone(), &own.key_der[..20]), &["key"]);
}

#[test]
fn an_encrypted_key_is_named() {
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    refused(Identity::bytes(own().pem, encrypted), &["key", "is encrypted", "openssl pkey"]);
}

#[test]
fn a_key_of_another_certificate_is_named() {
    refused(Identity::bytes(own().pem, own().key_pem), &["key", "does not fit the first certificate"]);
}

#[test]
fn a_certificate_out_of_its_time_is_named() {
    let old = tls::self_signed_with(&["localhost"], |params| params.not_after = date_time_ymd(2001, 2, 3));
    refused(old.identity(), &["certificate 1", "expired on Feb  3", "2001"]);
    let new = tls::self_signed_with(&["localhost"], |params| {
        params.not_before = date_time_ymd(2099, 2, 3);
        params.not_after = date_time_ymd(2100, 1, 1);
    });
    refused(new.identity(), &["certificate 1", "not valid before Feb  3", "2099"]);
    let good = own();
    let chain = format!("{}{}", good.pem, old.pem);
    refused(Identity::bytes(chain, good.key_pem), &["certificate 2", "expired"]);
}

#[test]
fn a_file_is_named_with_what_is_wrong_in_it() {
    let (own, other) = (own(), own());
    let old = tls::self_signed_with(&["localhost"], |params| params.not_after = date_time_ymd(2001, 2, 3));
    let cut = |text: &str| text[..text.len() / 2].to_owned();
    // the chain's file, the key's file, which of them is named, and why
    for (chain, key, named, why) in [
        (old.pem.clone(), old.key_pem.clone(), "chain", "expired on Feb  3"),
        (format!("{}{}", own.pem, old.pem), own.key_pem.clone(), "chain", "expired on Feb  3"),
        (cut(&own.pem), own.key_pem.clone(), "chain", "is broken PEM"),
        (own.key_pem.clone(), own.key_pem.clone(), "chain", "has no certificate in it"),
        (String::new(), own.key_pem.clone(), "chain", "has no certificate in it"),
        (own.pem.clone(), cut(&own.key_pem), "key", "is broken PEM"),
        (own.pem.clone(), own.pem.clone(), "key", "has no private key in it"),
        (own.pem.clone(), "no key".to_owned(), "key", "neither PEM nor a key in DER"),
        (own.pem.clone(), other.key_pem.clone(), "key", "does not fit the first certificate of"),
    ] {
        let (chain, key) = (Scratch::new("chain.pem", chain), Scratch::new("key.pem", key));
        let file = if named == "chain" { &chain } else { &key };
        refused(Identity::files(&chain.0, &key.0), &[&file.text(), why]);
        // a reload says it too, and changes nothing
        let tls = tls::load(vec![own.identity()]);
        let identities = vec![Identity::files(&chain.0, &key.0)];
        let error = tls.reload(&TlsConfig { identities, ..TlsConfig::default() }).unwrap_err();
        assert!(error.text().contains(&file.text()) && error.text().contains(why), "{error}");
    }
    // a certificate that does not fit is as likely to be the wrong file as the key is
    let (chain, key) = (Scratch::new("chain.pem", &own.pem), Scratch::new("key.pem", &other.key_pem));
    refused(Identity::files(&chain.0, &key.0), &[&chain.text(), &key.text()]);
}

#[test]
fn a_file_of_roots_is_named() {
    let client_auth = |content: &str| {
        let file = Scratch::new("roots.pem", content);
        let client_auth = ClientAuth::Optional(Source::File(file.0.clone()));
        let error = error_of(&TlsConfig { identities: vec![own().identity()], client_auth });
        assert!(error.text().starts_with(&format!("client roots {}", file.text())), "{error}");
    };
    client_auth("");
    client_auth(&own().key_pem);
    client_auth(&own().pem[..100]);
}

#[test]
fn there_is_at_least_one_identity_and_one_root() {
    let error = error_of(&TlsConfig::default());
    assert!(error.text().contains("at least one identity"), "{error}");
    for roots in ["", "no root"] {
        let client_auth = ClientAuth::Required(Source::Bytes(roots.into()));
        let error = error_of(&TlsConfig { identities: vec![own().identity()], client_auth });
        assert!(error.text().starts_with("client roots"), "{error}");
    }
}

// --- peers

/// An HTTP/1.1 client of the host is served.
fn serves(address: &str) {
    let mut stream = tls::connect(address, &Wants::alpn(&["http/1.1"]).config(), "localhost").unwrap();
    assert!(tls::http1(&mut stream, "/hello").ends_with("hello, world"));
}

/// The first bytes of a client.
fn client_hello() -> Vec<u8> {
    let mut hello = Vec::new();
    let name = "localhost".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Wants::default().config(), name).unwrap();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[test]
fn a_handshake_that_stalls_is_ended() {
    // long enough for a sentinel on a slow machine
    let host = tls::host_with(&tls::tls(), |config| config.tls_timeout = 1000, |_| {});
    let hello = client_hello();
    let counted = [0, 1, 5, hello.len() / 2, hello.len()];
    let stalled = counted.map(|n| {
        let mut socket = TcpStream::connect(&host.address).unwrap();
        socket.set_read_timeout(Some(FAILURE)).unwrap();
        socket.write_all(&hello[..n]).unwrap();
        socket
    });
    serves(&host.address);
    for mut socket in stalled {
        // what the server says, and its end
        let _either = socket.read_to_end(&mut Vec::new());
    }
    host.wait_stats("each is counted", |stats| {
        stats.timeout_tls == counted.len() as u64 && stats.open_connections == 0
    });
    serves(&host.address);
    assert_eq!(host.log_lines("tls_timeout").len(), counted.len());
}

#[test]
fn a_handshake_that_drips_is_ended_too() {
    let host = tls::host_with(&tls::tls(), |config| config.tls_timeout = 1000, |_| {});
    let mut sentinel = tls::client(&host, Wants::default());
    let echo = sentinel.connect_websocket("/echo");
    let hello = client_hello();
    let mut socket = TcpStream::connect(&host.address).unwrap();
    // a byte comes long before the last one is too old, and the handshake's own deadline is none of its business
    let mut dripped = 0;
    while host.stats().timeout_tls == 0 {
        assert!(dripped < hello.len(), "a byte every 10 ms, and the whole of it was taken");
        dripped += usize::from(socket.write_all(&hello[dripped..=dripped]).is_ok());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    socket.set_read_timeout(Some(FAILURE)).unwrap();
    let _either = socket.read_to_end(&mut Vec::new());
    let stats = host.wait_stats("it is gone", |stats| stats.open_connections == 1);
    assert_eq!((stats.timeout_tls, stats.refused_tls, stats.tls_handshakes), (1, 0, 1), "slow, not wrong");
    sentinel.echo(echo, "still here");
}

#[test]
fn what_is_no_tls_is_refused() {
    let host = tls::host(&tls::tls());
    for (bytes, answered) in [
        (&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], true),
        (support::frame::PREFACE, true),
        (b"\0\0\0\0", false),
        (b"\x80\x2e\x01\x00\x02", false),
        (b"\x16\x03\x01\x00\x05hello", false),
        (b"\x16\x03\x01\xff\xff", false),
    ] {
        let mut socket = TcpStream::connect(&host.address).unwrap();
        socket.set_read_timeout(Some(FAILURE)).unwrap();
        socket.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _either = socket.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(text.starts_with("HTTP/1.1 400 ") && text.contains("use https"), answered, "{text}");
        serves(&host.address);
    }
    assert_eq!(host.stats().refused_tls, 6);
    assert_eq!(host.log_lines("not with a TLS handshake").len(), 4);
}

#[test]
fn rfc8446_4_1_2_a_second_client_hello_is_refused() {
    let host = tls::host(&tls::tls());
    let mut stream =
        tls::stream(&host, Wants { versions: vec![&rustls::version::TLS12], ..Wants::alpn(&["http/1.1"]) });
    // in cleartext, where only ciphertext may stand
    stream.sock.write_all(&client_hello()).unwrap();
    let mut rest = Vec::new();
    let _either = stream.sock.read_to_end(&mut rest);
    host.wait_stats("the connection is gone", |stats| stats.open_connections == 0);
    serves(&host.address);
}

#[test]
fn garbage_after_the_handshake_ends_the_connection() {
    let host = tls::host(&tls::tls());
    let mut stream = tls::stream(&host, Wants::alpn(&["http/1.1"]));
    stream.write_all(support::http1::upgrade("/echo", "").as_bytes()).unwrap();
    let socket = host.request("/echo").stream;
    stream.sock.write_all(&[0x17, 0x03, 0x03, 0x00, 0x20]).unwrap();
    stream.sock.write_all(&[7; 0x20]).unwrap();
    assert_eq!(host.closed(socket).code, 1006);
    serves(&host.address);
}

#[test]
fn a_peer_that_leaves_in_the_middle_leaves_nothing() {
    let host = tls::host(&tls::tls());
    let hello = client_hello();
    for n in [0, 1, hello.len() / 2, hello.len()] {
        TcpStream::connect(&host.address).unwrap().write_all(&hello[..n]).unwrap();
    }
    host.wait_stats("all are gone", |stats| stats.connections == 4 && stats.open_connections == 0);
    serves(&host.address);
}
