//! The stream below HTTP. A head that is none or too large hyper answers with a status and nothing else, and one that does not
//! come to its end not at all: here both become problems, as all other refusals are.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use privyseal_hsm::lock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::problem::Problem;

/// How a connection begins that wants to speak HTTP/2.
const HTTP2: &[u8] = b"PRI * HTTP/2.0";

const NO_HEAD: &str = "the head of the request is not a whole one of HTTP/1.1";

/// What carries a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection, for who answers in the place of a request whose thread hangs.
pub(crate) struct Connection {
    /// None after such an answer.
    stream: Mutex<Option<Box<dyn Stream>>>,
    /// Whether a whole request waits for its answer.
    pub(crate) is_under_way: AtomicBool,
}

impl Connection {
    pub(crate) fn new(stream: impl Stream + 'static) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(Some(Box::new(stream))),
            is_under_way: AtomicBool::new(false),
        })
    }

    /// Answers the request that is under way, if nothing of its answer was sent, and ends the connection.
    pub(crate) fn refuse(&self, problem: &Problem) {
        let mut stream = lock(&self.stream);
        if self.is_under_way.load(Ordering::Relaxed)
            && let Some(mut stream) = stream.take()
        {
            send(&mut stream, problem);
        }
    }

    fn poll<T>(
        &self,
        poll: impl FnOnce(Pin<&mut dyn Stream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut *lock(&self.stream) {
            Some(stream) => poll(Pin::new(&mut **stream)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

/// The stream of a connection, for hyper.
pub(crate) struct HttpStream {
    inner: Arc<Connection>,
    /// What is sent in the place of hyper's answer.
    instead: Vec<u8>,
    /// Whether something came since the last answer.
    is_asked: bool,
    /// Whether what came can become no request: it has ended, or hyper says nothing of what it is.
    is_hopeless: bool,
}

impl HttpStream {
    pub(crate) const fn new(inner: Arc<Connection>) -> Self {
        Self {
            inner,
            instead: Vec::new(),
            is_asked: false,
            is_hopeless: false,
        }
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let instead = &self.instead;
            let sent = self
                .inner
                .poll(|stream| stream.poll_write(context, instead));
            let sent = ready!(sent)?;
            self.instead.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends a refusal as far as it goes at once.
pub(crate) fn send(stream: &mut (impl AsyncWrite + Unpin), problem: &Problem) {
    let mut context = Context::from_waker(Waker::noop());
    let _ = Pin::new(stream).poll_write(&mut context, &problem.to_http());
}

pub(crate) fn ending() -> Problem {
    let detail = "the agent ends, and the answer was not there in time";
    Problem::unavailable("busy", detail)
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

impl AsyncRead for HttpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.inner.poll(|stream| stream.poll_read(context, buffer)))?;
        let has_more = buffer.filled().len() > before;
        self.is_asked |= has_more;
        self.is_hopeless |= !has_more || buffer.filled()[before..].starts_with(HTTP2);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HttpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(context))?;
        self.is_asked = false;
        if let Some(problem) = own_refusal(bytes) {
            self.instead = problem.to_http();
            return Poll::Ready(Ok(bytes.len()));
        }
        self.inner.poll(|stream| {
            self.inner.is_under_way.store(false, Ordering::Relaxed);
            stream.poll_write(context, bytes)
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        self.inner.poll(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        self.inner.poll(|stream| stream.poll_shutdown(context))
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        let head = |status, detail| Problem::new(status, "head", detail);
        let problem = if self.inner.is_under_way.load(Ordering::Relaxed) {
            ending()
        } else if !self.is_asked {
            return;
        } else if self.is_hopeless {
            head(StatusCode::BAD_REQUEST, NO_HEAD)
        } else {
            let detail = "the head of the request did not come in time";
            head(StatusCode::REQUEST_TIMEOUT, detail)
        };
        if let Some(stream) = &mut *lock(&self.inner.stream) {
            send(stream, &problem);
        }
    }
}
