//! Where a browser comes back to an application of this machine (RFC 8252 section 7.3).

use core::time::Duration;
use std::time::Instant;

use zeroize::Zeroizing;

use super::{LoginError, LoginState};
use crate::base::events;
use crate::oidc::listener::{Answer, ListenAddress, Listener, Request, Served};

/// Below the path of the redirect URI: what stood in a fragment, which a browser does not send by itself.
const FRAGMENT: &str = "/fragment";

/// Nothing of a callback may be loaded, stored or passed on from its page.
const HEADERS: &str = "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\n\
    Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'\r\n";

/// What came of it is not known yet.
const DONE: &str = "<!doctype html><title>Login</title>\
    <p>You can close this page. The program that began the login says what came of it.";

/// Sends what stands in the fragment.
const PASS_ON: &str = "<!doctype html><title>Login</title><p>You can close this page.<script>\
    if (location.hash) location.replace(location.pathname + '/fragment?' + location.hash.slice(1))</script>";

/// Listens on loopback for browsers that come back, until it is dropped.
pub struct LoopbackRedirect {
    path: String,
    listener: Listener,
}

impl LoopbackRedirect {
    /// Listens on `address`, which must be of this machine; at port 0, on a free one.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`]; [`LoginError::RedirectUri`] for an address that others can reach.
    pub fn start(address: &ListenAddress) -> Result<Self, LoginError> {
        if !address.is_loopback() {
            return Err(LoginError::RedirectUri);
        }
        let path = address.path().to_owned();
        let served = path.clone();
        let listener = Listener::start(address, 16, move |request| serve(request, &served))?;
        Ok(Self { path, listener })
    }

    /// The redirect URI.
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.listener.address(), self.path)
    }

    /// What the browser came back with, once it is the answer to this login; anything else, which any page can make a
    /// browser send, is passed over. `None` if it does not come within `time`.
    pub fn wait(&self, state: &LoginState, time: Duration) -> Option<Zeroizing<String>> {
        let begun = Instant::now();
        let mut is_said = false;
        loop {
            let left = time.checked_sub(begun.elapsed())?;
            let callback = self.listener.wait(left)?;
            if state.is_answered_by(&callback) {
                return Some(callback);
            }
            if !is_said {
                events::warn!(
                    "what a browser came back with is no answer to this login (its state is missing or \
                     another one) and was passed over"
                );
                is_said = true;
            }
        }
    }
}

fn serve(request: &Request, path: &str) -> Served {
    let rest = match request.below(path, "GET") {
        Ok(rest) => rest,
        Err(answer) => return (answer, None),
    };
    let query = request.query();
    let mark = match rest {
        "" if query.is_empty() => return (Answer("200 OK", HEADERS, PASS_ON), None),
        "" => '?',
        FRAGMENT => '#',
        _ => return (Answer::NOT_FOUND, None),
    };
    let callback = format!("{mark}{query}");
    (Answer("200 OK", HEADERS, DONE), Some(callback.into()))
}

privyseal_core::opaque_debug! { [] LoopbackRedirect as it: redirect_uri = it.redirect_uri(); }

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;
    use crate::oidc::login::LoginOptions;

    fn get(redirect: &LoopbackRedirect, target: &str) -> String {
        let mut stream = TcpStream::connect(redirect.listener.address()).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_answer_comes_through_and_nothing_else() {
        let redirect = LoopbackRedirect::start(&"0".parse().unwrap()).unwrap();
        let uri = redirect.redirect_uri();
        let login = LoginState::new("https://idp.example", &LoginOptions::new(&uri)).unwrap();
        let state = login.0.state.as_str();
        assert!(get(&redirect, "/cb?code=x&state=other").starts_with("HTTP/1.1 200"));
        assert!(get(&redirect, "/favicon.ico").starts_with("HTTP/1.1 404"));
        assert!(get(&redirect, "/cb/x?code=x").starts_with("HTTP/1.1 404"));
        assert!(redirect.wait(&login, Duration::ZERO).is_none());
        let page = get(&redirect, &format!("/cb?code=x&state={state}"));
        assert!(page.contains("Cache-Control: no-store") && !page.contains(state));
        let callback = redirect.wait(&login, Duration::from_secs(5)).unwrap();
        assert_eq!(callback.as_str(), format!("?code=x&state={state}"));
        assert!(redirect.wait(&login, Duration::ZERO).is_none(), "once");
        // The page of a fragment sends it.
        assert!(get(&redirect, "/cb").contains("/fragment?"));
        let page = get(&redirect, &format!("/cb/fragment?error=x&state={state}"));
        assert!(page.contains("says what came of it"), "{page}");
        let callback = redirect.wait(&login, Duration::from_secs(5)).unwrap();
        assert_eq!(callback.as_str(), format!("#error=x&state={state}"));
        // No more than is read, or the connection would be reset.
        let mut stream = TcpStream::connect(redirect.listener.address()).unwrap();
        stream.write_all(&[b'x'; 8 * 1024]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 413 "), "{answer}");
        // Only who was asked knows the state: that is the answer, and one that cannot be used.
        get(&redirect, &format!("/cb?code=x&code=y&state={state}"));
        assert!(redirect.wait(&login, Duration::from_secs(5)).is_some());
        let open = LoopbackRedirect::start(&"0.0.0.0:0".parse().unwrap());
        assert!(matches!(open, Err(LoginError::RedirectUri)));
    }
}
