//! An outgoing stream that ends whole or is reset.

use std::future::Future;
use std::ops::{Deref, DerefMut};

use quinn::{SendStream, StoppedError, VarInt};

/// The code of a stream that was let go in the middle.
const ABANDONED: VarInt = VarInt::from_u32(1);

/// quinn's stream, but dropping it *resets* it. quinn itself would finish it, and half a frame would look like a whole
/// one to the peer.
#[derive(Debug)]
pub(crate) struct OutStream {
    stream: SendStream,
    finished: bool,
}

impl OutStream {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self { stream, finished: false }
    }

    /// Ends the stream after what was written. Resolves when the peer has acknowledged all of it.
    ///
    /// The future tells the code with which the peer refused the rest, if it did.
    pub(crate) fn finish(
        mut self,
    ) -> impl Future<Output = Result<Option<VarInt>, StoppedError>> + Send + 'static {
        // An error means that the peer has stopped the stream, which `stopped` reports as well.
        let _ = self.stream.finish();
        self.finished = true;
        self.stream.stopped()
    }
}

impl Deref for OutStream {
    type Target = SendStream;

    fn deref(&self) -> &SendStream {
        &self.stream
    }
}

impl DerefMut for OutStream {
    fn deref_mut(&mut self) -> &mut SendStream {
        &mut self.stream
    }
}

impl Drop for OutStream {
    fn drop(&mut self) {
        if !self.finished {
            // Already reset by the peer's wish, or the link is gone: either way nothing is left to do.
            let _ = self.stream.reset(ABANDONED);
        }
    }
}
