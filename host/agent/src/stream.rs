//! The stream below HTTP. A head that is none or too large hyper answers with a status and nothing else, and one that does not
//! come to its end not at all: here both become problems, as all other refusals are.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::Arc;

use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::problem::Problem;

/// How a connection begins that wants to speak HTTP/2.
const HTTP2: &[u8] = b"PRI * HTTP/2.0";

const NO_HEAD: &str = "the head of the request is not a whole one of HTTP/1.1";

/// The stream of a connection.
pub(crate) struct HttpStream<S: AsyncWrite + Unpin> {
    inner: S,
    /// What is sent in the place of hyper's answer.
    instead: Vec<u8>,
    /// Whether something came since the last answer.
    is_asked: bool,
    /// Whether what came can become no request: it has ended, or hyper says nothing of what it is.
    is_hopeless: bool,
    /// Whether a whole request waits for its answer.
    is_under_way: Arc<AtomicBool>,
}

impl<S: AsyncWrite + Unpin> HttpStream<S> {
    pub(crate) const fn new(inner: S, is_under_way: Arc<AtomicBool>) -> Self {
        Self {
            inner,
            instead: Vec::new(),
            is_asked: false,
            is_hopeless: false,
            is_under_way,
        }
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let sent = Pin::new(&mut self.inner).poll_write(context, &self.instead);
            let sent = ready!(sent)?;
            self.instead.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends a refusal as far as it goes at once.
pub(crate) fn send<S: AsyncWrite + Unpin>(stream: &mut S, problem: &Problem) {
    let mut context = Context::from_waker(Waker::noop());
    let _ = Pin::new(stream).poll_write(&mut context, &problem.to_http());
}

/// The refusal in an answer of hyper's own: every one of ours has a body.
fn own_refusal(answer: &[u8]) -> Option<Problem> {
    let status = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = StatusCode::from_bytes(status).ok()?;
    if !status.is_client_error() {
        return None;
    }
    let empty = b"\r\ncontent-length: 0\r\n";
    let is_empty = answer.windows(empty.len()).any(|it| it == empty);
    let detail = match status {
        StatusCode::BAD_REQUEST => NO_HEAD,
        _ => "the head of the request is too large",
    };
    is_empty.then(|| Problem::new(status, "head", detail))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HttpStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let has_more = buffer.filled().len() > before;
        self.is_asked |= has_more;
        self.is_hopeless |= !has_more || buffer.filled()[before..].starts_with(HTTP2);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HttpStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(context))?;
        self.is_asked = false;
        self.is_under_way.store(false, Ordering::Relaxed);
        if let Some(problem) = own_refusal(bytes) {
            self.instead = problem.to_http();
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<S: AsyncWrite + Unpin> Drop for HttpStream<S> {
    fn drop(&mut self) {
        let head = |status, detail| Problem::new(status, "head", detail);
        let problem = if self.is_under_way.load(Ordering::Relaxed) {
            Problem::unavailable(
                "busy",
                "the agent ends, and the answer was not there in time",
            )
        } else if !self.is_asked {
            return;
        } else if self.is_hopeless {
            head(StatusCode::BAD_REQUEST, NO_HEAD)
        } else {
            let detail = "the head of the request did not come in time";
            head(StatusCode::REQUEST_TIMEOUT, detail)
        };
        send(&mut self.inner, &problem);
    }
}
