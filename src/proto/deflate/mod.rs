//! permessage-deflate (RFC 7692): what is agreed on in the handshake, and messages to and from their compressed form.

mod compress;
mod inflate;
mod negotiate;

pub use compress::Deflater;
pub use inflate::{Bounds, Inflater};
pub use negotiate::{Agreed, Offer, Terms, offer};

/// What a sync flush ends with: an empty stored block without its first bits. It is taken off each message
/// (RFC 7692 §7.2.1), and put back before inflating (§7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
