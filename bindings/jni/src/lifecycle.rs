//! Natives of engines, loops and listeners.

use crate::args::{self, Refusal, native};
use crate::engines::{self, CERTIFICATES, ENGINES, Turn, with_engine};
use crate::record::LAYOUT;
use crate::takeover;
use h2ws::{Config, Error, FIELDS, Fallback, ListenOptions, ListenerId, Status};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JByteBuffer, JClass, JIntArray, JLongArray, JObject, JObjectArray, JString};
use std::time::Duration;

/// `Native.poll`: the loop has ended.
const ENDED: i32 = -1000;
/// `Native.poll`: the next record needs a larger buffer.
const MORE: i32 = -1001;

thread_local! {
    /// How large.
    static NEEDED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

type Strings<'l> = JObjectArray<'l, JString<'l>>;

pub(crate) extern "system" fn layout<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>) -> JIntArray<'l> {
    native(&mut env, |env| {
        let array = env.new_int_array(LAYOUT.len())?;
        array.set_region(env, 0, &LAYOUT)?;
        Ok(array)
    })
}

pub(crate) extern "system" fn last_error<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>) -> JString<'l> {
    native(&mut env, |env| Ok(env.new_string(args::last_error())?))
}

pub(crate) extern "system" fn stat_names<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>) -> Strings<'l> {
    native(&mut env, |env| {
        let names: Vec<&str> = h2ws::Stats::default().fields().map(|(name, _)| name).collect();
        let array = JObjectArray::<JString<'_>>::new(env, names.len(), JString::null())?;
        for (index, name) in names.iter().enumerate() {
            let name = env.new_string(name)?;
            array.set_element(env, index, &name)?;
            env.delete_local_ref(name);
        }
        Ok(array)
    })
}

/// Sets a field by its name.
fn set(config: &mut Config, name: &str, value: i64) -> Result<(), Error> {
    let flag = match name {
        "deflate" => Some(&mut config.deflate),
        "deflate_server_takeover" => Some(&mut config.deflate_server_takeover),
        "deflate_client_takeover" => Some(&mut config.deflate_client_takeover),
        _ => None,
    };
    let invalid = |range: &str| Error::new(Status::InvalidConfig, format!("{name} is {value}; it must be {range}"));
    if name == "fallback" {
        config.fallback = match value {
            0 => Fallback::Off,
            // Java could make nothing of a descriptor
            2 => Fallback::Duplex,
            _ => return Err(invalid("0 or 2")),
        };
        return Ok(());
    }
    if let Some(flag) = flag {
        *flag = match value {
            0 => false,
            1 => true,
            _ => return Err(invalid("0 or 1")),
        };
        return Ok(());
    }
    let Some((_, field, low, high)) = FIELDS.iter().find(|field| field.0 == name) else {
        return Err(Error::new(Status::InvalidConfig, format!("there is no configuration field {name:?}")));
    };
    *field(config) = u32::try_from(value).map_err(|_| invalid(&format!("from {low} to {high}")))?;
    Ok(())
}

pub(crate) extern "system" fn start<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    names: Strings<'l>,
    values: JLongArray<'l>,
) -> i64 {
    native(&mut env, |env| {
        let names = args::strings(env, &names)?;
        let mut numbers = vec![0; names.len()];
        values.get_region(env, 0, &mut numbers)?;
        let mut config = Config::default();
        for (name, value) in names.iter().zip(numbers) {
            set(&mut config, name, value)?;
        }
        Ok(engines::start(config)? as i64)
    })
}

pub(crate) extern "system" fn loops<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64) -> i32 {
    native(&mut env, |_| Ok(with_engine(engine as u64, |engine| Ok(engine.loops() as i32))?))
}

pub(crate) extern "system" fn enter<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64, index: i32) -> i32 {
    native(&mut env, |_| {
        let index = u32::try_from(index).map_err(|_| Error::from(Status::InvalidArgument))?;
        engines::enter(engine as u64, index)?;
        Ok(0)
    })
}

pub(crate) extern "system" fn poll<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    buffer: JByteBuffer<'l>,
    timeout: i64,
) -> i32 {
    native(&mut env, |env| {
        let address = env.get_direct_buffer_address(&buffer)?;
        let room = env.get_direct_buffer_capacity(&buffer)?.min(i32::MAX as usize);
        let timeout = u64::try_from(timeout).ok().map(Duration::from_millis);
        // SAFETY: a direct buffer of `room` bytes, which Java keeps while the native runs and touches on this thread only
        let buffer = unsafe { std::slice::from_raw_parts_mut(address, room) };
        Ok(match engines::poll(buffer, timeout)? {
            Turn::Over => ENDED,
            Turn::More(needed) => {
                NEEDED.set(needed);
                MORE
            }
            Turn::Records(length) => length as i32,
        })
    })
}

