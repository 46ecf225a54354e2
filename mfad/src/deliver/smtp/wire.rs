//! The TCP connection under an SMTP dialogue. It hands out one line at a time and counts what comes in, because the
//! SMTP library buffers both without a bound: an answer that was slipped in behind STARTTLS must not survive into the
//! encrypted dialogue (RFC 3207 6, CVE-2011-0411), and an endless line must not fill our memory.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How many bytes a relay may still send. Shared with whoever grants more for the next delivery.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// Before STARTTLS: a greeting and the list of extensions.
    pub(super) const GREETING: usize = 16 << 10;
    /// A TLS handshake with a long chain, and one delivery.
    pub(super) const DELIVERY: usize = 128 << 10;

    pub(super) fn grant(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed).checked_sub(bytes);
        let left = left.ok_or_else(|| io::Error::other("the relay sends far more than an SMTP answer"))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Wire {
    tcp: TcpStream,
    allowance: Allowance,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream, allowance: Allowance) -> Self {
        Wire { tcp, allowance, buffer: vec![0; 4 << 10].into(), start: 0, end: 0 }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut incoming = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut incoming))?;
        (self.start, self.end) = (0, incoming.filled().len());
        Poll::Ready(self.allowance.take(self.end))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start == self.end {
            ready!(self.poll_fill(context))?;
        }
        let waiting = &self.buffer[self.start..self.end];
        let line = waiting.iter().position(|byte| *byte == b'\n').map_or(waiting.len(), |at| at + 1);
        let length = line.min(to.remaining());
        to.put_slice(&waiting[..length]);
        self.start += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}
