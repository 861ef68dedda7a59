//! The buffers of a loop, which its connections borrow: one that waits has none of its own.

use std::cell::{Cell, RefCell};

/// Bytes read from a socket at once.
pub(crate) const READ: usize = 256 << 10;

/// Buffers to write from that a loop keeps: several connections have one at once if large messages go there between their ticks.
const OUTPUTS: usize = 4;
/// The largest that is kept.
const OUTPUT: usize = 1 << 20;

/// Buffers that are lent for a tick; a connection that waits has none.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) read: Cell<Vec<u8>>,
    pub(crate) input: Cell<Vec<u8>>,
    outputs: RefCell<Vec<Vec<u8>>>,
    pub(crate) payload: Cell<Vec<u8>>,
}

impl Buffers {
    /// The buffer to read into, [`READ`] bytes long.
    pub(crate) fn take_read(&self) -> Vec<u8> {
        let mut buffer = self.read.take();
        if buffer.len() < READ {
            buffer.resize(READ, 0);
        }
        buffer
    }

    /// A buffer to write from, if there is none.
    #[inline]
    pub(crate) fn take_output(&self, output: &mut Vec<u8>) {
        if output.capacity() == 0
            && let Some(spare) = self.outputs.borrow_mut().pop()
        {
            *output = spare;
        }
    }

    /// Takes one back, in which there is nothing to be written.
    #[inline]
    pub(crate) fn give_output(&self, output: Vec<u8>) {
        let mut outputs = self.outputs.borrow_mut();
        if (1..=OUTPUT).contains(&output.capacity()) && outputs.len() < OUTPUTS {
            outputs.push(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_buffers_to_write_from_are_kept_and_none_that_has_grown_large() {
        let buffers = Buffers::default();
        buffers.give_output(Vec::new());
        buffers.give_output(Vec::with_capacity(OUTPUT + 1));
        let mut output = Vec::new();
        buffers.take_output(&mut output);
        assert_eq!(output.capacity(), 0, "neither is worth keeping");
        for _ in 0..2 * OUTPUTS {
            buffers.give_output(Vec::with_capacity(OUTPUT));
        }
        let kept = std::iter::from_fn(|| {
            let mut output = Vec::new();
            buffers.take_output(&mut output);
            (output.capacity() > 0).then_some(output)
        });
        assert_eq!(kept.count(), OUTPUTS);
    }

    #[test]
    fn a_buffer_in_use_is_not_exchanged() {
        let buffers = Buffers::default();
        buffers.give_output(Vec::with_capacity(OUTPUT));
        let mut output = b"waits".to_vec();
        buffers.take_output(&mut output);
        assert_eq!(output, b"waits");
    }
}
