//! Messages to their compressed form (RFC 7692 §7.2.1).

use super::TAIL;
use flate2::{Compress, Compression, FlushCompress};
use std::fmt;

/// A compressor: one message after another.
pub struct Deflater {
    zlib: Compress,
    /// The window is kept from message to message (RFC 7692 §7.1.1.1).
    takeover: bool,
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("takeover", &self.takeover).finish_non_exhaustive()
    }
}

impl Deflater {
    /// What one takes on the heap with a window of `bits`, bytes: in zlib-rs a hash table of 128 KiB and 112 KiB for
    /// symbols and output, whatever the window, and four times the window.
    pub const fn memory(bits: u8) -> usize {
        (256 << 10) + (4 << bits)
    }

    /// A compressor with a window of `bits` (9 to 15) and a level of 1 to 9, with or without context takeover.
    pub fn new(level: u32, bits: u8, takeover: bool) -> Self {
        Self { zlib: Compress::new_with_window_bits(Compression::new(level), false, bits), takeover }
    }

    /// Compresses a message. `out` is overwritten.
    pub fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
        out.clear();
        if message.is_empty() {
            // RFC 7692 §7.2.3.6: an empty block, without its tail
            out.push(0);
            return;
        }
        if !self.takeover {
            self.zlib.reset();
        }
        // most messages shrink; the flush wants a few bytes of its own, or it would be made twice
        out.reserve(message.len() / 2 + 64);
        let mut rest = message;
        loop {
            let before = self.zlib.total_in();
            self.zlib
                .compress_vec(rest, out, FlushCompress::Sync)
                .expect("zlib's compressor takes any input and any flush that is not its last");
            rest = &rest[(self.zlib.total_in() - before) as usize..];
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            out.reserve(rest.len().max(64));
        }
        debug_assert!(out.ends_with(&TAIL), "a sync flush ends with an empty stored block");
        out.truncate(out.len() - TAIL.len());
    }
}
