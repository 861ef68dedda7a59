//! TLS: what a handshake agrees on, what the host is told, certificates and their reload, sessions.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{AdoptOptions, ClientAuth, Identity, MessageKind, Source, Tls, TlsConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use support::host::Host;
use support::tls::{self, Authority, Scratch, Wants};

const TLS12: [&rustls::SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
const TLS13: [&rustls::SupportedProtocolVersion; 1] = [&rustls::version::TLS13];

// --- what is agreed on

#[test]
fn requests_and_sockets_run_over_tls() {
    let host = tls::host(&tls::tls());
    let mut client = tls::client(&host, Wants::default());
    let socket = client.connect_websocket("/echo");
    client.echo(socket, "hello");
    let head = host.request("/echo");
    let info = head.tls.expect("the request came over TLS");
    assert_eq!((&*info.version, &*info.cipher), ("TLSv1.3", "TLS13_AES_256_GCM_SHA384"));
    assert_eq!((info.server_name.as_deref(), info.alpn), (Some("localhost"), Some("h2")));
    assert_eq!((info.peer_certificates.len(), info.resumed), (0, false));
    let stats = host.stats();
    assert_eq!((stats.tls_handshakes, stats.tls_resumed, stats.refused_tls), (1, 0, 0));
}

#[test]
fn tls_1_2_is_spoken_too() {
    let host = tls::host(&tls::tls());
    let mut client = tls::client(&host, Wants { versions: TLS12.to_vec(), ..Wants::default() });
    let socket = client.connect_websocket("/echo");
    client.echo(socket, "hello");
    let info = host.request("/echo").tls.unwrap();
    assert_eq!((&*info.version, &*info.cipher), ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
}

#[test]
fn cleartext_has_no_tls_to_tell() {
    let host = Host::start();
    let mut client = host.client();
    let socket = client.connect_websocket("/echo");
    client.echo(socket, "hello");
    let head = host.request("/echo");
    assert_eq!((head.tls, head.version), (None, http::Version::HTTP_2));
}

#[test]
fn rfc7301_3_2_the_server_chooses_among_what_both_speak() {
    let tls = tls::tls();
    for (http1, http2, offered, agreed) in [
        (true, true, &["http/1.1", "h2"][..], Some("h2")),
        (true, true, &["http/1.1"], Some("http/1.1")),
        (true, false, &["h2", "http/1.1"], Some("http/1.1")),
        (false, true, &["h2", "http/1.1"], Some("h2")),
        (true, true, &[], None),
    ] {
        let host = tls::host_with(&tls, |_| {}, |options| (options.http1, options.http2) = (http1, http2));
        let mut stream = tls::stream(&host, Wants::alpn(offered));
        let alpn = stream.conn.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
        assert_eq!(alpn.as_deref(), agreed, "of {offered:?}, http1 {http1}, http2 {http2}");
        if agreed == Some("h2") {
            assert_eq!(tls::on(stream).setting(support::frame::ENABLE_CONNECT_PROTOCOL), Some(1));
        } else {
            assert!(tls::http1(&mut stream, "/hello").ends_with("hello, world"));
            assert_eq!(host.request("/hello").scheme, "https");
        }
    }
}

#[test]
fn rfc7301_3_2_nothing_in_common_is_an_alert() {
    let tls = tls::tls();
    let host = tls::host_with(&tls, |_| {}, |options| options.http1 = false);
    for offered in [&["http/1.1"][..], &["spdy/3"]] {
        let error = tls::connect(&host.address, &Wants::alpn(offered).config(), "localhost").unwrap_err();
        assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    }
    assert_eq!(host.wait_stats("two refusals", |stats| stats.refused_tls == 2).tls_handshakes, 0);
}

#[test]
fn without_alpn_the_first_bytes_decide() {
    let host = tls::host(&tls::tls());
    let mut client = tls::client(&host, Wants::alpn(&[]));
    let socket = client.connect_websocket("/echo");
    client.echo(socket, "h2");
    assert_eq!(host.request("/echo").tls.unwrap().alpn, None);
}

// --- certificates

/// The certificate that a client gets.
fn shown(tls: &Tls, wants: Wants) -> Vec<u8> {
    let host = tls::host(tls);
    tls::shown(&tls::stream(&host, wants))
}

#[test]
fn certificates_come_from_files_and_bytes_in_pem_and_der() {
    let own = tls::self_signed(&["localhost"]);
    let both = format!("{}{}", own.key_pem, own.pem);
    let (pem, der) = (Scratch::new("both.pem", &both), Scratch::new("cert.der", &own.der));
    for identity in [
        Identity::files(&pem.0, &pem.0),
        Identity { chain: Source::File(der.0.clone()), key: Source::Bytes(own.key_der.clone()) },
        Identity::bytes(both.clone(), both.clone()),
        Identity::bytes(own.der.clone(), own.key_der.clone()),
    ] {
        let text = format!("{identity:?}");
        assert_eq!(shown(&tls::load(vec![identity]), Wants::default()), own.der, "{text}");
        assert!(!text.contains("PRIVATE"), "no key in a text: {text}");
    }
}

/// What openssl makes: the kinds of key that rcgen does not.
fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new("openssl")
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

#[test]
fn keys_are_pkcs8_sec1_and_pkcs1() {
    let ec = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], b"");
    let rsa = openssl(&["genrsa", "-traditional", "2048"], b"");
    for (key, sec1_or_pkcs1) in [(ec, "BEGIN EC PRIVATE KEY"), (rsa, "BEGIN RSA PRIVATE KEY")] {
        assert!(String::from_utf8_lossy(&key).contains(sec1_or_pkcs1));
        let file = Scratch::new("key.pem", &key);
        let request = ["req", "-x509", "-new", "-key", &file.text(), "-days", "2", "-subj", "/CN=localhost"];
        let certificate = openssl(&request, b"");
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt"], &key);
        let der = PrivateKeyDer::from_pem_slice(&key).unwrap().secret_der().to_vec();
        let expected = CertificateDer::from_pem_slice(&certificate).unwrap().to_vec();
        for key in [key, pkcs8, der] {
            assert_eq!(shown(&tls::load(vec![Identity::bytes(certificate.clone(), key)]), Wants::default()), expected);
        }
    }
}