pub(crate) extern "system" fn needed<'l>(_: EnvUnowned<'l>, _: JClass<'l>) -> i32 {
    i32::try_from(NEEDED.get()).unwrap_or(i32::MAX)
}

pub(crate) extern "system" fn leave<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>) {
    native(&mut env, |_| {
        engines::leave();
        Ok(())
    });
}

pub(crate) extern "system" fn stop<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64) -> i32 {
    native(&mut env, |_| {
        with_engine(engine as u64, |engine| {
            engine.stop();
            Ok(())
        })?;
        Ok(0)
    })
}

pub(crate) extern "system" fn release<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64) -> i32 {
    native(&mut env, |_| {
        ENGINES.get(engine as u64)?.shutdown()?;
        ENGINES.remove(engine as u64)?;
        Ok(0)
    })
}

pub(crate) extern "system" fn drain<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64, millis: i64) -> i32 {
    native(&mut env, |_| {
        let limit = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        ENGINES.get(engine as u64)?.drain(limit)?;
        Ok(0)
    })
}

pub(crate) extern "system" fn stats<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, engine: i64) -> JLongArray<'l> {
    native(&mut env, |env| {
        let values: Vec<i64> =
            with_engine(engine as u64, |engine| Ok(engine.stats().fields().map(|(_, value)| value as i64).collect()))?;
        let array = env.new_long_array(values.len())?;
        array.set_region(env, 0, &values)?;
        Ok(array)
    })
}

/// Flags 1: no WebSockets, 2: no HTTP/1.1, 4: no HTTP/2, 8: raw. `tls` 0: cleartext.
pub(crate) fn options(tls: i64, flags: i32) -> Result<ListenOptions, Error> {
    let tls = if tls == 0 { None } else { Some(CERTIFICATES.get(tls as u64)?) };
    Ok(ListenOptions {
        websockets: flags & 1 == 0,
        http1: flags & 2 == 0,
        http2: flags & 4 == 0,
        raw: flags & 8 != 0,
        tls,
    })
}

pub(crate) extern "system" fn listen<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    address: JString<'l>,
    tls: i64,
    flags: i32,
) -> i64 {
    native(&mut env, |env| {
        let address = args::string(env, &address)?;
        let options = options(tls, flags)?;
        Ok(with_engine(engine as u64, |engine| engine.listen(&address, &options))?.to_raw() as i64)
    })
}

pub(crate) extern "system" fn listener_address<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    listener: i64,
) -> JString<'l> {
    native(&mut env, |env| {
        let id = ListenerId::from_raw(listener as u64);
        let address = with_engine(engine as u64, |engine| engine.listener_address(id))?;
        Ok(env.new_string(address)?)
    })
}

pub(crate) extern "system" fn close_listener<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    listener: i64,
) -> i32 {
    native(&mut env, |_| {
        let id = ListenerId::from_raw(listener as u64);
        with_engine(engine as u64, |engine| engine.close_listener(id))?;
        Ok(0)
    })
}

#[allow(clippy::too_many_arguments)]
pub(crate) extern "system" fn adopt<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: i64,
    descriptor: i32,
    already_read: JByteArray<'l>,
    length: i32,
    tls: i64,
    flags: i32,
) -> i64 {
    native(&mut env, |env| {
        // ours from here on, also if something else is wrong
        let socket = takeover::own(descriptor)?;
        let options = options(tls, flags)?;
        let connection = args::with_bytes(env, &already_read, 0, length, |already_read| {
            with_engine(engine as u64, |engine| engine.adopt(socket, already_read, &options))
        })?;
        Ok(connection.to_raw() as i64)
    })
}

pub(crate) extern "system" fn take_over<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, socket: JObject<'l>) -> i32 {
    native(&mut env, |env| takeover::take_over(env, &socket))
}

pub(crate) extern "system" fn take_over_descriptor<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, descriptor: i32) -> i32 {
    native(&mut env, |_| Ok(takeover::take_over_descriptor(descriptor)?))
}

pub(crate) extern "system" fn close_fd<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, descriptor: i32) -> i32 {
    native(&mut env, |_| {
        drop(takeover::own(descriptor).map_err(Refusal::from)?);
        Ok(0)
    })
}
