//! Frames: one JSON object followed by a NUL byte, at most [`LIMIT`] bytes with it (<https://varlink.org/Specification>).
//!
//! [`FrameBuffer`] does no I/O, so the daemon's async sockets and the module's blocking one share it. The buffers may
//! hold codes, so they are wiped.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

/// The largest frame, in bytes, its NUL included. A peer that exceeds it is cut off.
pub const LIMIT: usize = 64 * 1024;

/// Why a peer's bytes are not a frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// More than [`LIMIT`] bytes without a NUL.
    #[error("a frame is longer than 64 KiB")]
    TooLong,
    /// The peer closed the connection; inside a frame or between two.
    #[error("the connection was closed")]
    Closed,
    /// The socket failed; a timeout is one of these.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Bytes that have arrived, and where the next frame in them ends.
#[derive(Default)]
pub struct FrameBuffer {
    bytes: Zeroizing<Vec<u8>>,
    searched: usize,
}

impl FrameBuffer {
    /// Takes bytes as they come from the socket.
    pub fn push(&mut self, arrived: &[u8]) {
        let needed = self.bytes.len().saturating_add(arrived.len());
        if self.bytes.capacity() < needed {
            // Growing in place would leave an unwiped copy behind. Not larger than it must be: all of it is wiped.
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(arrived);
    }

    /// The next whole frame, without its NUL; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as the cap is passed, not only when the frame ends.
    pub fn next_frame(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, FrameError> {
        let unsearched = self.bytes.iter().skip(self.searched);
        let Some(end) =
            unsearched.clone().position(|byte| *byte == 0).map(|at| at.saturating_add(self.searched))
        else {
            self.searched = self.bytes.len();
            return if self.bytes.len() >= LIMIT { Err(FrameError::TooLong) } else { Ok(None) };
        };
        if end >= LIMIT {
            return Err(FrameError::TooLong);
        }
        let rest = Zeroizing::new(self.bytes.split_off(end.saturating_add(1)));
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        frame.truncate(end);
        self.searched = 0;
        Ok(Some(frame))
    }

    /// True if a frame has begun to arrive but not ended.
    pub fn is_inside_frame(&self) -> bool {
        !self.bytes.is_empty()
    }
}

/// Reads until a whole frame is there.
///
/// # Errors
/// [`FrameError`]; a socket's read timeout arrives as [`FrameError::Io`]. Interrupted reads are taken up again.
pub fn read_frame(
    source: &mut impl Read,
    buffer: &mut FrameBuffer,
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let mut chunk = Zeroizing::new([0u8; 4096]);
    loop {
        if let Some(frame) = buffer.next_frame()? {
            return Ok(frame);
        }
        match source.read(chunk.as_mut_slice()) {
            Ok(0) => return Err(FrameError::Closed),
            Ok(count) => buffer.push(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Serialises a message into one frame, NUL included, ready for the socket.
///
/// # Errors
/// [`FrameError::TooLong`] if the message does not fit.
pub fn encode<T: serde::Serialize>(message: &T) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    serde_json::to_writer(&mut *bytes, message).map_err(io::Error::other)?;
    bytes.push(0);
    if bytes.len() > LIMIT {
        return Err(FrameError::TooLong);
    }
    Ok(bytes)
}

/// Writes one message as a frame.
///
/// # Errors
/// [`FrameError`], as for [`encode`] and for the socket.
pub fn write_frame<T: serde::Serialize>(sink: &mut impl Write, message: &T) -> Result<(), FrameError> {
    sink.write_all(&encode(message)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(buffer: &mut FrameBuffer) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| buffer.next_frame().unwrap().map(|frame| frame.to_vec())).collect()
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let wire = b"{\"a\":1}\0{}\0{\"b\":";
        for size in 1..=wire.len() {
            let mut buffer = FrameBuffer::default();
            let mut seen = Vec::new();
            for piece in wire.chunks(size) {
                buffer.push(piece);
                seen.extend(frames(&mut buffer));
            }
            assert_eq!(seen, [b"{\"a\":1}".to_vec(), b"{}".to_vec()], "chunks of {size}");
            assert!(buffer.is_inside_frame());
        }
    }

    #[test]
    fn the_cap_counts_the_nul_and_is_noticed_before_the_frame_ends() {
        let mut fits = FrameBuffer::default();
        fits.push(&vec![b' '; LIMIT - 1]);
        fits.push(&[0]);
        assert_eq!(fits.next_frame().unwrap().unwrap().len(), LIMIT - 1);

        let mut endless = FrameBuffer::default();
        endless.push(&vec![b' '; LIMIT]);
        assert!(matches!(endless.next_frame(), Err(FrameError::TooLong)));

        let mut late = FrameBuffer::default();
        late.push(&vec![b' '; LIMIT]);
        late.push(&[0]);
        assert!(matches!(late.next_frame(), Err(FrameError::TooLong)));
        assert!(matches!(encode(&"x".repeat(LIMIT)), Err(FrameError::TooLong)));
    }

    #[test]
    fn a_close_inside_a_frame_is_an_end_not_a_frame() {
        let mut buffer = FrameBuffer::default();
        assert!(matches!(read_frame(&mut &b"{\"half\":"[..], &mut buffer), Err(FrameError::Closed)));
    }
}
