//! Handles: 64-bit names of streams, connections and listeners that stay harmless when they are stale.
//!
//! `| loop 6 | connection? 1 | slot 25 | generation 32 |`; a slot whose generations are used up is never used
//! again, so a handle names one thing for ever. 0 names nothing.

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The number that crosses a language border.
            pub const fn to_raw(self) -> u64 {
                self.0
            }
            /// Any number is a handle; one that names nothing gives [`crate::Status::Gone`].
            pub const fn from_raw(raw: u64) -> Self {
                Self(raw)
            }
        }
    };
}

handle!(
    /// Names an exchange: a request, or a WebSocket from its handshake on.
    StreamId
);
handle!(
    /// Names a connection.
    ConnectionId
);
handle!(
    /// Names a listening socket.
    ListenerId
);
