//! What a peer may do wrong on a WebSocket, and the Close that answers it.

use super::frame::MAX_CONTROL;
use std::fmt;

/// A rule of RFC 6455 that the peer broke, or a limit of ours that it passed. The socket is to be failed
/// (§7.1.7) with [`Violation::close_code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A client's frame without a mask (§5.1).
    Unmasked,
    /// Extension bits that no agreed extension gives a meaning there (§5.2): RSV1 is 4, RSV2 is 2, RSV3 is 1.
    ReservedBits(u8),
    /// An opcode nobody has defined (§5.2).
    ReservedOpcode(u8),
    /// A control frame, by its opcode, with more than 125 bytes (§5.5).
    ControlTooLong(u8),
    /// A control frame, by its opcode, without FIN (§5.5).
    ControlFragmented(u8),
    /// A length that has a shorter form (§5.2).
    LengthNotMinimal(u64),
    /// A 64-bit length with the most significant bit set (§5.2).
    LengthTooLarge(u64),
    /// A continuation where no message was open (§5.4).
    ContinuationWithoutStart,
    /// A text or binary frame, by its opcode, where a continuation was due (§5.4).
    DataInsideMessage(u8),
    /// A Close with a payload of one byte: half a code (§5.5.1).
    CloseLength,
    /// A Close with a code that may not cross the wire (§7.4).
    CloseCode(u16),
    /// A Close whose reason is not UTF-8 (§5.5.1).
    CloseReasonNotUtf8,
    /// A text message that is not UTF-8 (§8.1).
    TextNotUtf8,
    /// A message longer than [`Rules::max_message`](super::receive::Rules::max_message).
    MessageTooLong {
        /// What came with what was announced, bytes.
        length: u64,
        /// The limit, bytes.
        limit: u32,
    },
    /// A compressed message that is no DEFLATE data, or ends inside a block (RFC 7692 §7.2.2).
    NotDeflate,
    /// A message that inflates to more than so many times what came.
    InflatesTooMuch {
        /// The limit.
        ratio: u32,
    },
    /// A message in more than [`Rules::max_fragments`](super::receive::Rules::max_fragments) fragments.
    TooManyFragments {
        /// The limit.
        limit: u32,
    },
}

impl Violation {
    /// The code of the Close that answers it (§7.4.1): 1002, 1007, 1008 or 1009.
    pub fn close_code(&self) -> u16 {
        match self {
            Self::CloseReasonNotUtf8 | Self::TextNotUtf8 | Self::NotDeflate => 1007,
            Self::TooManyFragments { .. } => 1008,
            Self::MessageTooLong { .. } | Self::InflatesTooMuch { .. } => 1009,
            Self::Unmasked
            | Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::ControlTooLong(_)
            | Self::ControlFragmented(_)
            | Self::LengthNotMinimal(_)
            | Self::LengthTooLarge(_)
            | Self::ContinuationWithoutStart
            | Self::DataInsideMessage(_)
            | Self::CloseLength
            | Self::CloseCode(_) => 1002,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmasked => write!(f, "frame without a mask"),
            Self::ReservedBits(bits) => write!(f, "reserved bits {bits:03b} set where no agreed extension wants them"),
            Self::ReservedOpcode(opcode) => write!(f, "reserved opcode {opcode}"),
            Self::ControlTooLong(opcode) => {
                write!(f, "control frame (opcode {opcode}) longer than {MAX_CONTROL} bytes")
            }
            Self::ControlFragmented(opcode) => write!(f, "control frame (opcode {opcode}) in fragments"),
            Self::LengthNotMinimal(length) => write!(f, "length {length} not in its shortest form"),
            Self::LengthTooLarge(length) => write!(f, "length {length} has its highest bit set"),
            Self::ContinuationWithoutStart => write!(f, "continuation without a message to continue"),
            Self::DataInsideMessage(opcode) => {
                write!(f, "new message (opcode {opcode}) before the end of the one before")
            }
            Self::CloseLength => write!(f, "close with a payload of 1 byte"),
            Self::CloseCode(code) => write!(f, "close code {code}"),
            Self::CloseReasonNotUtf8 => write!(f, "close reason is not UTF-8"),
            Self::TextNotUtf8 => write!(f, "text is not UTF-8"),
            Self::MessageTooLong { length, limit } => {
                write!(f, "message of {length} bytes or more; the limit is {limit}")
            }
            Self::NotDeflate => write!(f, "compressed message cannot be inflated"),
            Self::InflatesTooMuch { ratio } => write!(f, "message inflates to more than {ratio} times its size"),
            Self::TooManyFragments { limit } => write!(f, "message in more than {limit} fragments"),
        }
    }
}

impl std::error::Error for Violation {}