#[test]
fn a_chain_is_shown_whole() {
    let (root, own) = tls::issued("localhost");
    let chain = format!("{}{}", own.pem, root.pem);
    let host = tls::host(&tls::load(vec![Identity::bytes(chain, own.key_pem.clone())]));
    let stream = tls::stream(&host, Wants::default());
    let shown: Vec<_> = stream.conn.peer_certificates().unwrap().iter().map(|c| c.to_vec()).collect();
    assert_eq!(shown, [own.der, root.der]);
}

#[test]
fn rfc6066_3_the_name_chooses_the_certificate() {
    let [first, second, wild] =
        [&["a.example"][..], &["b.example", "C.example"], &["*.d.example"]].map(tls::self_signed);
    let tls = tls::load(vec![first.identity(), second.identity(), wild.identity()]);
    for (name, expected) in [
        ("a.example", &first),
        ("b.example", &second),
        ("c.example", &second),
        ("x.d.example", &wild),
        // one label, no more and no less
        ("x.y.d.example", &first),
        ("d.example", &first),
        ("unknown.example", &first),
    ] {
        assert_eq!(shown(&tls, Wants::named(name)), expected.der, "{name}");
    }
    assert_eq!(shown(&tls, Wants { name: "b.example", sni: false, ..Wants::default() }), first.der, "without a name");
}

// --- sessions

#[test]
fn a_session_is_resumed() {
    let host = tls::host(&tls::tls());
    for (n, versions) in [TLS12, TLS13].into_iter().enumerate() {
        let config = Wants { versions: versions.to_vec(), ..Wants::alpn(&["http/1.1"]) }.config();
        for resumed in [false, true] {
            let path = format!("/hello?{n}{resumed}");
            let mut stream = tls::connect(&host.address, &config, "localhost").unwrap();
            tls::http1(&mut stream, &path);
            assert_eq!(host.request(&path).tls.unwrap().resumed, resumed, "{versions:?}");
        }
    }
    let stats = host.stats();
    assert_eq!((stats.tls_handshakes, stats.tls_resumed), (4, 2));
}

