//! The wall around every export: an error becomes a number and a text to be asked for, a panic too.

use super::status::{H2WS_OK, H2WS_PANIC, h2ws_status};
use crate::host::{Error, Status};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A failed call. The text is put together when it is asked for: `Busy` and `Gone` must cost nothing.
struct Failure {
    function: &'static str,
    error: Error,
}

thread_local! {
    static LAST: Cell<Option<Failure>> = const { Cell::new(None) };
}

/// Runs the body of the export `function`.
pub(super) fn guard(function: &'static str, body: impl FnOnce() -> Result<(), Error>) -> h2ws_status {
    // AssertUnwindSafe: the body works on the engine through `&Engine`, whose state is kept by tasks of its own, and
    // its outputs are written last.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => H2WS_OK,
        Ok(Err(error)) => refuse(function, error),
        Err(panic) => {
            refuse(function, Error::new(Status::Panic, format!("a bug in h2ws was caught: {}", panic_text(&*panic))));
            H2WS_PANIC
        }
    }
}

/// The same for an export that has no status to give.
pub(super) fn shielded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// `h2ws_send: a queue is full, ...`; empty when no call on this thread has failed.
pub(super) fn last_error() -> String {
    // A thread that is ending has lost its slot: then there is no text, and no panic either.
    LAST.try_with(|last| {
        let failure = last.take();
        let text = failure.as_ref().map(|f| format!("{}: {}", f.function, f.error.text()));
        last.set(failure);
        text.unwrap_or_default()
    })
    .unwrap_or_default()
}

#[cold]
fn refuse(function: &'static str, error: Error) -> h2ws_status {
    let status = error.status().code();
    // As above: on a thread that is ending the number alone is left.
    let _ = LAST.try_with(|last| last.set(Some(Failure { function, error })));
    status
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_a_text() {
        assert_eq!(guard("h2ws_f", || panic!("count was {}", 3)), H2WS_PANIC);
        assert_eq!(last_error(), "h2ws_f: a bug in h2ws was caught: count was 3");
        assert_eq!(guard("h2ws_f", || panic!("static")), H2WS_PANIC);
        assert_eq!(last_error(), "h2ws_f: a bug in h2ws was caught: static");
        assert_eq!(guard("h2ws_f", || std::panic::panic_any(7)), H2WS_PANIC);
        assert_eq!(last_error(), "h2ws_f: a bug in h2ws was caught: no text");
    }

    #[test]
    fn success_leaves_the_last_error_and_it_can_be_read_twice() {
        assert_eq!(last_error(), "", "nothing has failed on this thread");
        assert_eq!(guard("h2ws_g", || Err(Status::Gone.into())), Status::Gone.code());
        assert_eq!(guard("h2ws_h", || Ok(())), H2WS_OK);
        for _ in 0..2 {
            assert_eq!(last_error(), format!("h2ws_g: {}", Status::Gone.text()));
        }
    }

    #[test]
    fn the_last_error_is_of_this_thread() {
        guard("h2ws_g", || Err(Status::Busy.into()));
        let other = std::thread::spawn(last_error).join().expect("does not panic");
        assert_eq!(other, "", "another thread sees nothing");
    }

    #[test]
    fn shielded_gives_the_other_value() {
        assert_eq!(shielded(5, || panic!("no")), 5);
        assert_eq!(shielded(5, || 6), 6);
    }
}
