//! Loops on the host's own threads: it decides when they run.

use super::Engine;
use crate::engine::config::Config;
use crate::engine::event::Handler;
use crate::engine::loops::{Wheel, on_any_loop};
use crate::engine::shared::LoopShared;
use crate::engine::status::{Error, Status};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A loop of an engine that [`Engine::driven`] made, bound to the thread that entered it. It does nothing but inside
/// [`Self::run`], [`Self::poll`], [`Self::drain`] and [`Self::end`]; connections wait meanwhile.
///
/// Between these the thread is the loop's own: what it says to the loop's streams is done at once, by the next of them it is on
/// its way. Dropping a loop that has not ended cuts its connections without a word to anybody.
pub struct Loop {
    wheel: Wheel,
    held: Held,
    /// A loop belongs to its thread.
    _not_send: PhantomData<Rc<()>>,
}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loop")
    }
}

/// A loop of the engine that a thread has.
struct Held(Engine, u32);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.shared.held.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How a [`Loop::poll`] or a [`Loop::run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The handler has been called (of a poll), the time was up, or the host has interrupted it.
    Turn,
    /// The engine has ended, and every stream had its `closed`. There is nothing left to poll.
    Over,
}

impl Loop {
    /// Runs the loop until its handler has been called, or for `timeout`; `None`: for as long as nothing happens.
    ///
    /// The handler is called inside, perhaps many times: once for each event of all connections that had something to say.
    /// Blocks; to be called outside of callbacks.
    pub fn poll(&mut self, timeout: Option<Duration>) -> Polled {
        if self.wheel.poll(timeout) { Polled::Turn } else { Polled::Over }
    }

    /// Runs the loop for `timeout`, `None`: until the engine [ends](Engine::stop); in both cases no longer than until the host
    /// [interrupts](Engine::interrupt) it. For a handler that deals with each event when it is told: it gets the next without a turn
    /// of its host in between, as on a loop that has a thread of its own.
    ///
    /// Blocks; to be called outside of callbacks.
    pub fn run(&mut self, timeout: Option<Duration>) -> Polled {
        if self.wheel.run_for(timeout) { Polled::Turn } else { Polled::Over }
    }

    /// As [`Engine::drain`], which waits for the loops and so cannot be called on the thread of one: runs this loop meanwhile. Those
    /// of other threads run on there.
    pub fn drain(&mut self, deadline: Duration) {
        let engine = self.held.0.clone();
        engine.begin_drain(deadline);
        if !self.run_until_idle(&engine, deadline) {
            engine.cut();
            self.run_until_idle(&engine, Duration::from_secs(1));
        }
    }

    /// False if the time was up first.
    fn run_until_idle(&mut self, engine: &Engine, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if engine.shared.is_idle() {
                return true;
            }
            if left.is_zero() || self.run(Some(left)) == Polled::Over {
                return false;
            }
        }
    }

    /// [Stops](Engine::stop) the engine, and runs this loop to its end: every stream of it gets its `closed`.
    pub fn end(mut self) {
        self.held.0.stop();
        while self.run(None) != Polled::Over {}
    }

    /// Whether it is a loop of this engine.
    pub fn is_of(&self, engine: &Engine) -> bool {
        std::ptr::eq(&raw const *self.held.0.shared, &raw const *engine.shared)
    }

    /// Its number, counted from 0.
    pub fn index(&self) -> u32 {
        self.held.1
    }
}

impl Engine {
    /// Makes an engine without threads: its loops run when threads of the host [`Self::enter`] and poll them. Until then
    /// what is said to it waits. `handler` is called once, with the engine, to make the host's handler.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`] names the field, its value and its range.
    pub fn driven<H: Handler>(config: Config, handler: impl FnOnce(Self) -> H) -> Result<Self, Error> {
        Self::make(config, handler).map(|(engine, _)| engine)
    }

    /// How many loops it has.
    pub fn loops(&self) -> u32 {
        self.shared.loops.len() as u32
    }

    /// Binds a loop, counted from 0, to the calling thread.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`]: there is none of this number; [`Status::WrongState`]: somebody has entered it, or it has a thread
    /// of its own; [`Status::WrongThread`]: this thread has a loop; [`Status::ShuttingDown`]; [`Status::Io`].
    pub fn enter(&self, index: u32) -> Result<Loop, Error> {
        let of_loop = self.of_loop(index)?;
        if on_any_loop() {
            return Err(Error::new(Status::WrongThread, "this thread has a loop already, as it has inside a callback"));
        }
        let handler = self.shared.handler().ok_or(Status::ShuttingDown)?;
        if of_loop.entered.swap(true, Ordering::AcqRel) {
            return Err(Error::new(Status::WrongState, format!("loop {index} has a thread")));
        }
        let wheel = Wheel::driven(&self.shared, index as usize, handler).map_err(|e| {
            of_loop.entered.store(false, Ordering::Release);
            Error::new(Status::Io, format!("loop {index} could not be started: {e}"))
        })?;
        self.shared.held.fetch_add(1, Ordering::AcqRel);
        Ok(Loop { wheel, held: Held(self.clone(), index), _not_send: PhantomData })
    }

    /// Lets a [`Loop::run`] or [`Loop::poll`] of this loop return soon; if none is under way, the next one. Several of these before that
    /// are as one. Nothing happens to a loop that has a thread of its own. May be called in a signal handler.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`]: there is none of this number.
    pub fn interrupt(&self, index: u32) -> Result<(), Error> {
        self.of_loop(index)?.interrupts.interrupt();
        Ok(())
    }

    /// Refuses if a thread of the host has a loop that has not ended, other than `own`, which is this thread's and rests.
    pub(crate) fn refuse_held(&self, own: Option<&Loop>) -> Result<(), Error> {
        if own.is_none() {
            super::engine::refuse_on_loop("shutdown")?;
        }
        if self.shared.held.load(Ordering::Acquire) > usize::from(own.is_some()) {
            let text = "a loop of another thread has not ended; stop the engine, and let that thread run it to its end";
            return Err(Error::new(Status::WrongState, text));
        }
        Ok(())
    }

    fn of_loop(&self, index: u32) -> Result<&LoopShared, Error> {
        self.shared.loops.get(index as usize).ok_or_else(|| {
            let text = format!("there is no loop {index}; the engine has {}, counted from 0", self.loops());
            Error::new(Status::InvalidArgument, text)
        })
    }

    /// Begins the end: nothing new is taken, and each loop cuts what it has, gives every stream its `closed` and ends. Does not
    /// wait; [`Self::shutdown`] does. For a [driven](Self::driven) engine that is: `stop`, poll each loop until it is over, then
    /// `shutdown`. A second call does nothing.
    pub fn stop(&self) {
        self.shared.draining.store(true, Ordering::Release);
        self.shared.listeners.close_all();
        self.tell_all(|| crate::engine::command::Command::Stop);
    }
}