#[test]
fn a_reload_is_for_new_handshakes_alone() {
    let (old, new) = (tls::self_signed(&["localhost"]), tls::self_signed(&["localhost"]));
    let tls = tls::load(vec![old.identity()]);
    let host = tls::host(&tls);
    let config = Wants::default().config();
    let before = tls::connect(&host.address, &config, "localhost").unwrap();
    assert_eq!(tls::shown(&before), old.der);
    let mut before = tls::on(before);
    let socket = before.connect_websocket("/echo");
    before.echo(socket, "before");

    tls.reload(&TlsConfig { identities: vec![new.identity()], ..TlsConfig::default() }).unwrap();
    let after = tls::connect(&host.address, &config, "localhost").unwrap();
    assert_eq!(tls::shown(&after), new.der);
    before.echo(socket, "after");

    let wrong = TlsConfig { identities: vec![Identity::files("/no/such.pem", "/no/such.pem")], ..TlsConfig::default() };
    tls.reload(&wrong).unwrap_err();
    assert_eq!(tls::shown(&tls::connect(&host.address, &config, "localhost").unwrap()), new.der, "nothing has changed");
    assert_eq!(host.stats().tls_resumed, 0, "sessions of the old key are forgotten");
}

// --- client certificates

#[test]
fn clients_may_or_must_show_a_certificate() {
    let own = tls::self_signed(&["localhost"]);
    let (root, client) = tls::issued("client");
    let wants = |certificate| Wants { certificate, ..Wants::alpn(&["http/1.1"]) }.config();
    let optional = tls::host(&tls::load_with(own.identity(), ClientAuth::Optional(tls::roots(&root))));
    let mut stream = tls::connect(&optional.address, &wants(None), "localhost").unwrap();
    tls::http1(&mut stream, "/hello?none");
    assert_eq!(optional.request("/hello?none").tls.unwrap().peer_certificates.len(), 0);
    let config = wants(Some(client.clone()));
    for path in ["/hello?one", "/hello?resumed"] {
        let mut stream = tls::connect(&optional.address, &config, "localhost").unwrap();
        tls::http1(&mut stream, path);
        let info = optional.request(path).tls.unwrap();
        assert_eq!(info.peer_certificates, std::slice::from_ref(&client.der), "{path}");
    }

    let required = tls::host(&tls::load_with(own.identity(), ClientAuth::Required(tls::roots(&root))));
    tls::http1(&mut tls::connect(&required.address, &wants(Some(client.clone())), "localhost").unwrap(), "/hello");
    let (_, stranger) = tls::issued("stranger");
    for certificate in [None, Some(stranger)] {
        // over TLS 1.3 the client learns of it by its first read
        let refused = tls::connect(&required.address, &wants(certificate), "localhost")
            .and_then(|mut stream| stream.read(&mut [0; 1]));
        assert!(refused.is_err(), "{refused:?}");
    }
    assert_eq!(required.wait_stats("two refusals", |stats| stats.refused_tls == 2).tls_handshakes, 1);
}

#[test]
fn rfc8446_4_4_2_a_clients_chain_is_told_in_its_order() {
    let own = tls::self_signed(&["localhost"]);
    let root = Authority::root();
    let intermediate = root.intermediate();
    let client = intermediate.issue("client");
    let required = ClientAuth::Required(tls::roots(&root.certificate));
    let host = tls::host(&tls::load_with(own.identity(), required));
    for versions in [TLS12, TLS13] {
        let wants = |vouching| Wants {
            versions: versions.to_vec(),
            certificate: Some(client.clone()),
            vouching,
            ..Wants::alpn(&["http/1.1"])
        };
        let config = wants(vec![intermediate.certificate.clone()]).config();
        // the second handshake shows no certificate; the session has them
        for resumed in [false, true] {
            let path = format!("/hello?{:?}{resumed}", versions[0].version);
            tls::http1(&mut tls::connect(&host.address, &config, "localhost").unwrap(), &path);
            let info = host.request(&path).tls.unwrap();
            assert_eq!(info.resumed, resumed, "{path}");
            assert_eq!(info.peer_certificates, [&client.der[..], &intermediate.certificate.der], "{path}");
        }
        // the root does not know the client itself
        let refused = tls::connect(&host.address, &wants(Vec::new()).config(), "localhost")
            .and_then(|mut stream| stream.read(&mut [0; 1]));
        assert!(refused.is_err(), "{refused:?}");
    }
    host.wait_stats("two refusals", |stats| stats.refused_tls == 2);
}

