//! What is waited for, on a terminal: a spinner with the server's name, the step and the time that is left.
//! Where standard error is no terminal, nothing.

use core::time::Duration;
use std::io::IsTerminal as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use privyseal::Http;
use privyseal::http::{HttpWatcher, Url};
use privyseal_hsm::{Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable, lock};

/// Who is done sooner sees nothing.
const PATIENCE: Duration = Duration::from_secs(1);

const TICK: Duration = Duration::from_millis(100);

/// Shows what a client waits for, until it is finished or dropped.
pub(super) struct Progress {
    /// None where nobody looks.
    shown: Option<Arc<Shown>>,
    drawer: Mutex<Option<JoinHandle<()>>>,
}

struct Shown {
    bar: ProgressBar,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What for, such as "for page 2 of 3".
    step: String,
    /// Whom, and until when.
    waiting: Option<(String, Instant)>,
    is_pause: bool,
    since: Option<Instant>,
    is_drawn: bool,
    is_over: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        let is_seen = std::io::stderr().is_terminal();
        let shown = is_seen.then(|| Arc::new(Shown::new()));
        let drawer = shown.as_ref().map(|shown| {
            let drawn = Arc::clone(shown);
            thread::spawn(move || drawn.draw())
        });
        Self {
            shown,
            drawer: Mutex::new(drawer),
        }
    }

    /// The same client, which is shown here.
    pub(super) fn watch(&self, http: Http) -> Http {
        match self.watcher() {
            Some(watcher) => http.watched_by(watcher),
            None => http,
        }
    }

    /// Who is told, where somebody looks.
    pub(super) fn watcher(&self) -> Option<Arc<dyn HttpWatcher>> {
        self.shown.as_ref().map(|shown| Arc::clone(shown) as _)
    }

    /// What is asked for next.
    pub(super) fn step(&self, step: &str) {
        if let Some(shown) = &self.shown {
            step.clone_into(&mut lock(&shown.state).step);
        }
    }

    /// Does something that writes to the terminal.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shown {
            Some(shown) => {
                let state = lock(&shown.state);
                if state.is_drawn {
                    shown.bar.suspend(write)
                } else {
                    write()
                }
            }
            None => write(),
        }
    }

    /// Takes the spinner away.
    pub(super) fn finish(&self) {
        if let Some(shown) = &self.shown {
            lock(&shown.state).is_over = true;
            shown.changed.notify_all();
            let drawer = lock(&self.drawer).take();
            // It cannot panic but for a terminal that is gone, and then nobody looks.
            let _ = drawer.map(JoinHandle::join);
        }
    }
}

/// An error comes on lines of its own.
impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl HttpWatcher for Shown {
    fn asking(&self, url: &Url, within: Duration) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        state.since.get_or_insert(now);
        state.waiting = Some((url.host().to_owned(), now + within));
        state.is_pause = false;
    }

    fn answered(&self) {
        if let Some((_, until)) = &mut lock(&self.state).waiting {
            *until = Instant::now();
        }
    }

    fn pausing(&self, pause: Duration) {
        let mut state = lock(&self.state);
        if let Some((_, until)) = &mut state.waiting {
            *until = Instant::now() + pause;
        }
        state.is_pause = true;
    }
}

impl Shown {
    fn new() -> Self {
        Self {
            bar: bar(SPINNER),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn draw(&self) {
        let mut state = lock(&self.state);
        while !state.is_over {
            let now = Instant::now();
            if let Some(message) = state.message(now) {
                state.is_drawn = true;
                self.bar.set_message(message);
                self.bar.tick();
            }
            state = self
                .changed
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if state.is_drawn {
            self.bar.finish_and_clear();
        }
    }
}

impl State {
    fn message(&self, now: Instant) -> Option<String> {
        let waited = now.saturating_duration_since(self.since?);
        if waited < PATIENCE {
            return None;
        }
        let (host, until) = self.waiting.as_ref()?;
        let left = minutes(until.saturating_duration_since(now));
        let step = &self.step;
        Some(if self.is_pause {
            format!("{host} is asked again {step} in {left}")
        } else {
            format!("asking {host} {step}, {left} left")
        })
    }
}

/// Does something that a person waits for, with a spinner beside `text`. It stands aside where a secret is asked for.
pub(super) fn while_it_takes<T>(
    text: &'static str,
    secrets: &mut dyn SecretProvider,
    work: impl FnOnce(&mut dyn SecretProvider) -> T,
) -> T {
    let bar = bar("{spinner} {msg}, {elapsed} so far");
    bar.set_message(text);
    bar.enable_steady_tick(TICK);
    let done = work(&mut Aside(&bar, secrets));
    bar.finish_and_clear();
    done
}

struct Aside<'a>(&'a ProgressBar, &'a mut dyn SecretProvider);

impl SecretProvider for Aside<'_> {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        self.0.suspend(|| self.1.secret(request))
    }

    fn was_refused(&mut self, request: &SecretRequest, secret: &Secret) -> bool {
        self.1.was_refused(request, secret)
    }

    fn outcome(&mut self, request: &SecretRequest, secret: &Secret, offer: SecretOffer) {
        self.0.suspend(|| self.1.outcome(request, secret, offer));
    }
}

/// A spinner and a text.
pub(super) const SPINNER: &str = "{spinner} {msg}";

/// Shown if standard error is a terminal, as indicatif does by itself.
pub(super) fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Minutes and seconds; begun seconds count as whole ones.
pub(super) fn minutes(left: Duration) -> String {
    let left = left.as_millis().div_ceil(1000);
    format!("{}:{:02}", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_at_first_then_who_what_and_how_long() {
        let begin = Instant::now();
        let mut state = State {
            step: "for page 2 of 3".to_owned(),
            ..State::default()
        };
        let later = |milliseconds| begin + Duration::from_millis(milliseconds);
        assert_eq!(state.message(later(5000)), None, "nobody was asked");
        state.since = Some(begin);
        state.waiting = Some(("as.example".to_owned(), later(75_000)));
        assert_eq!(state.message(later(999)), None);
        for (at, left) in [
            (1000, "1:14"),
            (14_999, "1:01"),
            (15_000, "1:00"),
            (90_000, "0:00"),
        ] {
            let expected = format!("asking as.example for page 2 of 3, {left} left");
            assert_eq!(state.message(later(at)), Some(expected));
        }
        state.is_pause = true;
        assert_eq!(
            state.message(later(73_000)).unwrap(),
            "as.example is asked again for page 2 of 3 in 0:02"
        );
    }
}
