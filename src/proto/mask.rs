//! Unmasking (RFC 6455 §5.3) while copying: the payload is read once and written once. What is text is
//! mostly ASCII, which shows in the same pass.

/// The mask of a frame, turned to where the payload stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(u32);

impl Mask {
    /// The mask as it stands in the head.
    #[inline]
    pub fn new(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// The mask for what comes `by` bytes later.
    #[inline]
    #[must_use]
    pub fn advanced(self, by: usize) -> Self {
        Self(self.0.rotate_right(8 * (by as u32 % 4)))
    }

    /// Appends `source` unmasked. Gives whether all of it is ASCII.
    #[inline]
    pub fn unmask_into(self, out: &mut Vec<u8>, source: &[u8]) -> bool {
        match source.len() {
            0..4 => self.bytes(out, source),
            4..8 => self.lanes::<4>(out, source),
            8..16 => self.lanes::<8>(out, source),
            16..32 => self.lanes::<16>(out, source),
            32..64 => self.lanes::<32>(out, source),
            _ => self.lanes::<64>(out, source),
        }
    }

    fn bytes(self, out: &mut Vec<u8>, source: &[u8]) -> bool {
        let mut seen = 0;
        for (from, key) in source.iter().zip(self.0.to_le_bytes()) {
            let byte = from ^ key;
            seen |= byte;
            out.push(byte);
        }
        seen.is_ascii()
    }

    /// Whole lanes, then the last `LANE` bytes once more over what they share with the lane before:
    /// that costs less than a loop over single bytes. `source` has at least one lane.
    #[inline]
    fn lanes<const LANE: usize>(self, out: &mut Vec<u8>, source: &[u8]) -> bool {
        out.reserve(source.len());
        let mut seen = [0; LANE];
        let (lanes, rest) = source.as_chunks::<LANE>();
        for lane in lanes {
            out.extend_from_slice(&self.lane(*lane, &mut seen));
        }
        if let (false, Some(last)) = (rest.is_empty(), source.last_chunk::<LANE>()) {
            out.truncate(out.len() + rest.len() - LANE);
            out.extend_from_slice(&self.advanced(source.len() - LANE).lane(*last, &mut seen));
        }
        let seen = seen.as_chunks::<4>().0.iter().fold(0, |all, word| all | u32::from_le_bytes(*word));
        seen & 0x8080_8080 == 0
    }

    /// A lane unmasked, and its bits set in `seen`.
    #[inline]
    fn lane<const LANE: usize>(self, mut lane: [u8; LANE], seen: &mut [u8; LANE]) -> [u8; LANE] {
        for word in lane.as_chunks_mut::<4>().0 {
            *word = (u32::from_le_bytes(*word) ^ self.0).to_le_bytes();
        }
        for (seen, byte) in seen.iter_mut().zip(lane) {
            *seen |= byte;
        }
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_the_rfc(mask: [u8; 4], source: &[u8]) -> Vec<u8> {
        source.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]).collect()
    }

    #[test]
    fn rfc6455_5_3_each_length_is_unmasked_as_the_algorithm_says() {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let source: Vec<u8> = (0..700u32).map(|i| (i * 7 + i / 256) as u8).collect();
        for len in 0..source.len() {
            let mut out = b"before".to_vec();
            Mask::new(mask).unmask_into(&mut out, &source[..len]);
            assert_eq!(&out[..6], b"before", "length {len}: what was there stays");
            assert_eq!(&out[6..], by_the_rfc(mask, &source[..len]), "length {len}");
        }
    }

    #[test]
    fn rfc6455_5_3_a_cut_payload_goes_on_with_the_mask_where_it_was() {
        let mask = [1, 2, 4, 8];
        let source: Vec<u8> = (0..200).collect();
        for cut in 0..=source.len() {
            let mut out = Vec::new();
            Mask::new(mask).unmask_into(&mut out, &source[..cut]);
            Mask::new(mask).advanced(cut).unmask_into(&mut out, &source[cut..]);
            assert_eq!(out, by_the_rfc(mask, &source), "cut at {cut}");
        }
    }

    #[test]
    fn one_byte_beyond_ascii_shows_wherever_it_stands() {
        let mask = [0x80, 0xff, 0x00, 0x93];
        for len in 0..300 {
            let mut plain = vec![0x7f; len];
            let mut out = Vec::new();
            assert!(Mask::new(mask).unmask_into(&mut out, &by_the_rfc(mask, &plain)), "length {len}");
            assert_eq!(out, plain);
            for at in 0..len {
                plain[at] = 0x80;
                let ascii = Mask::new(mask).unmask_into(&mut out, &by_the_rfc(mask, &plain));
                assert!(!ascii, "length {len}, byte {at}");
                plain[at] = 0x7f;
            }
        }
    }
}