// --- sockets

#[test]
fn an_adopted_socket_may_speak_tls() {
    let host = Host::start();
    let tls = tls::tls();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for already in [0, 1, 5, 50] {
        let connecting = std::thread::spawn({
            let address = address.clone();
            move || tls::connect(&address, &Wants::default().config(), "localhost").unwrap()
        });
        let (mut socket, _) = listener.accept().unwrap();
        let mut read = vec![0; already];
        socket.read_exact(&mut read).unwrap();
        let options = AdoptOptions { tls: Some(tls.clone()), ..AdoptOptions::default() };
        host.engine.adopt(socket.into(), &read, &options).unwrap();
        let mut client = tls::on(connecting.join().unwrap());
        let echo = client.connect_websocket("/echo");
        client.echo(echo, "adopted");
    }
}

#[test]
fn much_goes_through_both_ways() {
    let host = tls::host(&tls::tls());
    let mut client = tls::client(&host, Wants::default());
    let socket = client.connect_websocket("/quiet");
    let stream = host.request("/quiet").stream;
    let data: Vec<u8> = (0..4_000_000u32).map(|i| (i * 7) as u8).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for piece in data.chunks(100_000) {
                while host.engine.send(stream, MessageKind::Binary, piece).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut got = Vec::new();
        while got.len() < data.len() {
            let frame = client.ws_frame(socket);
            let taken = frame.payload.len() as u32 + 4;
            client.window_update(socket, taken);
            client.window_update(0, taken);
            got.extend(frame.payload);
        }
        assert!(got == data, "every byte in its order");
    });
}

#[test]
fn rfc8446_4_6_3_keys_may_change_in_between() {
    let host = tls::host(&tls::tls());
    let mut stream = tls::stream(&host, Wants::alpn(&["http/1.1"]));
    for _ in 0..3 {
        stream.conn.refresh_traffic_keys().unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut answer = [0; 400];
        let n = stream.read(&mut answer).unwrap();
        assert!(answer[..n].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..n]));
    }
}

#[test]
fn rfc8446_6_1_each_side_says_close_notify() {
    let host = tls::host(&tls::tls());
    // `http1` fails on an end without it
    assert!(tls::http1(&mut tls::stream(&host, Wants::alpn(&["http/1.1"])), "/hello").ends_with("hello, world"));
    let mut client = tls::client(&host, Wants::default());
    client.half_close();
    client.wait_end();
    host.wait_stats("all are gone", |stats| stats.open_connections == 0);
}

#[test]
fn an_end_without_close_notify_is_an_end() {
    let host = tls::host(&tls::tls());
    let mut stream = tls::stream(&host, Wants::alpn(&["http/1.1"]));
    stream.write_all(support::http1::upgrade("/echo", "").as_bytes()).unwrap();
    let socket = host.request("/echo").stream;
    stream.sock.shutdown(std::net::Shutdown::Both).unwrap();
    let closed = host.closed(socket);
    assert_eq!(closed.code, 1006, "{closed:?}");
}

#[test]
fn drain_ends_tls_too() {
    let host = tls::host(&tls::tls());
    let mut client = tls::client(&host, Wants::default());
    let socket = client.connect_websocket("/echo");
    client.echo(socket, "hello");
    let silent = TcpStream::connect(&host.address).unwrap();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        let close = client.ws_frame(socket);
        assert_eq!((close.opcode, &close.payload[..2]), (support::frame::CLOSE, &1001u16.to_be_bytes()[..]));
        client.data_end(socket, &support::frame::ws_close(1001, ""));
        client.wait_end();
        drained.join().unwrap().unwrap();
    });
    drop(silent);
}
