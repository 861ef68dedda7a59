//! Engines and certificates by number, and the loop that a thread has entered. Java never holds a pointer: a number that names
//! nothing any more gives [`Status::Gone`], however late it is used.

use crate::recorder::{Recorder, with_loop};
use h2ws::{Config, Engine, Loop, Polled, Status, Tls};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::Duration;

/// A refused call.
pub(crate) use h2ws::Error;

/// Things by number. Numbers are never used again.
pub(crate) struct Numbered<T> {
    last: AtomicU64,
    things: LazyLock<RwLock<HashMap<u64, T>>>,
}

impl<T: Clone> Numbered<T> {
    const fn new() -> Self {
        Self { last: AtomicU64::new(0), things: LazyLock::new(RwLock::default) }
    }

    pub(crate) fn add(&self, thing: T) -> u64 {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.things.write().unwrap_or_else(PoisonError::into_inner).insert(number, thing);
        number
    }

    pub(crate) fn get(&self, number: u64) -> Result<T, Error> {
        let things = self.things.read().unwrap_or_else(PoisonError::into_inner);
        things.get(&number).cloned().ok_or_else(|| Status::Gone.into())
    }

    pub(crate) fn remove(&self, number: u64) -> Result<T, Error> {
        let removed = self.things.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        removed.ok_or_else(|| Status::Gone.into())
    }
}

/// All engines of the process.
pub(crate) static ENGINES: Numbered<Engine> = Numbered::new();
/// All certificates of the process.
pub(crate) static CERTIFICATES: Numbered<Tls> = Numbered::new();

/// The loop of a thread.
struct Entered {
    number: u64,
    engine: Engine,
    of_engine: Loop,
}

thread_local! {
    static ENTERED: RefCell<Option<Entered>> = const { RefCell::new(None) };
    static POLLS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside [`poll`].
pub(crate) fn polls() -> bool {
    POLLS.get()
}

/// As long as a poll lasts, however it ends.
struct Polls;

impl Polls {
    fn begin() -> Self {
        POLLS.set(true);
        Self
    }
}

impl Drop for Polls {
    fn drop(&mut self) {
        POLLS.set(false);
    }
}

/// Gives `f` an engine; without looking it up on a thread of its own loops.
pub(crate) fn with_engine<R>(number: u64, f: impl FnOnce(&Engine) -> Result<R, Error>) -> Result<R, Error> {
    ENTERED.with(|entered| {
        if let Ok(entered) = entered.try_borrow()
            && let Some(entered) = &*entered
            && entered.number == number
        {
            return f(&entered.engine);
        }
        f(&ENGINES.get(number)?)
    })
}

/// Makes an engine: its loops wait until they are entered.
pub(crate) fn start(config: Config) -> Result<u64, Error> {
    Engine::driven(config, Recorder::new).map(|engine| ENGINES.add(engine))
}

/// Makes this thread a loop's.
pub(crate) fn enter(number: u64, index: u32) -> Result<(), Error> {
    let engine = ENGINES.get(number)?;
    let of_engine = engine.enter(index)?;
    ENTERED.with(|entered| *entered.borrow_mut() = Some(Entered { number, engine, of_engine }));
    with_loop(|of_loop| *of_loop = Default::default());
    Ok(())
}

/// Gives the thread's loop up.
pub(crate) fn leave() {
    let entered = ENTERED.with(|entered| entered.borrow_mut().take());
    drop(entered);
    with_loop(|of_loop| *of_loop = Default::default());
}

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There may be records.
    Records,
    /// The next record needs a buffer of so many bytes.
    More(usize),
    /// The loop has ended.
    Over,
}

/// Runs this thread's loop until there is something to tell. Afterwards the records are in its batch.
pub(crate) fn poll(room: usize, timeout: Option<Duration>) -> Result<Turn, Error> {
    let waits = with_loop(|of_loop| {
        of_loop.batch.begin(room);
        of_loop.batch.waits()
    });
    if waits {
        return Ok(with_loop(|of_loop| of_loop.batch.refill().map_or_else(Turn::More, |()| Turn::Records)));
    }
    let polled = ENTERED.with(|entered| {
        let mut entered = entered.borrow_mut();
        let Some(Entered { of_engine, .. }) = &mut *entered else {
            return Err(Error::from(Status::WrongThread));
        };
        let _polls = Polls::begin();
        Ok(of_engine.poll(timeout))
    })?;
    with_loop(|of_loop| {
        let batch = &mut of_loop.batch;
        if batch.records().is_empty() {
            if batch.waits() {
                return Ok(batch.refill().map_or_else(Turn::More, |()| Turn::Records));
            }
            if polled == Polled::Over {
                return Ok(Turn::Over);
            }
        }
        Ok(Turn::Records)
    })
}
