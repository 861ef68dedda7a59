//! The bytes of a message on their way from the host to the send queue: lent where the host speaks on the loop's own thread; else
//! copied once, into the buffer that they are written from.

use crate::proto::frame::LONGEST_HEAD;

/// What a data frame carries.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// The host's, until its call returns.
    Lent(&'a [u8]),
    /// Copied, behind [`LONGEST_HEAD`] bytes, so that it can be sent from where it is.
    Own(Vec<u8>),
}

impl Payload<'_> {
    /// A copy that outlives the host's call.
    pub(crate) fn into_own(self) -> Payload<'static> {
        Payload::Own(match self {
            Self::Own(own) => own,
            Self::Lent(lent) => {
                let mut own = Vec::with_capacity(LONGEST_HEAD + lent.len());
                own.extend_from_slice(&[0; LONGEST_HEAD]);
                own.extend_from_slice(lent);
                own
            }
        })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(lent) => lent,
            Self::Own(own) => &own[LONGEST_HEAD..],
        }
    }
}
