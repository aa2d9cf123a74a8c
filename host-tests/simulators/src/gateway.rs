//! Talks to a gateway in the words of `privyseal-protocol`, without the host's own code: what it says is seen as it
//! came over the line.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use privyseal_protocol::{
    Content, FrameDecoder, Info, MAX_COMPOSED, Provision, Refusal, Request, Response, SignRequest,
};

use crate::link::{Upload, composing, frame};

/// A signature in an emulator on a busy machine, with much to spare.
const PATIENCE: Duration = Duration::from_secs(120);

/// The other end of a gateway's line.
#[derive(Debug)]
pub struct Gateway {
    line: UnixStream,
    decoder: FrameDecoder,
    id: u8,
    /// Every byte that the device has sent.
    pub heard: Vec<u8>,
}

impl Gateway {
    /// Waits until it answers.
    ///
    /// # Panics
    /// If it does not in time.
    pub fn new(line: UnixStream) -> Self {
        let mut gateway = Self {
            line,
            decoder: FrameDecoder::new(),
            id: 0,
            heard: Vec::new(),
        };
        let end = Instant::now() + PATIENCE;
        // What is sent before it has started is lost.
        while !gateway.answers() {
            assert!(Instant::now() < end, "the gateway does not answer");
        }
        gateway
    }

    fn answers(&mut self) -> bool {
        self.send(&Request::Info);
        let answer = self.next(Duration::from_millis(500), &mut |_| Some(()));
        answer.is_some()
    }

    /// What it says of itself.
    ///
    /// # Panics
    /// If it says something else.
    pub fn info<T>(&mut self, mut take: impl FnMut(&Info<'_>) -> T) -> T {
        let answer = self.ask(&Request::Info, |response| match response {
            Response::Info(info) => Some(take(info)),
            _ => None,
        });
        answer.expect("info is never refused")
    }

    /// Provisions it; gives the digest of its key.
    ///
    /// # Panics
    /// If the line breaks.
    pub fn provision(&mut self, upload: &Upload) -> Result<[u8; 32], Refusal> {
        upload.send(|step| {
            self.ask(&Request::Provision(step), |response| match response {
                Response::Accepted { .. } => Some(()),
                _ => None,
            })
        })?;
        let commit = Request::Provision(Provision::Commit);
        self.ask(&commit, |response| match response {
            Response::Provisioned { key } => Some(*key),
            _ => None,
        })
    }

    /// Asks for an assertion.
    ///
    /// # Panics
    /// If its pieces do not follow each other, or it is no text.
    pub fn sign(&mut self, request: SignRequest<'_>) -> Result<String, Refusal> {
        self.token(&Request::Sign(request))
    }

    /// Asks for the statement of a content.
    ///
    /// # Panics
    /// As [`Gateway::sign`].
    pub fn state(
        &mut self,
        request: SignRequest<'_>,
        content: &Content<'_>,
    ) -> Result<String, Refusal> {
        self.compose(content)?;
        self.token(&Request::SignComposed(request))
    }

    /// Sends a content, for what is asked for next.
    ///
    /// # Panics
    /// As [`Gateway::ask`].
    pub fn compose(&mut self, content: &Content<'_>) -> Result<(), Refusal> {
        let mut buffer = [0; MAX_COMPOSED];
        let bytes = content.to_bytes(&mut buffer).expect("it fits");
        composing(bytes).try_for_each(|piece| {
            self.ask(&piece, |response| match response {
                Response::Accepted { .. } => Some(()),
                _ => None,
            })
        })
    }

    /// Asks for a content key.
    ///
    /// # Panics
    /// As [`Gateway::ask`].
    pub fn unwrap_key(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.ask(&Request::Unwrap { ciphertext }, |response| match response {
            Response::ContentKey { bytes } => Some(bytes.to_vec()),
            _ => None,
        })
    }

    fn token(&mut self, request: &Request<'_>) -> Result<String, Refusal> {
        let mut token = Vec::new();
        self.ask(request, |response| match response {
            Response::Token {
                total,
                offset,
                bytes,
            } => {
                assert_eq!(*offset as usize, token.len(), "pieces in order");
                token.extend(*bytes);
                (token.len() == *total as usize).then_some(())
            }
            _ => None,
        })?;
        Ok(String::from_utf8(token).expect("a token is text"))
    }

    /// Sends a request and hands each answer to `take`, until it has what it wants.
    ///
    /// # Panics
    /// If the device falls silent.
    pub fn ask<T>(
        &mut self,
        request: &Request<'_>,
        mut take: impl FnMut(&Response<'_>) -> Option<T>,
    ) -> Result<T, Refusal> {
        self.send(request);
        let answer = self.next(PATIENCE, &mut |response| match response {
            Response::Refused(refusal) => Some(Err(*refusal)),
            other => take(other).map(Ok),
        });
        answer.unwrap_or_else(|| panic!("no answer to {request:?}"))
    }

    fn send(&mut self, request: &Request<'_>) {
        self.id = self.id.wrapping_add(1);
        let frame = frame(self.id, request);
        self.line.write_all(&frame).expect("the line is there");
    }

    /// The first answer to the last request that `take` wants, if it comes in time.
    fn next<T>(
        &mut self,
        time: Duration,
        take: &mut dyn FnMut(&Response<'_>) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + time;
        let mut bytes = [0; 512];
        loop {
            let left = end.checked_duration_since(Instant::now())?;
            let left = left.max(Duration::from_millis(1));
            self.line.set_read_timeout(Some(left)).expect("a socket");
            let len = match self.line.read(&mut bytes) {
                Ok(len) => len,
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) =>
                {
                    0
                }
                Err(error) => panic!("the line broke: {error}"),
            };
            self.heard.extend(&bytes[..len]);
            let mut found = None;
            for byte in &bytes[..len] {
                let Some(Ok(message)) = self.decoder.feed(*byte) else {
                    continue;
                };
                if message.id != self.id || found.is_some() {
                    continue;
                }
                let response = message.read().expect("a response");
                found = take(&response);
            }
            if found.is_some() {
                return found;
            }
        }
    }
}
