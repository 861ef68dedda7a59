//! UTF-8 checked as it arrives (RFC 6455 §8.1): a cut inside a character is no error, a byte that no
//! continuation can mend is one at once.

/// A text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

/// Whether `bytes` are a whole text.
///
/// # Errors
/// [`NotUtf8`] if they are not, also where the last character is cut.
#[inline]
pub fn check(bytes: &[u8]) -> Result<(), NotUtf8> {
    simdutf8::basic::from_utf8(bytes).map(drop).map_err(|_| NotUtf8)
}

/// The check of a text that comes in pieces: the begun character at the end of what has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8 {
    begun: [u8; 3],
    len: u8,
}

impl Utf8 {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`NotUtf8`] as soon as no further bytes could make the text valid.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        let piece = self.finish_begun(piece)?;
        let (whole, begun) = piece.split_at(piece.len() - begun_at_end(piece));
        check(whole)?;
        if !begun.is_empty() {
            could_begin_character(begun)?;
            self.begun[..begun.len()].copy_from_slice(begun);
            self.len = begun.len() as u8;
        }
        Ok(())
    }

    /// Whether the text may end here, not inside a character.
    pub fn is_complete(&self) -> bool {
        self.len == 0
    }

    /// Takes what completes the begun character; gives back the rest, empty if it is still not complete.
    fn finish_begun<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], NotUtf8> {
        if self.len == 0 {
            return Ok(piece);
        }
        let have = self.len as usize;
        let mut character = [0; 4];
        character[..have].copy_from_slice(&self.begun[..have]);
        let width = width(character[0]);
        let take = piece.len().min(width - have);
        character[have..have + take].copy_from_slice(&piece[..take]);
        let character = &character[..have + take];
        if character.len() == width {
            check(character)?;
            self.len = 0;
        } else {
            could_begin_character(character)?;
            self.begun[..character.len()].copy_from_slice(character);
            self.len = character.len() as u8;
        }
        Ok(&piece[take..])
    }
}

/// How many bytes a character has that begins with `first`; 1 for what begins none.
fn width(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// How many bytes at the end belong to a character that goes on after them.
fn begun_at_end(piece: &[u8]) -> usize {
    let longest = piece.len().min(3);
    (1..=longest).find(|back| width(piece[piece.len() - back]) > *back).unwrap_or(0)
}

/// Some second bytes are wrong already although bytes are missing (E0 80, ED A0, F0 80, F4 90).
fn could_begin_character(bytes: &[u8]) -> Result<(), NotUtf8> {
    match std::str::from_utf8(bytes) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => Ok(()),
        _ => Err(NotUtf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<bool, NotUtf8> {
        let mut utf8 = Utf8::default();
        for piece in pieces {
            utf8.feed(piece)?;
        }
        Ok(utf8.is_complete())
    }

    #[test]
    fn rfc3629_4_every_character_of_each_width_passes_byte_by_byte() {
        for character in [
            '\0',
            'a',
            '\u{7f}',
            '\u{80}',
            '\u{7ff}',
            '\u{800}',
            '\u{d7ff}',
            '\u{e000}',
            '\u{ffff}',
            '\u{10000}',
            '\u{10ffff}',
        ] {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            assert_eq!(in_pieces(bytes.chunks(1)), Ok(true), "{character:?}");
            for end in 1..bytes.len() {
                assert_eq!(in_pieces([&bytes[..end]]), Ok(false), "{character:?} cut after {end}");
            }
        }
    }

    #[test]
    fn rfc6455_8_1_a_hopeless_byte_fails_at_once_not_at_the_end() {
        let hopeless: &[&[u8]] = &[
            b"\x80",
            b"\xbf",
            b"\xc0",
            b"\xc1",
            b"\xf5",
            b"\xff",
            b"\xc2a",
            b"\xe0\x80",
            b"\xe0\x9f",
            b"\xed\xa0",
            b"\xed\xbf",
            b"\xf0\x80",
            b"\xf0\x8f",
            b"\xf4\x90",
            b"\xe1\x80a",
            b"\xf1\x80\x80a",
            b"\xf1a",
        ];
        for bytes in hopeless {
            assert_eq!(in_pieces([*bytes]), Err(NotUtf8), "{bytes:02x?} whole");
            assert_eq!(in_pieces(bytes.chunks(1)), Err(NotUtf8), "{bytes:02x?} byte by byte");
            let long = [&[b'x'; 200][..], bytes].concat();
            assert_eq!(in_pieces([&long[..]]), Err(NotUtf8), "{bytes:02x?} after 200 bytes");
            let (all_but_last, last) = bytes.split_at(bytes.len() - 1);
            let mut utf8 = Utf8::default();
            assert_eq!(utf8.feed(all_but_last), Ok(()), "{all_but_last:02x?} could still go on");
            assert_eq!(utf8.feed(last), Err(NotUtf8), "{last:02x?} after {all_but_last:02x?}");
        }
    }

    /// Bytes that are nearly UTF-8: characters, cut characters and stray bytes.
    fn nearly_utf8() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
            2 => "[a-z]{1,70}".prop_map(String::into_bytes),
            1 => (any::<char>(), 0usize..4).prop_map(|(c, n)| c.to_string().into_bytes().into_iter().take(n).collect()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(bytes in nearly_utf8(), size in 1usize..40) {
            let expected = match std::str::from_utf8(&bytes) {
                Ok(_) => Ok(true),
                Err(error) if error.error_len().is_none() => Ok(false),
                Err(_) => Err(NotUtf8),
            };
            prop_assert_eq!(in_pieces([&bytes[..]]), expected);
            prop_assert_eq!(in_pieces(bytes.chunks(size)), expected);
        }
    }
}
