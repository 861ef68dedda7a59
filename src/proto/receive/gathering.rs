//! Where what comes in pieces is put together.

/// What a cut message or control frame needs while it is put together.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) message: Vec<u8>,
    pub(super) control: Vec<u8>,
}

/// Makes room for `new` bytes. `more` bytes are announced; twice what has come is the most that is allocated
/// for them, unless little is missing then. The caller's buffer is taken over instead if it is of about the right
/// size: a socket with one large message after another then allocates nothing.
pub(super) fn make_room(message: &mut Vec<u8>, out: &mut Vec<u8>, new: usize, more: u64) {
    if message.capacity() - message.len() >= new {
        return;
    }
    let come = message.len() + new;
    // the frame's head is in the first piece, so that twice what has come is often just less than the whole
    let most = come + come / 16;
    let room = come + usize::try_from(more).ok().filter(|more| *more <= most).unwrap_or(come);
    if (room..=4 * come).contains(&out.capacity()) {
        out.clear();
        out.append(message);
        std::mem::swap(out, message);
    } else {
        message.reserve_exact(room - message.len());
    }
}
