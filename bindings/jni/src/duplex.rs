//! Natives of connections whose bytes Java moves.

use crate::args::{self, Refusal, native};
use crate::engines::with_engine;
use crate::lifecycle::options;
use h2ws::{Attach, ConnectionId, Engine, Error, Read, TlsInfo};
use jni::objects::{JByteArray, JByteBuffer, JClass, JObjectArray, JString};
use jni::{Env, EnvUnowned};

type Strings<'l> = JObjectArray<'l, JString<'l>>;
type Arrays<'l> = JObjectArray<'l, JByteArray<'l>>;

/// What a read gives at the end of what there is to read.
const END: i32 = -1002;
/// What it gives when the other side was cut off.
const RESET: i32 = -1003;

fn tls_info(env: &mut Env<'_>, texts: &Strings<'_>, certificates: &Arrays<'_>) -> Result<Option<TlsInfo>, Refusal> {
    let texts = args::strings(env, texts)?;
    let [version, cipher, server_name, alpn] = &texts[..] else { return Ok(None) };
    let mut peer_certificates = Vec::new();
    if !certificates.is_null() {
        for index in 0..certificates.len(env)? {
            let der = certificates.get_element(env, index)?;
            peer_certificates.push(args::bytes(env, &der)?);
            env.delete_local_ref(der);
        }
    }
    Ok(Some(TlsInfo {
        version: version.clone().into(),
        cipher: cipher.clone().into(),
        server_name: (!server_name.is_empty()).then(|| server_name.clone()),
        alpn: TlsInfo::known_alpn(alpn.as_bytes()),
        peer_certificates,
        resumed: false,
    }))
}

/// `tls`: version, suite, server name and ALPN, or none. Flags as of `listen`.
pub(crate) extern "system" fn attach<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    peer: JString<'l>,
    tls: Strings<'l>,
    certificates: Arrays<'l>,
    flags: i32,
) -> i64 {
    native(&mut env, |env| {
        let attach = Attach {
            peer: args::string(env, &peer)?,
            tls: tls_info(env, &tls, &certificates)?,
            // Java knows them by their numbers
            context: 0,
            options: options(0, flags)?,
        };
        Ok(with_engine(engine as u64, |engine| engine.attach(attach))?.to_raw() as i64)
    })
}

fn to_duplex<R>(
    engine: i64,
    connection: i64,
    f: impl FnOnce(&Engine, ConnectionId) -> Result<R, Error>,
) -> Result<R, Error> {
    with_engine(engine as u64, |engine| f(engine, ConnectionId::from_raw(connection as u64)))
}

fn write_bytes(engine: i64, connection: i64, data: &[u8]) -> Result<i32, Error> {
    to_duplex(engine, connection, |engine, connection| Ok(engine.duplex_write(connection, data)? as i32))
}

pub(crate) extern "system" fn write<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    connection: i64,
    data: JByteArray<'l>,
    offset: i32,
    length: i32,
) -> i32 {
    native(&mut env, |env| args::with_bytes(env, &data, offset, length, |data| write_bytes(engine, connection, data)))
}

pub(crate) extern "system" fn write_buffer<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    connection: i64,
    direct: JByteBuffer<'l>,
    offset: i32,
    length: i32,
) -> i32 {
    native(&mut env, |env| {
        args::with_buffer(env, &direct, offset, length, |data| write_bytes(engine, connection, data))
    })
}

pub(crate) extern "system" fn read_buffer<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    connection: i64,
    direct: JByteBuffer<'l>,
    offset: i32,
    length: i32,
) -> i32 {
    native(&mut env, |env| {
        let read = args::with_buffer(env, &direct, offset, length, |into| {
            to_duplex(engine, connection, |engine, connection| engine.duplex_read(connection, into))
        })?;
        Ok(match read {
            Read::Bytes(n) => n as i32,
            Read::End => END,
            Read::Reset => RESET,
        })
    })
}

pub(crate) extern "system" fn shut<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64, connection: i64) -> i32 {
    native(&mut env, |_| {
        to_duplex(engine, connection, |engine, connection| engine.duplex_shut(connection))?;
        Ok(0)
    })
}

pub(crate) extern "system" fn close<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    connection: i64,
    abort: bool,
) -> i32 {
    native(&mut env, |_| {
        to_duplex(engine, connection, |engine, connection| engine.duplex_close(connection, abort))?;
        Ok(0)
    })
}
