//! Loops on the host's own threads: it decides when they run, and hears of what happened while they ran.

use super::Engine;
use crate::engine::config::Config;
use crate::engine::event::Handler;
use crate::engine::loops::Wheel;
use crate::engine::status::{Error, Status};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A loop of an engine that [`Engine::driven`] made, bound to the thread that entered it. It does nothing but inside
/// [`Self::poll`]; connections wait meanwhile.
///
/// Between two polls the thread is the loop's own: what it says to the loop's streams is done at once, by the next poll it is on
/// its way. Dropping a loop that has not ended cuts its connections without a word to anybody.
pub struct Loop {
    wheel: Wheel,
    /// A loop belongs to its thread.
    _not_send: PhantomData<Rc<()>>,
}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loop")
    }
}

/// How a [`Loop::poll`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The handler has been called, or the time was up.
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
        let Some(of_loop) = self.shared.loops.get(index as usize) else {
            let text = format!("there is no loop {index}; the engine has {}, counted from 0", self.loops());
            return Err(Error::new(Status::InvalidArgument, text));
        };
        super::engine::refuse_on_loop("enter")?;
        let handler = self.shared.handler().ok_or(Status::ShuttingDown)?;
        if of_loop.entered.swap(true, Ordering::AcqRel) {
            return Err(Error::new(Status::WrongState, format!("loop {index} has a thread")));
        }
        let wheel = Wheel::new(&self.shared, index as usize, handler).map_err(|e| {
            of_loop.entered.store(false, Ordering::Release);
            Error::new(Status::Io, format!("loop {index} could not be started: {e}"))
        })?;
        wheel.begin();
        Ok(Loop { wheel, _not_send: PhantomData })
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
