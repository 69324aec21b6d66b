//! What a container writes, on its way to the streams of this process.

use std::io::{self, Write as _};

use longshore_engine::Stream;

/// The two streams of this process. Once nobody reads one of them, what goes there is dropped: the container is not to
/// suffer for it.
#[derive(Debug, Default)]
pub(in crate::cli::container) struct Passage {
    closed: [bool; 2],
}

impl Passage {
    /// Hands bytes on at once.
    pub(in crate::cli::container) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let closed = &mut self.closed[usize::from(stream == Stream::Stderr)];
        if *closed {
            return;
        }
        let written = match stream {
            Stream::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Stream::Stderr => io::stderr().lock().write_all(bytes),
        };
        *closed = written.is_err();
    }

    /// Whether nobody reads standard output any more.
    pub(in crate::cli::container) fn is_closed(&self) -> bool {
        self.closed[0]
    }
}
