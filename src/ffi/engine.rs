//! `h2ws_engine`: created, drained, destroyed.

use super::callbacks::{self, Callbacks, h2ws_callbacks};
use super::config::{self, h2ws_config};
use super::guard::guard;
use super::run;
use super::status::h2ws_status;
use super::view::invalid;
use crate::host::{Engine, Error, Status};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An engine: event loops, their threads, and all that is open on them.
///
/// 1. `h2ws_engine_create` starts it.
/// 2. `h2ws_listen` and `h2ws_adopt` give it sockets.
/// 3. Callbacks tell what happens.
/// 4. `h2ws_drain` ends what is open, with good manners.
/// 5. `h2ws_engine_destroy` ends the rest and the engine.
///
/// Its functions: `h2ws_engine_create`, `h2ws_engine_destroy`, `h2ws_engine_stats`, `h2ws_drain`; of loops on the host's own
/// threads: `h2ws_engine_create_driven`, `h2ws_run`, `h2ws_interrupt`, `h2ws_stop`; `h2ws_listen`,
/// `h2ws_listener_address`, `h2ws_listener_close`, `h2ws_adopt`; of bytes that the host moves: `h2ws_attach`,
/// `h2ws_duplex_read`, `h2ws_duplex_write`, `h2ws_duplex_shut`, `h2ws_duplex_close`; of a stream: `h2ws_accept`, `h2ws_reject`, `h2ws_send`,
/// `h2ws_send_fragment`, `h2ws_ping`, `h2ws_pong`, `h2ws_close`; `h2ws_respond`, `h2ws_respond_start`, `h2ws_inform`,
/// `h2ws_send_body`, `h2ws_finish`, `h2ws_set_demand`; `h2ws_abort`, `h2ws_demand`, `h2ws_set_context`.
pub struct h2ws_engine {
    /// Set before the first callback: they get this struct's address while `h2ws_engine_create` still runs.
    engine: OnceLock<Engine>,
    callbacks: OnceLock<Callbacks>,
    /// A second destroy, from `on_destroy` say, must not free a second time.
    destroying: AtomicBool,
}

/// Starts an engine: its loops run when this returns. `config` may be NULL for the defaults. `config` and `callbacks` are
/// borrowed until the call returns; `callbacks->user` until `on_destroy`. `*out_engine` is owned, free it with
/// `h2ws_engine_destroy`.
///
/// H2WS_INVALID_CONFIG names the field, its value and its range; H2WS_IO: no threads or descriptors are to be had. When
/// it fails, nothing was started and `on_destroy` is not called. Any thread; blocks until the threads have started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_engine_create(
    config: *const h2ws_config,
    callbacks: *const h2ws_callbacks,
    out_engine: *mut *mut h2ws_engine,
) -> h2ws_status {
    // SAFETY: the caller's pointers, as the contract above wants them.
    guard("h2ws_engine_create", || unsafe { create(config, callbacks, out_engine, true) })
}

/// Makes an engine without threads: its loops run when threads of the host call `h2ws_run`. A host of one thread has one loop
/// (`h2ws_config.loops`), and needs no lock; each call of the system is cheaper too in a process of one thread. What is said to
/// the engine before its loops run waits for them.
///
/// The arguments, what is owned and what can go wrong are those of `h2ws_engine_create`. On a thread that has run a loop,
/// outside of callbacks, `h2ws_drain` and `h2ws_engine_destroy` run it on while they wait. Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_engine_create_driven(
    config: *const h2ws_config,
    callbacks: *const h2ws_callbacks,
    out_engine: *mut *mut h2ws_engine,
) -> h2ws_status {
    // SAFETY: the caller's pointers, as the contract above wants them.
    guard("h2ws_engine_create_driven", || unsafe { create(config, callbacks, out_engine, false) })
}

/// # Safety
/// As `h2ws_engine_create` says of its arguments.
unsafe fn create(
    config: *const h2ws_config,
    callbacks: *const h2ws_callbacks,
    out_engine: *mut *mut h2ws_engine,
    threads: bool,
) -> Result<(), Error> {
    // SAFETY: the caller's structs, as the contract wants them.
    let (config, callbacks) = unsafe {
        let config = config::read(config)?;
        let callbacks = callbacks::read(callbacks, &config)?;
        (config, callbacks)
    };
    let out_engine = output(out_engine, "out_engine")?;
    let engine = h2ws_engine::start(config, callbacks, threads)?;
    // SAFETY: not NULL, so writable (the caller's contract).
    unsafe { out_engine.write(engine) };
    Ok(())
}

