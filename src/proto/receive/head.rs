//! The head of a frame (RFC 6455 §5.2), taken apart.

use super::Violation;
use crate::proto::frame::{FIN, LENGTH_16, LENGTH_64, MASKED, MAX_CONTROL, RSV1};
use crate::proto::mask::Mask;

/// A head, taken apart and found right.
pub(super) struct Head {
    pub(super) opcode: u8,
    pub(super) fin: bool,
    /// RSV1.
    pub(super) compressed: bool,
    pub(super) mask: Mask,
    pub(super) len: u64,
}

/// The longest head: two bytes, a 64-bit length, a mask.
pub(super) const MAX_HEAD: usize = 14;

impl Head {
    /// `bytes` begin with a whole head whose first two bytes were checked.
    pub(super) fn parse(bytes: &[u8; MAX_HEAD]) -> Result<Self, Violation> {
        let [first, second, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13] = *bytes;
        let (len, shortest, mask) = match second & !MASKED {
            LENGTH_16 => (u64::from(u16::from_be_bytes([b2, b3])), u64::from(LENGTH_16), [b4, b5, b6, b7]),
            LENGTH_64 => (u64::from_be_bytes([b2, b3, b4, b5, b6, b7, b8, b9]), 1 << 16, [b10, b11, b12, b13]),
            len => (u64::from(len), 0, [b2, b3, b4, b5]),
        };
        let mask = Mask::new(mask);
        if len < shortest {
            return Err(Violation::LengthNotMinimal(len));
        }
        if len >> 63 != 0 {
            return Err(Violation::LengthTooLarge(len));
        }
        Ok(Self { opcode: first & 0xf, fin: first & FIN != 0, compressed: first & RSV1 != 0, mask, len })
    }
}

pub(super) fn is_control(opcode: u8) -> bool {
    opcode & 8 != 0
}

pub(super) fn check_second(first: u8, second: u8) -> Result<(), Violation> {
    let opcode = first & 0xf;
    if second & MASKED == 0 {
        return Err(Violation::Unmasked);
    }
    if is_control(opcode) && (second & !MASKED) as usize > MAX_CONTROL {
        return Err(Violation::ControlTooLong(opcode));
    }
    Ok(())
}

pub(super) fn head_len(second: u8) -> u8 {
    match second & !MASKED {
        LENGTH_16 => 8,
        LENGTH_64 => 14,
        _ => 6,
    }
}
