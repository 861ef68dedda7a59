//! Engines and certificates by number, and the loop that a thread has entered. Java never holds a pointer: a number that names
//! nothing any more gives [`Status::Gone`], however late it is used.

use crate::recorder::{Recorder, with_loop};
use h2ws::{Config, Engine, Loop, Polled, Status, Tls};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// A refused call.
pub(crate) use h2ws::Error;

/// Things by number. Numbers are never used again.
pub(crate) struct Numbered<T> {
    last: AtomicU64,
    things: RwLock<BTreeMap<u64, T>>,
}

impl<T: Clone> Numbered<T> {
    const fn new() -> Self {
        Self { last: AtomicU64::new(0), things: RwLock::new(BTreeMap::new()) }
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

/// As long as a poll lasts, however it ends: the batch writes into Java's buffer.
struct Polls<'a>(PhantomData<&'a mut [u8]>);

impl<'a> Polls<'a> {
    fn begin(buffer: &'a mut [u8]) -> Self {
        POLLS.set(true);
        // SAFETY: borrowed as long as this lives, and its end is the batch's
        with_loop(|of_loop| unsafe { of_loop.batch.begin(buffer) });
        Self(PhantomData)
    }
}

impl Drop for Polls<'_> {
    fn drop(&mut self) {
        POLLS.set(false);
        with_loop(|of_loop| of_loop.batch.end());
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
    /// So many bytes of records; there may be none.
    Records(usize),
    /// The next record needs a buffer of so many bytes.
    More(usize),
    /// The loop has ended.
    Over,
}

impl Turn {
    /// What waits, as far as there is room.
    fn refilled() -> Self {
        with_loop(|of_loop| match of_loop.batch.refill() {
            Ok(()) => Self::Records(of_loop.batch.records().len()),
            Err(needed) => Self::More(needed),
        })
    }
}

/// Runs this thread's loop until there is something to tell, and writes that into `buffer`.
pub(crate) fn poll(buffer: &mut [u8], timeout: Option<Duration>) -> Result<Turn, Error> {
    let _polls = Polls::begin(buffer);
    if with_loop(|of_loop| of_loop.batch.waits()) {
        return Ok(Turn::refilled());
    }
    let polled = ENTERED.with(|entered| {
        let mut entered = entered.borrow_mut();
        let Some(Entered { of_engine, .. }) = &mut *entered else {
            return Err(Error::from(Status::WrongThread));
        };
        Ok(of_engine.poll(timeout))
    })?;
    let (length, waits) = with_loop(|of_loop| (of_loop.batch.records().len(), of_loop.batch.waits()));
    Ok(match length {
        0 if waits => Turn::refilled(),
        0 if polled == Polled::Over => Turn::Over,
        length => Turn::Records(length),
    })
}
