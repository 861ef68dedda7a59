//! Frame heads as a server writes them: never masked (RFC 6455 §5.1), the length in its shortest form (§5.2).

/// Text or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// A further fragment of a message (RFC 6455 §5.4).
pub const OPCODE_CONTINUATION: u8 = 0;
/// Text, or its first fragment.
pub const OPCODE_TEXT: u8 = 1;
/// Binary, or its first fragment.
pub const OPCODE_BINARY: u8 = 2;
/// Close (RFC 6455 §5.5.1).
pub const OPCODE_CLOSE: u8 = 8;
/// Ping (RFC 6455 §5.5.2).
pub const OPCODE_PING: u8 = 9;
/// Pong (RFC 6455 §5.5.3).
pub const OPCODE_PONG: u8 = 10;

/// The longest payload of a control frame (RFC 6455 §5.5), bytes.
pub const MAX_CONTROL: usize = 125;

/// The final-fragment bit of a head's first byte.
pub(super) const FIN: u8 = 0x80;
/// The three extension bits of a head's first byte.
pub(super) const RESERVED: u8 = 0x70;
/// The first of them; added to the opcode of a message's first frame: the message is compressed (RFC 7692 §6).
pub const RSV1: u8 = 0x40;
/// The mask bit of a head's second byte.
pub(super) const MASKED: u8 = 0x80;
/// Second byte: the length follows in 16 bits.
pub(super) const LENGTH_16: u8 = 126;
/// Second byte: the length follows in 64 bits.
pub(super) const LENGTH_64: u8 = 127;

/// The longest head of a frame without a mask.
pub const LONGEST_HEAD: usize = 10;

/// Puts the head of a frame in front of its payload, which stands behind [`LONGEST_HEAD`] bytes. Where the frame begins.
pub fn head_before(payload: &mut [u8], opcode: u8, fin: bool) -> usize {
    let mut head = Vec::with_capacity(LONGEST_HEAD);
    put_head(&mut head, opcode, fin, payload.len() - LONGEST_HEAD);
    let start = LONGEST_HEAD - head.len();
    payload[start..LONGEST_HEAD].copy_from_slice(&head);
    start
}

/// Appends the head of a frame whose payload has `len` bytes; the payload is to follow. `opcode` may have [`RSV1`].
#[inline]
pub fn put_head(out: &mut Vec<u8>, opcode: u8, fin: bool, len: usize) {
    let first = if fin { FIN | opcode } else { opcode };
    if len < LENGTH_16 as usize {
        out.extend_from_slice(&[first, len as u8]);
    } else if let Ok(len) = u16::try_from(len) {
        let [high, low] = len.to_be_bytes();
        out.extend_from_slice(&[first, LENGTH_16, high, low]);
    } else {
        let mut head = [first, LENGTH_64, 0, 0, 0, 0, 0, 0, 0, 0];
        head[2..].copy_from_slice(&(len as u64).to_be_bytes());
        out.extend_from_slice(&head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

    fn head(opcode: u8, fin: bool, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_head(&mut out, opcode, fin, len);
        out
    }

    #[test]
    fn rfc6455_5_2_lengths_are_written_in_their_shortest_form() {
        assert_eq!(head(OPCODE_TEXT, true, 0), [0x81, 0]);
        assert_eq!(head(OPCODE_BINARY, true, 125), [0x82, 125]);
        assert_eq!(head(OPCODE_BINARY, true, 126), [0x82, 126, 0, 126]);
        assert_eq!(head(OPCODE_BINARY, true, 65_535), [0x82, 126, 0xff, 0xff]);
        assert_eq!(head(OPCODE_BINARY, true, 65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(head(OPCODE_CONTINUATION, false, 1), [0, 1]);
    }

    #[test]
    fn rfc6455_5_1_a_server_never_sets_the_mask_bit() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, u32::MAX as usize] {
            assert_eq!(head(OPCODE_TEXT, true, len)[1] & MASKED, 0, "length {len}");
        }
    }

    #[test]
    fn rfc6455_11_8_opcodes_are_the_registered_ones() {
        let ours = [
            (OPCODE_CONTINUATION, OpCode::Data(Data::Continue)),
            (OPCODE_TEXT, OpCode::Data(Data::Text)),
            (OPCODE_BINARY, OpCode::Data(Data::Binary)),
            (OPCODE_CLOSE, OpCode::Control(Control::Close)),
            (OPCODE_PING, OpCode::Control(Control::Ping)),
            (OPCODE_PONG, OpCode::Control(Control::Pong)),
        ];
        for (code, theirs) in ours {
            assert_eq!(OpCode::from(code), theirs);
        }
    }
}
