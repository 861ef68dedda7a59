//! HPACK (RFC 7541) for a test client: encodes literals only, decodes all that a server may send.

use std::collections::VecDeque;

/// A header field.
pub type Field = (String, String);

/// The lengths of the codes of Appendix B in bits, by symbol. The code is canonical: codes are given out by
/// length and then by symbol, so the lengths are the whole table. EOS (30 bits) is left out: a string with it
/// is an error (§5.2).
#[rustfmt::skip]
const CODE_LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
    6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
    20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
    23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
    22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
    27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
    26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// Appendix A.
#[rustfmt::skip]
const STATIC_TABLE: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""),
    ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""),
    ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""),
    ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""),
    ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""),
    ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""),
    ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
];

/// An integer with a prefix of `bits` bits (§5.1); `first` holds what precedes the prefix.
fn integer(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
    let most = (1 << bits) - 1;
    if value < most {
        out.push(first | value as u8);
        return;
    }
    out.push(first | most as u8);
    let mut rest = value - most;
    while rest >= 128 {
        out.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    out.push(rest as u8);
}

/// A header block of literal fields without indexing and without Huffman codes (§6.2.2).
pub fn encode<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            integer(&mut out, 0, 7, text.len());
            out.extend_from_slice(text);
        }
    }
    out
}

/// A literal field with incremental indexing (§6.2.1): goes into the dynamic table as its newest entry, index 62.
pub fn encode_indexed(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![0x40];
    for text in [name, value] {
        integer(&mut out, 0, 7, text.len());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// The decoder of one connection.
#[derive(Debug)]
pub struct Decoder {
    dynamic: VecDeque<Field>,
    size: usize,
    max_size: usize,
    /// Symbols by (length, code).
    codes: std::collections::HashMap<(u8, u32), u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        let mut symbols: Vec<u8> = (0..=255).collect();
        symbols.sort_by_key(|symbol| (CODE_LENGTHS[usize::from(*symbol)], *symbol));
        let mut codes = std::collections::HashMap::new();
        let (mut code, mut length) = (0u32, 5u8);
        for symbol in symbols {
            let this = CODE_LENGTHS[usize::from(symbol)];
            code <<= this - length;
            length = this;
            codes.insert((length, code), symbol);
            code += 1;
        }
        Self { dynamic: VecDeque::new(), size: 0, max_size: 4096, codes }
    }
}

impl Decoder {
    /// The fields of a header block. Panics on anything that RFC 7541 forbids: the server must not send it.
    pub fn decode(&mut self, mut block: &[u8]) -> Vec<Field> {
        let mut fields = Vec::new();
        while let Some(first) = block.first().copied() {
            if first & 0x80 != 0 {
                let index = take_integer(&mut block, 7);
                fields.push(self.entry(index));
            } else if first & 0xc0 == 0x40 {
                let field = self.literal(&mut block, 6);
                self.insert(field.clone());
                fields.push(field);
            } else if first & 0xe0 == 0x20 {
                assert!(fields.is_empty(), "a table size update comes first in a block (§4.2)");
                self.max_size = take_integer(&mut block, 5);
                assert!(self.max_size <= 4096, "table size {} is over SETTINGS_HEADER_TABLE_SIZE", self.max_size);
                self.evict();
            } else {
                fields.push(self.literal(&mut block, 4));
            }
        }
        fields
    }

    fn literal(&mut self, block: &mut &[u8], bits: u32) -> Field {
        let index = take_integer(block, bits);
        let name = if index == 0 { self.string(block) } else { self.entry(index).0 };
        (name, self.string(block))
    }

    fn entry(&self, index: usize) -> Field {
        assert!(index > 0, "index 0 is an error (§6.1)");
        match STATIC_TABLE.get(index - 1) {
            Some((name, value)) => ((*name).to_owned(), (*value).to_owned()),
            None => self.dynamic.get(index - 62).cloned().unwrap_or_else(|| panic!("no entry {index} in the table")),
        }
    }

    fn insert(&mut self, field: Field) {
        self.size += field.0.len() + field.1.len() + 32;
        self.dynamic.push_front(field);
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.max_size {
            let (name, value) = self.dynamic.pop_back().expect("a table with a size has entries");
            self.size -= name.len() + value.len() + 32;
        }
    }

    fn string(&self, block: &mut &[u8]) -> String {
        let huffman = block[0] & 0x80 != 0;
        let length = take_integer(block, 7);
        let (text, rest) = block.split_at(length);
        *block = rest;
        let bytes = if huffman { self.huffman(text) } else { text.to_vec() };
        String::from_utf8(bytes).expect("header fields in these tests are ASCII")
    }

    fn huffman(&self, text: &[u8]) -> Vec<u8> {
        let (mut out, mut code, mut length) = (Vec::new(), 0u32, 0u8);
        for bit in text.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1))) {
            code = code << 1 | bit;
            length += 1;
            if let Some(symbol) = self.codes.get(&(length, code)) {
                out.push(*symbol);
                (code, length) = (0, 0);
            }
            assert!(length <= 30, "no such Huffman code");
        }
        assert!(length < 8 && code == (1 << length) - 1, "padding is up to 7 ones (§5.2)");
        out
    }
}

fn take_integer(block: &mut &[u8], bits: u32) -> usize {
    let most = (1usize << bits) - 1;
    let mut value = usize::from(block[0]) & most;
    *block = &block[1..];
    if value < most {
        return value;
    }
    for shift in (0..28).step_by(7) {
        let byte = block[0];
        *block = &block[1..];
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("an integer of more than 28 bits");
}
