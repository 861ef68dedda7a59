//! Binds the natives to `dev.h2ws.internal.Native` when the library is loaded.

use crate::{duplex, exchange, lifecycle, tls};
use jni::errors::Result;
use jni::strings::JNIStr;
use jni::{Env, JavaVM, NativeMethod, jni_str};
use std::ffi::c_void;

/// What JNI this needs: that of Java 8.
const VERSION: i32 = jni::sys::JNI_VERSION_1_8;

/// Name, signature and function of each native, in the order of `Native.java`.
fn natives() -> Vec<(&'static JNIStr, &'static JNIStr, *mut c_void)> {
    macro_rules! native {
        ($name:literal, $signature:literal, $function:path) => {
            (jni_str!($name), jni_str!($signature), $function as *mut c_void)
        };
    }
    vec![
        native!("layout", "()[I", lifecycle::layout),
        native!("lastError", "()Ljava/lang/String;", lifecycle::last_error),
        native!("statNames", "()[Ljava/lang/String;", lifecycle::stat_names),
        native!("start", "([Ljava/lang/String;[J)J", lifecycle::start),
        native!("loops", "(J)I", lifecycle::loops),
        native!("enter", "(JI)I", lifecycle::enter),
        native!("poll", "(Ljava/nio/ByteBuffer;J)I", lifecycle::poll),
        native!("needed", "()I", lifecycle::needed),
        native!("leave", "()V", lifecycle::leave),
        native!("stop", "(J)I", lifecycle::stop),
        native!("release", "(J)I", lifecycle::release),
        native!("drain", "(JJ)I", lifecycle::drain),
        native!("stats", "(J)[J", lifecycle::stats),
        native!("listen", "(JLjava/lang/String;JI)J", lifecycle::listen),
        native!("listenerAddress", "(JJ)Ljava/lang/String;", lifecycle::listener_address),
        native!("closeListener", "(JJ)I", lifecycle::close_listener),
        native!("adopt", "(JI[BIJI)J", lifecycle::adopt),
        native!("tlsCreate", "([Ljava/lang/Object;[Ljava/lang/Object;Ljava/lang/Object;I)J", tls::create),
        native!("tlsReload", "(J[Ljava/lang/Object;[Ljava/lang/Object;Ljava/lang/Object;I)I", tls::reload),
        native!("tlsRelease", "(J)I", tls::release),
        native!("accept", "(JJJLjava/lang/String;[BII)I", exchange::accept),
        native!("reject", "(JJI[B[B)I", exchange::reject),
        native!("respond", "(JJI[B[B)I", exchange::respond),
        native!("respondStart", "(JJI[B)I", exchange::respond_start),
        native!("inform", "(JJI[B)I", exchange::inform),
        native!("sendBody", "(JJ[BII)I", exchange::send_body),
        native!("sendBodyBuffer", "(JJLjava/nio/ByteBuffer;II)I", exchange::send_body_buffer),
        native!("finish", "(JJ[B)I", exchange::finish),
        native!("send", "(JJI[BIIZ)I", exchange::send),
        native!("sendBuffer", "(JJILjava/nio/ByteBuffer;IIZ)I", exchange::send_buffer),
        native!("sendPieces", "(JJI[[B[IZ)I", exchange::send_pieces),
        native!("sendFragment", "(JJI[BIIZ)I", exchange::send_fragment),
        native!("ping", "(JJ[B)I", exchange::ping),
        native!("pong", "(JJ[B)I", exchange::pong),
        native!("close", "(JJILjava/lang/String;)I", exchange::close),
        native!("abort", "(JJI)I", exchange::abort),
        native!("cork", "(JJ)I", exchange::cork),
        native!("uncork", "(JJ)I", exchange::uncork),
        native!("demand", "(JJI)I", exchange::demand),
        native!("takeOver", "(Ljava/lang/Object;)I", lifecycle::take_over),
        native!("takeOverDescriptor", "(I)I", lifecycle::take_over_descriptor),
        native!("closeFd", "(I)I", lifecycle::close_fd),
        native!("attach", "(JLjava/lang/String;[Ljava/lang/String;[[BI)J", duplex::attach),
        native!("duplexWrite", "(JJ[BII)I", duplex::write),
        native!("duplexWriteBuffer", "(JJLjava/nio/ByteBuffer;II)I", duplex::write_buffer),
        native!("duplexReadBuffer", "(JJLjava/nio/ByteBuffer;II)I", duplex::read_buffer),
        native!("duplexShut", "(JJ)I", duplex::shut),
        native!("duplexClose", "(JJZ)I", duplex::close),
    ]
}

fn register(env: &mut Env<'_>) -> Result<()> {
    let class = env.find_class(jni_str!("dev/h2ws/internal/Native"))?;
    let methods: Vec<NativeMethod<'_>> = natives()
        .into_iter()
        // SAFETY: each function has the signature that stands beside it, behind env and class
        .map(|(name, signature, function)| unsafe { NativeMethod::from_raw_parts(name, signature, function) })
        .collect();
    // SAFETY: all of them are static natives of this class
    unsafe { env.register_native_methods(&class, &methods) }
}

/// Called by the JVM. An exception is pending if it fails, or `UnsatisfiedLinkError` follows.
///
/// # Safety
/// For the JVM alone to call, with its own pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn JNI_OnLoad(vm: *mut jni::sys::JavaVM, _: *mut c_void) -> i32 {
    // SAFETY: the JVM's own pointer
    let vm = unsafe { JavaVM::from_raw(vm) };
    let registered = vm.with_top_local_frame(register);
    if registered.is_ok() { VERSION } else { jni::sys::JNI_ERR }
}
