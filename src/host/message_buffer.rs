//! A message that the host puts together where it is sent from.

use crate::engine::payload::Payload;
use crate::proto::frame::LONGEST_HEAD;

/// A message, put together in the buffer that it is sent from: for what the host has in pieces, or somewhere from where it has to be
/// copied anyway. [`crate::Engine::send_buffer`] copies it no more.
#[derive(Debug)]
pub struct MessageBuffer(Vec<u8>);

impl MessageBuffer {
    /// An empty one, with room for `length` bytes; it grows if there are more.
    pub fn with_capacity(length: usize) -> Self {
        // the frame's head will stand in front
        let mut bytes = Vec::with_capacity(LONGEST_HEAD + length);
        bytes.extend_from_slice(&[0; LONGEST_HEAD]);
        Self(bytes)
    }

    /// Appends bytes.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends `length` zeros, for the host to write over.
    pub fn extend(&mut self, length: usize) -> &mut [u8] {
        let from = self.0.len();
        self.0.resize(from + length, 0);
        &mut self.0[from..]
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[LONGEST_HEAD..]
    }

    pub(super) fn into_payload(self) -> Payload<'static> {
        Payload::Own(self.0)
    }
}
