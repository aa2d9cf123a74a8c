//! The network: connections, TLS, HTTP.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::routes::answer;
use super::state::State;

/// A connection that lasts longer than this is a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves until the other end of `stopped` is dropped.
pub(super) async fn until(
    mut stopped: oneshot::Receiver<()>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<State>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listening socket");
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                // A failed accept concerns the connection that did not come about.
                let Ok((stream, _)) = accepted else { continue };
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
                tokio::spawn(tokio::time::timeout(PATIENCE, converse(stream, acceptor, state)));
            }
        }
    }
}

/// One connection. A client that breaks it off, or does not trust the certificate, is no error here.
async fn converse(stream: TcpStream, acceptor: TlsAcceptor, state: Arc<State>) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(answer(&state, request).await) });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
