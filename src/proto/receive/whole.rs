//! The short way of a message that is one frame and lies whole in the input, as most do.

use super::Rules;
use crate::proto::frame::{FIN, LENGTH_16, MASKED, MessageKind, OPCODE_BINARY, OPCODE_TEXT, RSV1};
use crate::proto::mask::Mask;

/// The common case: one text or binary frame, a message by itself, whole in `input`. Everything else,
/// also what is wrong, is left to the state machine, with `input` as it was. A text is still to be checked
/// unless it is ASCII, which the second value says; the third: it is compressed.
#[inline]
pub(super) fn take_whole_message(
    input: &mut &[u8],
    rules: &Rules,
    out: &mut Vec<u8>,
) -> Option<(MessageKind, bool, bool)> {
    const TEXT: u8 = FIN | OPCODE_TEXT;
    const BINARY: u8 = FIN | OPCODE_BINARY;
    const COMPRESSED_TEXT: u8 = TEXT | RSV1;
    const COMPRESSED_BINARY: u8 = BINARY | RSV1;
    const MASKED_LENGTH_16: u8 = MASKED | LENGTH_16;
    let bytes = *input;
    let (first, mask, len, rest) = match bytes {
        [first, second @ MASKED..MASKED_LENGTH_16, a, b, c, d, rest @ ..] => {
            (first, [*a, *b, *c, *d], (second & !MASKED) as usize, rest)
        }
        [first, MASKED_LENGTH_16, high, low, a, b, c, d, rest @ ..] => {
            let len = u16::from_be_bytes([*high, *low]);
            if len < u16::from(LENGTH_16) {
                return None;
            }
            (first, [*a, *b, *c, *d], len as usize, rest)
        }
        _ => return None,
    };
    let (kind, compressed) = match *first {
        TEXT => (MessageKind::Text, false),
        BINARY => (MessageKind::Binary, false),
        COMPRESSED_TEXT if rules.compression && !rules.parts => (MessageKind::Text, true),
        COMPRESSED_BINARY if rules.compression && !rules.parts => (MessageKind::Binary, true),
        _ => return None,
    };
    if len > rules.max_message as usize && !rules.parts {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(len)?;
    *input = rest;
    out.clear();
    let ascii = Mask::new(mask).unmask_into(out, payload);
    Some((kind, ascii, compressed))
}
