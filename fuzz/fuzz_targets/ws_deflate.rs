//! permessage-deflate: a client's offers, and its compressed messages. Whole or in parts a message inflates to the same,
//! within its bounds; what it inflates to can be compressed and comes back.
//!
//! Input: flags (1 byte), length of the offer (1 byte), the offer, how a message is cut (1 byte), messages, each with
//! its length before it (2 bytes).

#![no_main]

use h2ws::proto::deflate::{Bounds, Deflater, Inflater, Terms, offer};
use h2ws::proto::receive::Violation;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE: u32 = 100_000;

fn negotiate(flags: u8, line: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(line) else { return };
    let mut headers = HeaderMap::new();
    headers.append("sec-websocket-extensions", value);
    let Some(offer) = offer(&headers) else { return };
    let terms = Terms {
        server_bits: 9 + flags % 7,
        client_bits: 9 + flags / 7 % 7,
        server_takeover: flags & 1 != 0,
        client_takeover: flags & 2 != 0,
    };
    let (answer, agreed) = offer.agree(&terms);
    assert!((9..=terms.server_bits).contains(&agreed.server_bits), "{agreed:?}");
    assert!((8..=15).contains(&agreed.client_bits), "{agreed:?}");
    assert!(terms.server_takeover || !agreed.server_takeover, "{agreed:?}");
    assert!(terms.client_takeover || !agreed.client_takeover, "{agreed:?}");
    // an answer has the form of an offer, and taken for one agrees to the same
    headers.insert("sec-websocket-extensions", answer.clone());
    let again = h2ws::proto::deflate::offer(&headers).expect("an answer is well-formed");
    let (_, twice) = again.agree(&terms);
    assert_eq!((twice.server_bits, twice.server_takeover), (agreed.server_bits, agreed.server_takeover), "{answer:?}");
    assert_eq!((twice.client_bits, twice.client_takeover), (agreed.client_bits, agreed.client_takeover), "{answer:?}");
}

fn inflate<'a>(
    inflater: &mut Inflater,
    parts: impl Iterator<Item = &'a [u8]>,
    bounds: &Bounds,
) -> Result<Vec<u8>, Violation> {
    let (mut all, mut out) = (Vec::new(), Vec::new());
    let mut checked = |part: &[u8], last| {
        let result = inflater.inflate(part, last, bounds, &mut out);
        assert!(out.capacity() <= 2 * MAX_MESSAGE as usize + 2, "{} allocated", out.capacity());
        result?;
        all.extend_from_slice(&out);
        assert!(all.len() <= MAX_MESSAGE as usize, "{} bytes", all.len());
        Ok(())
    };
    for part in parts {
        checked(part, false)?;
    }
    checked(&[], true)?;
    Ok(all)
}

fuzz_target!(|data: &[u8]| {
    let [flags, line, rest @ ..] = data else { return };
    let Some((line, rest)) = rest.split_at_checked(*line as usize) else { return };
    negotiate(*flags, line);

    let Some((cut, mut rest)) = rest.split_first() else { return };
    let takeover = flags & 1 != 0;
    let bounds = Bounds { max_message: Some(MAX_MESSAGE), ratio: 1000 };
    let (mut whole, mut parts) = (Inflater::new(takeover), Inflater::new(takeover));
    let mut deflater = Deflater::new(u32::from(flags % 9) + 1, 9 + flags % 7, takeover);
    let (mut back, mut compressed) = (Inflater::new(takeover), Vec::new());
    while let [high, low, after @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (message, next) = after.split_at(len);
        rest = next;
        let at_once = inflate(&mut whole, std::iter::once(message), &bounds);
        let in_parts = inflate(&mut parts, message.chunks(usize::from(*cut) + 1), &bounds);
        match (&at_once, &in_parts) {
            (Err(one), Err(two)) => {
                // what is too long and wrong behind its limit fails by either
                for violation in [one, two] {
                    assert!(matches!(violation.close_code(), 1007 | 1009), "{violation:?}");
                }
                return;
            }
            _ => assert_eq!(at_once, in_parts),
        }
        let Ok(message) = at_once else { return };
        deflater.deflate(&message, &mut compressed);
        let again = inflate(&mut back, std::iter::once(&compressed[..]), &bounds);
        assert!(again.as_ref() == Ok(&message), "what was compressed comes back");
    }
});
