//! Natives of exchanges and WebSockets: each checks what it got and calls one method of the engine.

use crate::args::{self, native, with_buffer, with_bytes};
use crate::engines::with_engine;
use h2ws::{Accept, Control, Credit, Delivery, Engine, Error, MessageBuffer, MessageKind, Status, StreamId};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JByteBuffer, JClass, JIntArray, JObjectArray, JString};

/// Does something to a stream.
fn to_stream(engine: i64, stream: i64, f: impl FnOnce(&Engine, StreamId) -> Result<(), Error>) -> Result<i32, Error> {
    with_engine(engine as u64, |engine| f(engine, StreamId::from_raw(stream as u64)))?;
    Ok(0)
}

fn kind(kind: i32) -> Result<MessageKind, Error> {
    match kind {
        1 => Ok(MessageKind::Text),
        2 => Ok(MessageKind::Binary),
        _ => Err(Error::new(Status::InvalidArgument, format!("{kind} is no kind of message; 1 is text, 2 binary"))),
    }
}

/// Flags 1: manual control, 2: in parts, above `gather` bytes, 4: by demand, 8: never compressed.
#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn accept<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    context: i64,
    subprotocol: JString<'l>,
    headers: JByteArray<'l>,
    flags: i32,
    gather: i32,
) -> i32 {
    native(&mut env, |env| {
        let subprotocol = args::optional(env, &subprotocol)?;
        let accept = Accept {
            subprotocol: subprotocol.as_deref(),
            headers: args::headers(env, &headers)?,
            context: context as u64,
            control: if flags & 1 == 0 { Control::Auto } else { Control::Manual },
            delivery: match (flags & 2, gather) {
                (0, _) => Delivery::Messages,
                (_, 0) => Delivery::Fragments,
                _ => Delivery::FragmentsAbove(u32::try_from(gather).unwrap_or(0)),
            },
            credit: if flags & 4 == 0 { Credit::Auto } else { Credit::Demand },
            compress: flags & 8 == 0,
        };
        Ok(to_stream(engine, stream, |engine, stream| engine.accept(stream, &accept))?)
    })
}

fn status(status: i32) -> Result<u16, Error> {
    u16::try_from(status).map_err(|_| Error::new(Status::InvalidArgument, format!("{status} is no HTTP status")))
}

pub(crate) extern "system" fn reject<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    code: i32,
    headers: JByteArray<'l>,
    body: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let headers = args::headers(env, &headers)?;
        let body = args::bytes(env, &body)?;
        let code = status(code)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.reject(stream, code, headers, &body))?)
    })
}

pub(crate) extern "system" fn respond<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    code: i32,
    headers: JByteArray<'l>,
    body: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let headers = args::headers(env, &headers)?;
        let body = args::bytes(env, &body)?;
        let code = status(code)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.respond(stream, code, headers, &body))?)
    })
}

pub(crate) extern "system" fn respond_start<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    code: i32,
    headers: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let headers = args::headers(env, &headers)?;
        let code = status(code)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.respond_start(stream, code, headers))?)
    })
}

pub(crate) extern "system" fn inform<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    code: i32,
    headers: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let headers = args::headers(env, &headers)?;
        let code = status(code)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.inform(stream, code, headers))?)
    })
}

pub(crate) extern "system" fn send_body<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    data: JByteArray<'l>,
    offset: i32,
    length: i32,
) -> i32 {
    native(&mut env, |env| {
        with_bytes(env, &data, offset, length, |data| {
            to_stream(engine, stream, |engine, stream| engine.send_body(stream, data))
        })
    })
}

pub(crate) extern "system" fn send_body_buffer<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    data: JByteBuffer<'l>,
    offset: i32,
    length: i32,
) -> i32 {
    native(&mut env, |env| {
        with_buffer(env, &data, offset, length, |data| {
            to_stream(engine, stream, |engine, stream| engine.send_body(stream, data))
        })
    })
}

pub(crate) extern "system" fn finish<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    trailers: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let trailers = if trailers.is_null() { None } else { Some(args::headers(env, &trailers)?) };
        Ok(to_stream(engine, stream, |engine, stream| engine.finish(stream, trailers))?)
    })
}

