//! Natives of certificates and keys.

use crate::args::{self, Refusal, native};
use crate::engines::CERTIFICATES;
use h2ws::{ClientAuth, Error, Identity, Source, Status, Tls, TlsConfig};
use jni::objects::{JByteArray, JClass, JObject, JObjectArray, JString};
use jni::{Env, EnvUnowned};

fn invalid(text: &'static str) -> Refusal {
    Error::new(Status::InvalidArgument, text).into()
}

/// A `String` is a file's path, a `byte[]` the bytes themselves.
fn source(env: &mut Env<'_>, object: JObject<'_>) -> Result<Source, Refusal> {
    if object.is_null() {
        return Err(invalid("a certificate or key is null"));
    }
    let string = env.find_class(jni::jni_str!("java/lang/String"))?;
    let path = env.is_instance_of(&object, &string)?;
    env.delete_local_ref(string);
    let source = if path {
        let path = env.cast_local::<JString<'_>>(object)?;
        let source = Source::File(args::string(env, &path)?.into());
        env.delete_local_ref(path);
        source
    } else {
        let array = env.cast_local::<JByteArray<'_>>(object)?;
        let source = Source::Bytes(args::bytes(env, &array)?);
        env.delete_local_ref(array);
        source
    };
    Ok(source)
}

fn config(
    env: &mut Env<'_>,
    chains: &JObjectArray<'_>,
    keys: &JObjectArray<'_>,
    roots: JObject<'_>,
    client_auth: i32,
) -> Result<TlsConfig, Refusal> {
    let mut identities = Vec::new();
    let count = chains.len(env)?;
    if keys.len(env)? != count {
        return Err(invalid("each certificate chain has one key"));
    }
    for index in 0..count {
        let (chain, key) = (chains.get_element(env, index)?, keys.get_element(env, index)?);
        identities.push(Identity { chain: source(env, chain)?, key: source(env, key)? });
    }
    let client_auth = match client_auth {
        0 => ClientAuth::None,
        1 => ClientAuth::Optional(source(env, roots)?),
        2 => ClientAuth::Required(source(env, roots)?),
        _ => return Err(invalid("client authentication is 0, 1 or 2")),
    };
    Ok(TlsConfig { identities, client_auth })
}

pub(crate) extern "system" fn create<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    chains: JObjectArray<'l>,
    keys: JObjectArray<'l>,
    roots: JObject<'l>,
    client_auth: i32,
) -> i64 {
    native(&mut env, |env| {
        let config = config(env, &chains, &keys, roots, client_auth)?;
        Ok(CERTIFICATES.add(Tls::new(&config)?) as i64)
    })
}

pub(crate) extern "system" fn reload<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    tls: i64,
    chains: JObjectArray<'l>,
    keys: JObjectArray<'l>,
    roots: JObject<'l>,
    client_auth: i32,
) -> i32 {
    native(&mut env, |env| {
        let tls = CERTIFICATES.get(tls as u64)?;
        tls.reload(&config(env, &chains, &keys, roots, client_auth)?)?;
        Ok(0)
    })
}

pub(crate) extern "system" fn release<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>, tls: i64) -> i32 {
    native(&mut env, |_| {
        CERTIFICATES.remove(tls as u64)?;
        Ok(0)
    })
}
