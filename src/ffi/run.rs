//! Loops on the host's own threads: run, interrupted, stopped.

use super::engine::{h2ws_engine, host};
use super::guard::guard;
use super::status::h2ws_status;
use super::view::invalid;
use crate::host::{Engine, Error, Loop, Polled, Status};
use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    /// The loop of this thread; it is not here while it runs.
    static ENTERED: RefCell<Option<Loop>> = const { RefCell::new(None) };
}

/// Runs a loop of an engine of `h2ws_engine_create_driven` on the calling thread for `timeout_ms` milliseconds; -1: until the
/// engine ends. `loop` counts from 0 to `h2ws_config.loops` - 1. The callbacks of the loop's connections run inside, each when
/// there is something to tell. The first call binds the loop to the thread, for good.
///
/// H2WS_OK: the time was up, or `h2ws_interrupt` was called. H2WS_SHUTTING_DOWN: the loop has ended, every stream of it had its
/// `on_closed`, and there is nothing left to run. H2WS_WRONG_THREAD: inside a callback, or the thread has another loop.
/// H2WS_WRONG_STATE: another thread has the loop, or the engine has threads of its own. H2WS_INVALID_ARGUMENT, H2WS_IO.
///
/// Between two calls the loop rests, and its connections wait. What the thread then says to its streams is done at once, and on
/// its way with the next call. A thread that ends before its loop cuts the connections of the loop, without `on_closed`. Any
/// thread; blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_run(engine: *mut h2ws_engine, r#loop: u32, timeout_ms: i32) -> h2ws_status {
    guard("h2ws_run", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        let engine = unsafe { host(engine)? };
        let timeout = match timeout_ms {
            -1 => None,
            0.. => Some(Duration::from_millis(timeout_ms.unsigned_abs().into())),
            _ => return Err(invalid(format!("timeout_ms is {timeout_ms}; pass 0 or more, or -1 for no limit"))),
        };
        let mut entered = match ENTERED.take() {
            None => engine.enter(r#loop)?,
            Some(entered) if entered.is_of(engine) && entered.index() == r#loop => entered,
            Some(other) => {
                let text = format!("this thread has loop {} of an engine; run that one here", other.index());
                ENTERED.set(Some(other));
                return Err(Error::new(Status::WrongThread, text));
            }
        };
        match entered.run(timeout) {
            Polled::Turn => ENTERED.set(Some(entered)),
            Polled::Over => return Err(Error::new(Status::ShuttingDown, "the loop has ended")),
        }
        Ok(())
    })
}

/// Lets `h2ws_run` of a loop return soon, or, if the loop rests, as soon as it is called. Several calls before that are as one. For an
/// engine with threads of its own it does nothing.
///
/// Any thread, also inside a callback, and in a signal handler, which should keep `errno` as it was. Does not block.
/// H2WS_INVALID_ARGUMENT: there is no such loop; that one is not for signal handlers, since its text is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_interrupt(engine: *mut h2ws_engine, r#loop: u32) -> h2ws_status {
    guard("h2ws_interrupt", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.interrupt(r#loop)
    })
}

/// Begins the end of an engine: what is open is cut, every stream gets its `on_closed`, and each `h2ws_run` returns
/// H2WS_SHUTTING_DOWN, now or when it is called again. `h2ws_engine_destroy` follows. To end with good manners, call `h2ws_drain`
/// before.
///
/// Any thread, also inside a callback. Does not block. A second call does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_stop(engine: *mut h2ws_engine) -> h2ws_status {
    guard("h2ws_stop", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.stop();
        Ok(())
    })
}

/// The loop of `engine` that this thread has, if it rests.
fn take_rested(engine: &Engine) -> Option<Loop> {
    ENTERED.with(|entered| entered.borrow_mut().take_if(|entered| entered.is_of(engine)))
}

/// Drains an engine. Its loop of this thread, which cannot be waited for here, runs meanwhile.
pub(super) fn drain(engine: &Engine, deadline: Duration) -> Result<(), Error> {
    let Some(mut entered) = take_rested(engine) else { return engine.drain(deadline) };
    entered.drain(deadline);
    ENTERED.set(Some(entered));
    Ok(())
}

/// Ends an engine, with its loop of this thread.
pub(super) fn shut_down(engine: &Engine) -> Result<(), Error> {
    let own = take_rested(engine);
    if let Err(error) = engine.refuse_held(own.as_ref()) {
        if own.is_some() {
            ENTERED.set(own);
        }
        return Err(error);
    }
    if let Some(entered) = own {
        entered.end();
    }
    engine.shutdown()
}
