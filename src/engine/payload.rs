//! The bytes of a message between the host and the engine. From the host to the send queue: lent where the host speaks on the loop's
//! own thread; else copied once, into the buffer that they are written from. To the host: lent, and what it sends of them
//! meanwhile, as one does that echoes or that passes messages on, is sent from where it is.

use super::pool::{LARGE, Pool};
use crate::proto::frame::LONGEST_HEAD;
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

/// What a data frame carries.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// The host's, until its call returns.
    Lent(&'a [u8]),
    /// Copied, behind [`LONGEST_HEAD`] bytes, so that it can be sent from where it is.
    Own(Vec<u8>),
}

impl Payload<'_> {
    /// A copy that outlives the host's call.
    pub(crate) fn into_own(self) -> Payload<'static> {
        Payload::Own(match self {
            Self::Own(own) => own,
            Self::Lent(lent) => {
                let mut own = Vec::with_capacity(LONGEST_HEAD + lent.len());
                own.extend_from_slice(&[0; LONGEST_HEAD]);
                own.extend_from_slice(lent);
                own
            }
        })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(lent) => lent,
            Self::Own(own) => &own[LONGEST_HEAD..],
        }
    }
}

/// What the host is shown of a message. If that is large, send queues may keep it; else the buffer is there again afterwards.
pub(crate) struct Shown<'a> {
    pool: &'a RefCell<Pool>,
    payload: &'a mut Vec<u8>,
    shared: Option<Rc<Vec<u8>>>,
}

impl<'a> Shown<'a> {
    #[inline]
    pub(crate) fn new(pool: &'a RefCell<Pool>, payload: &'a mut Vec<u8>) -> Self {
        let shared = (payload.len() >= LARGE).then(|| {
            let shared = Rc::new(std::mem::take(payload));
            pool.borrow_mut().lent = Some(Rc::clone(&shared));
            shared
        });
        Self { pool, payload, shared }
    }
}

impl Deref for Shown<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.shared.as_deref().unwrap_or(self.payload)
    }
}

impl Drop for Shown<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            self.pool.borrow_mut().lent = None;
            if let Ok(payload) = Rc::try_unwrap(shared) {
                *self.payload = payload;
            }
        }
    }
}