fn say(engine: i64, stream: i64, kind: MessageKind, data: &[u8], compress: bool) -> Result<i32, Error> {
    to_stream(engine, stream, |engine, stream| {
        if compress { engine.send(stream, kind, data) } else { engine.send_uncompressed(stream, kind, data) }
    })
}

fn say_gathered(
    engine: i64,
    stream: i64,
    kind: MessageKind,
    message: MessageBuffer,
    compress: bool,
) -> Result<i32, Error> {
    to_stream(engine, stream, |engine, stream| engine.send_buffer(stream, kind, message, compress))
}

#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn send<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    message: i32,
    data: JByteArray<'l>,
    offset: i32,
    length: i32,
    compress: bool,
) -> i32 {
    native(&mut env, |env| {
        let kind = kind(message)?;
        if let Some(message) = args::large(env, &data, offset, length)? {
            return Ok(say_gathered(engine, stream, kind, message, compress)?);
        }
        with_bytes(env, &data, offset, length, |data| say(engine, stream, kind, data, compress))
    })
}

/// A message in pieces: `ranges` has an offset and a length for each array.
#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn send_pieces<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    message: i32,
    pieces: JObjectArray<'l, JByteArray<'l>>,
    ranges: JIntArray<'l>,
    compress: bool,
) -> i32 {
    native(&mut env, |env| {
        let kind = kind(message)?;
        let message = args::gather(env, &pieces, &ranges)?;
        Ok(say_gathered(engine, stream, kind, message, compress)?)
    })
}

#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn send_buffer<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    message: i32,
    data: JByteBuffer<'l>,
    offset: i32,
    length: i32,
    compress: bool,
) -> i32 {
    native(&mut env, |env| {
        let kind = kind(message)?;
        with_buffer(env, &data, offset, length, |data| say(engine, stream, kind, data, compress))
    })
}

#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn send_fragment<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    message: i32,
    data: JByteArray<'l>,
    offset: i32,
    length: i32,
    last: bool,
) -> i32 {
    native(&mut env, |env| {
        let kind = kind(message)?;
        with_bytes(env, &data, offset, length, |data| {
            to_stream(engine, stream, |engine, stream| engine.send_fragment(stream, kind, data, last))
        })
    })
}

pub(crate) extern "system" fn ping<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    data: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let data = args::bytes(env, &data)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.ping(stream, &data))?)
    })
}

pub(crate) extern "system" fn pong<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    data: JByteArray<'l>,
) -> i32 {
    native(&mut env, |env| {
        let data = args::bytes(env, &data)?;
        Ok(to_stream(engine, stream, |engine, stream| engine.pong(stream, &data))?)
    })
}

/// Code -1: a Close without one.
pub(crate) extern "system" fn close<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    code: i32,
    reason: JString<'l>,
) -> i32 {
    native(&mut env, |env| {
        let reason = args::optional(env, &reason)?.unwrap_or_default();
        let code = match code {
            -1 => None,
            // what is no u16 is no close code, which the engine says
            code => Some(u16::try_from(code).unwrap_or(0)),
        };
        Ok(to_stream(engine, stream, |engine, stream| engine.close(stream, code, &reason))?)
    })
}

pub(crate) extern "system" fn abort<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    h2_code: i32,
) -> i32 {
    native(&mut env, |_| Ok(to_stream(engine, stream, |engine, stream| engine.abort(stream, h2_code as u32))?))
}

pub(crate) extern "system" fn cork<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64, stream: i64) -> i32 {
    native(&mut env, |_| Ok(to_stream(engine, stream, Engine::cork)?))
}

pub(crate) extern "system" fn uncork<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64, stream: i64) -> i32 {
    native(&mut env, |_| Ok(to_stream(engine, stream, Engine::uncork)?))
}

pub(crate) extern "system" fn demand<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    stream: i64,
    n: i32,
) -> i32 {
    native(&mut env, |_| {
        let n = u32::try_from(n).map_err(|_| Error::new(Status::InvalidArgument, format!("a demand of {n}")))?;
        Ok(to_stream(engine, stream, |engine, stream| engine.demand(stream, n))?)
    })
}
