//! What the host sends: messages, fragments, Pings and Pongs, as long as no Close has been sent.

use super::WebSocket;
use crate::engine::payload::Payload;
use crate::engine::pool::Pool;
use crate::engine::send_queue::SendQueue;
use crate::engine::status::{Error, Status};
use crate::proto::frame::{
    MessageKind, OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT, RSV1,
};

impl WebSocket {
    /// A message of the host, compressed if that was agreed on and is asked for.
    #[inline(always)]
    pub(crate) fn send_message(
        &mut self,
        kind: MessageKind,
        data: Payload<'_>,
        compress: bool,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        let opcode = self.may_send_message(kind)?;
        if compress
            && let Some(compression) = &mut self.compression
            && let Some(compressed) = compression.compress(data.bytes(), &mut pool.contexts)
        {
            out.push_frame(pool, opcode | RSV1, true, &compressed);
            pool.contexts.give_back(compressed);
            return Ok(());
        }
        out.push_data(pool, opcode, true, data);
        Ok(())
    }

    /// permessage-deflate was agreed on.
    #[inline]
    pub(crate) fn compresses(&self) -> bool {
        self.compression.is_some()
    }

    /// Whether a message may be sent now; its opcode.
    #[inline]
    pub(crate) fn may_send_message(&self, kind: MessageKind) -> Result<u8, Error> {
        self.may_send()?;
        if self.sending.is_some() {
            return Err(Error::new(Status::WrongState, "a message in fragments has not been completed"));
        }
        Ok(opcode(kind))
    }

    /// A fragment of the host's.
    pub(crate) fn send_fragment(
        &mut self,
        kind: MessageKind,
        data: Payload<'_>,
        last: bool,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        self.may_send()?;
        let opcode = match self.sending {
            None => opcode(kind),
            Some(begun) if begun == kind => OPCODE_CONTINUATION,
            Some(_) => {
                return Err(Error::new(Status::WrongState, "a message in fragments was begun with the other kind"));
            }
        };
        out.push_data(pool, opcode, last, data);
        self.sending = (!last).then_some(kind);
        Ok(())
    }

    /// A Ping of the host's, or of the engine's keep-alive.
    pub(crate) fn send_ping(&mut self, data: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Result<(), Error> {
        self.may_send()?;
        out.push_frame(pool, OPCODE_PING, true, data);
        Ok(())
    }

    /// A Pong of the host's.
    pub(crate) fn send_pong(&mut self, data: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Result<(), Error> {
        self.may_send()?;
        out.push_frame(pool, OPCODE_PONG, true, data);
        Ok(())
    }

    #[inline]
    fn may_send(&self) -> Result<(), Error> {
        if self.said_close() {
            return Err(Error::new(Status::WrongState, "a Close has been sent on this WebSocket"));
        }
        Ok(())
    }
}

fn opcode(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Text => OPCODE_TEXT,
        MessageKind::Binary => OPCODE_BINARY,
    }
}
