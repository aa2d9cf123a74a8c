//! The network: connections, TLS, HTTP.

use std::convert::Infallible;
use std::net::TcpListener;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Answer, Handler, refusal};
use privyseal_test_judges::assertion_judge::Refusal;

/// A connection that lasts longer than this is a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than any token request has; what a request may bring, in bytes.
const MAX_BODY: usize = 128 * 1024;

/// Serves until the other end of `stopped` is dropped.
pub(super) async fn until(
    mut stopped: oneshot::Receiver<()>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handler: Handler,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listening socket");
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                // A failed accept concerns the connection that did not come about.
                let Ok((stream, _)) = accepted else { continue };
                let (acceptor, handler) = (acceptor.clone(), handler.clone());
                tokio::spawn(tokio::time::timeout(PATIENCE, converse(stream, acceptor, handler)));
            }
        }
    }
}

/// One connection. A client that breaks it off, or does not trust the certificate, is no error here.
async fn converse(stream: TcpStream, acceptor: TlsAcceptor, handler: Handler) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(answer(&handler, request).await) });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(handler: &Handler, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => handler(&Request::from_parts(head, body.to_bytes())),
        Err(_) => refusal(&Refusal::bad_request(
            "invalid_request",
            "the body is too long or was cut short",
        )),
    }
}
