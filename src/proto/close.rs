//! Close frames and their codes (RFC 6455 §5.5.1, §7.4).

use super::frame::{OPCODE_CLOSE, put_head};

/// The longest reason of a Close: a control frame's 125 bytes (RFC 6455 §5.5) less the code.
pub const MAX_REASON: usize = 123;

/// Appends a whole Close frame. A reason needs a code; without one it is left out, as the frame has no
/// place for it. The caller has checked that `reason` has at most [`MAX_REASON`] bytes.
pub fn put_close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    debug_assert!(reason.len() <= MAX_REASON, "a reason of {} bytes", reason.len());
    match code {
        None => put_head(out, OPCODE_CLOSE, true, 0),
        Some(code) => {
            put_head(out, OPCODE_CLOSE, true, 2 + reason.len());
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(reason.as_bytes());
        }
    }
}

/// Whether a Close frame may carry `code`: what IANA registered for it, and 3000 to 4999 (RFC 6455 §7.4.2).
/// 1004, 1005, 1006 and 1015 never cross the wire (§7.4.1).
///
/// The same for both directions. `tungstenite`'s `CloseCode::is_allowed` differs in 1014 (Bad Gateway,
/// registered in 2015), which it refuses.
pub fn may_send(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::protocol::frame::coding::CloseCode;

    fn close(code: Option<u16>, reason: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_close(&mut out, code, reason);
        out
    }

    #[test]
    fn rfc6455_5_5_1_a_close_carries_code_then_reason_or_nothing() {
        assert_eq!(close(None, ""), [0x88, 0]);
        assert_eq!(close(Some(1000), ""), [0x88, 2, 0x03, 0xe8]);
        assert_eq!(close(Some(4999), "bye"), [0x88, 5, 0x13, 0x87, b'b', b'y', b'e']);
        let longest = close(Some(1001), &"x".repeat(MAX_REASON));
        assert_eq!((longest[1], longest.len()), (125, 127));
    }

    #[test]
    fn rfc6455_7_4_the_codes_are_tungstenites_and_1014() {
        let different: Vec<u16> =
            (0..=u16::MAX).filter(|code| may_send(*code) != CloseCode::from(*code).is_allowed()).collect();
        assert_eq!(different, [1014]);
    }

    #[test]
    fn rfc6455_7_4_1_reserved_codes_never_cross_the_wire() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert!(!may_send(code), "{code}");
        }
    }
}
