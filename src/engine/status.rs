//! The outcome of a call: one number for programs, one text for people.

use std::borrow::Cow;
use std::fmt;

/// Why a call was refused. The numbers are the C ABI's; they are append-only and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// An argument is missing, of the wrong size or out of its range.
    InvalidArgument = -1,
    /// A configuration field is out of its range; the text names field, value and range.
    InvalidConfig = -2,
    /// Bytes that must be text are not UTF-8.
    NotUtf8 = -3,
    /// The stream is not in a state in which this can be done (say, a message before `accept`).
    WrongState = -4,
    /// The call would wait for the thread that it is made on.
    WrongThread = -5,
    /// A header block, close reason or control payload is longer than the protocol allows.
    TooLarge = -6,
    /// The stream, connection or listener has ended, or never was.
    Gone = -20,
    /// A queue is at its cap and nothing was taken; `writable` follows.
    Busy = -21,
    /// The engine is draining or has stopped.
    ShuttingDown = -22,
    /// An operating system call failed; the text has its error.
    Io = -60,
    /// The address is in use by somebody else.
    AddressInUse = -61,
    /// The descriptor is no connected TCP or UNIX stream socket.
    NotASocket = -62,
    /// Certificates or keys cannot be used; the text names the file and the reason.
    Tls = -63,
    /// A bug in h2ws was caught; the call did nothing more.
    Panic = -99,
}

impl Status {
    /// Every status, in the order of the header.
    pub const ALL: [Self; 14] = [
        Self::InvalidArgument,
        Self::InvalidConfig,
        Self::NotUtf8,
        Self::WrongState,
        Self::WrongThread,
        Self::TooLarge,
        Self::Gone,
        Self::Busy,
        Self::ShuttingDown,
        Self::Io,
        Self::AddressInUse,
        Self::NotASocket,
        Self::Tls,
        Self::Panic,
    ];

    /// The number in the C ABI.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// A sentence for when there is no better one.
    pub const fn text(self) -> &'static str {
        match self {
            Self::InvalidArgument => "an argument is missing or out of its range",
            Self::InvalidConfig => "a configuration field is out of its range",
            Self::NotUtf8 => "text is not UTF-8",
            Self::WrongState => "the stream is not in a state for this call",
            Self::WrongThread => "this call blocks and may not be made inside a callback",
            Self::TooLarge => "longer than the protocol allows",
            Self::Gone => "the handle's object has ended",
            Self::Busy => "a queue is full, nothing was taken; wait for writable",
            Self::ShuttingDown => "the engine is shutting down",
            Self::Io => "an operating system call failed",
            Self::AddressInUse => "the address is in use",
            Self::NotASocket => "the descriptor is no connected stream socket",
            Self::Tls => "certificates or keys cannot be used",
            Self::Panic => "a bug in h2ws was caught",
        }
    }
}

/// A refused call: its [`Status`] and a text that says what happened, with which value, and what to do.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    text: Cow<'static, str>,
}

impl Error {
    /// For bindings, which refuse in the same words.
    pub fn new(status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, text: text.into() }
    }

    /// What kind of refusal.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The text for people.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self { status, text: Cow::Borrowed(status.text()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