/// Ends an engine: cuts what is left, so that every stream gets its `on_closed`, joins the threads, calls `on_destroy`,
/// frees it. Afterwards the pointer names nothing; no other thread may use it from the call on. NULL is allowed and does
/// nothing. To end with good manners, call `h2ws_drain` before.
///
/// Blocks until the callbacks that run have returned. Inside a callback it gives H2WS_WRONG_THREAD and the engine
/// lives on; inside `on_destroy` it gives H2WS_WRONG_STATE, and so while loops that other threads run (`h2ws_run`) have not ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_engine_destroy(engine: *mut h2ws_engine) -> h2ws_status {
    guard("h2ws_engine_destroy", || {
        if engine.is_null() {
            return Ok(());
        }
        // SAFETY: a live engine (the caller's contract). The reference ends before the box is taken back.
        unsafe { (*engine).stop()? };
        // SAFETY: made by `Box::into_raw` in `start`; `stop` succeeds once, all threads and callbacks have ended, and the
        // caller uses the pointer no more.
        drop(unsafe { Box::from_raw(engine) });
        Ok(())
    })
}

/// Ends what is open, with good manners: listeners close, each connection gets GOAWAY twice (RFC 9113 section 6.8),
/// each WebSocket a Close 1001, requests are answered. Blocks until every connection has ended; at `deadline_ms`
/// milliseconds what is left is cut, and that is H2WS_OK too. New calls to `h2ws_listen` and `h2ws_adopt` give
/// H2WS_SHUTTING_DOWN from then on.
///
/// Any thread but a callback's: there it gives H2WS_WRONG_THREAD.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_drain(engine: *mut h2ws_engine, deadline_ms: u32) -> h2ws_status {
    guard("h2ws_drain", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        let engine = unsafe { host(engine)? };
        run::drain(engine, Duration::from_millis(deadline_ms.into()))
    })
}

/// The engine behind the pointer of a call.
///
/// # Safety
/// `engine` is NULL or came from `h2ws_engine_create`, and is not destroyed while `'a` lasts.
pub(super) unsafe fn host<'a>(engine: *const h2ws_engine) -> Result<&'a Engine, Error> {
    // SAFETY: the same contract.
    match unsafe { engine.as_ref() } {
        Some(engine) => engine.engine.get().ok_or_else(|| Status::WrongState.into()),
        None => Err(invalid("engine is NULL; pass what h2ws_engine_create gave".into())),
    }
}

/// Refuses what only `on_duplex` would hear of, if there is none.
///
/// # Safety
/// As [`host`].
pub(super) unsafe fn needs_duplex(engine: *const h2ws_engine, what: &str) -> Result<(), Error> {
    // SAFETY: the same contract.
    let callbacks = unsafe { engine.as_ref() }.and_then(|engine| engine.callbacks.get());
    if callbacks.is_some_and(|callbacks| !callbacks.hear_of_duplexes()) {
        return Err(invalid(format!(
            "{what} needs callbacks->on_duplex, which is NULL; set it before h2ws_engine_create"
        )));
    }
    Ok(())
}

/// A required output.
pub(super) fn output<T>(pointer: *mut T, argument: &str) -> Result<*mut T, Error> {
    if pointer.is_null() {
        return Err(invalid(format!("{argument} is NULL; pass where the result goes")));
    }
    Ok(pointer)
}

impl h2ws_engine {
    fn start(config: crate::host::Config, callbacks: h2ws_callbacks, threads: bool) -> Result<*mut Self, Error> {
        let shell =
            Box::new(Self { engine: OnceLock::new(), callbacks: OnceLock::new(), destroying: AtomicBool::new(false) });
        // Given to the callbacks now, so it may not move, and only shared references are made of it from here on.
        let shell = Box::into_raw(shell);
        let handler = |engine| {
            let callbacks = Callbacks::new(callbacks, shell);
            // SAFETY: the box is freed below at the earliest, after this has returned. Both cells are empty: this runs
            // once.
            unsafe {
                let _ = (*shell).callbacks.set(callbacks);
                let _ = (*shell).engine.set(engine);
            }
            callbacks
        };
        let started = if threads { Engine::start(config, handler) } else { Engine::driven(config, handler) };
        if let Err(error) = started {
            // SAFETY: from `into_raw` above; an engine that has not started has no threads that could call back.
            drop(unsafe { Box::from_raw(shell) });
            return Err(error);
        }
        Ok(shell)
    }

    /// Ends the engine and calls `on_destroy`; succeeds once.
    fn stop(&self) -> Result<(), Error> {
        if self.destroying.swap(true, Ordering::AcqRel) {
            return Err(Error::new(Status::WrongState, "the engine is being destroyed already; destroy it once"));
        }
        if let Some(engine) = self.engine.get()
            && let Err(error) = run::shut_down(engine)
        {
            self.destroying.store(false, Ordering::Release);
            return Err(error);
        }
        if let Some(callbacks) = self.callbacks.get() {
            callbacks.destroyed();
        }
        Ok(())
    }
}
