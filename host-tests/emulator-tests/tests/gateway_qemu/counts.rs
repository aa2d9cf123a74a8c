//! What an answer takes: instructions, of which those that a secret goes through are always as many, and stack.

use privyseal_test_base::clock::run_start;
use std::io::{Write as _, stdout};

use privyseal_core::payload::{AcrValues, AuthenticationRequest};
use privyseal_core::scheme::ITSME;
use privyseal_protocol::{Content, DeviceState, SchemeId, SignRequest};
use privyseal_test_simulators::emulator::{AN386, Emulator};
use privyseal_test_simulators::gateway::Gateway;

use crate::stage::{ISSUER, Party, SERVED};

/// Messages of each key.
const MESSAGES: usize = 4;
/// Instructions of a whole answer, at most.
const MOST: u64 = 12_000_000;
/// In ten thousand of the whole: everything but RSA, at most. A third of it makes the text a second time.
const MOST_BESIDES: u64 = 100;
/// Characters of the header, at least: that of the public iSHARE chain has 10,744.
const HEADER: usize = 11_000;
/// Bytes of stack of a whole answer, less than.
const STACK: u64 = 5 * 1024;
/// Instructions between two feedings of the watchdog, less than: 2.1 s at 16 MHz and 1.7 cycles each. The watchdog
/// waits for 16.4 s, and for 11.2 where its oscillator is as fast as it may be.
const UNFED: u64 = 20_000_000;
/// Bytes of stack of a commit and of a start, less than. Both boards have 96 KiB, of which the device itself
/// takes 18.
const DEEPEST: u64 = 72 * 1024;

/// The parts of an answer, in instructions or bytes of stack.
#[derive(Clone, Copy, Debug)]
struct Parts {
    /// Policy, time, `jti`, claims, digest, journal.
    before: u64,
    /// Blinded signature and its check.
    engine: u64,
    /// The core's verification.
    verification: u64,
    /// The token, in frames.
    sending: u64,
}

impl Parts {
    fn of(line: &str) -> Self {
        Self {
            before: number(line, "before"),
            engine: number(line, "engine"),
            verification: number(line, "verification"),
            sending: number(line, "sending"),
        }
    }

    fn besides_rsa(self) -> u64 {
        self.before + self.sending
    }

    fn sum(self) -> u64 {
        self.besides_rsa() + self.engine + self.verification
    }
}

/// Three keys, four messages each.
///
/// Only the engine knows the secret, and what it takes must be the same to the instruction. The rest works on
/// what everybody may see, and takes a little more or less with it: a zero byte more in a frame, a limb that
/// decides a comparison. It has a bound.
#[test]
fn a_signature_takes_the_same_for_every_key_and_message() {
    let (mut counts, mut stacks) = (Vec::new(), Vec::new());
    for key in ["seal", "gateway-2", "gateway-3"] {
        for line in of_one_key(key) {
            show(key, &line);
            let parts = Parts::of(&line);
            if line.starts_with("instructions ") {
                counts.push(parts);
                stacks.push(number(&line, "stack"));
            }
        }
    }
    assert_eq!(counts.len(), 3 * MESSAGES);
    let engine = counts[0].engine;
    assert!(engine > 1_000_000, "{engine}: no signature was made there");
    for count in &counts {
        assert_eq!(count.engine, engine, "constant time");
        let (besides, sum) = (count.besides_rsa(), count.sum());
        assert!(sum <= MOST, "{sum} instructions");
        assert!(
            besides * 10_000 <= sum * MOST_BESIDES,
            "{besides} of {sum} instructions besides RSA"
        );
    }
    let stack = stacks.iter().copied().max().unwrap_or(u64::MAX);
    assert!(stack < STACK, "{stack} bytes of stack");
}

/// A request takes no more stack than an assertion may, and as many instructions in the engine as any.
#[test]
fn a_login_hint_and_a_request_have_their_bounds() {
    let party = Party::new("seal");
    let emulator = Emulator::counting(AN386, "mps2-an386-measure");
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    let request = SignRequest {
        audience: Some(ISSUER),
        ..SignRequest::new(SchemeId::of(&ITSME), run_start())
    };
    // It counts every second answer, and a content may come in any number of pieces.
    let mut made = |content: &Content<'_>| {
        for attempt in 0..3 {
            if attempt == 2 {
                gateway.info(|_| ());
            }
            let token = gateway.state(request, content);
            let token = token.unwrap_or_else(|refusal| panic!("{refusal}"));
            party.openssl_verifies(&token);
            let line = said_of(&emulator, &token);
            show("statement", &line);
            if line.starts_with("instructions ") {
                let (sum, stack) = (Parts::of(&line).sum(), number(&line, "stack"));
                assert!(sum <= MOST, "{sum} instructions");
                assert!(stack < STACK, "{stack} bytes of stack");
                return token;
            }
        }
        panic!("it counts no answer");
    };
    let hint = made(&Content::LoginHint(&"t".repeat(600)));
    made(&Content::Authentication(AuthenticationRequest {
        scope: "openid service:CODE profile",
        login_hint_token: &hint,
        acr_values: Some(AcrValues::Advanced),
        requested_expiry: Some(300),
        client_notification_token: Some(&"n".repeat(43)),
        id_token_claims: "acr",
        userinfo_claims: "birthdate name",
    }));
}

/// So it is with a content key; the engine takes the same for each.
#[test]
fn a_content_key_has_its_bounds() {
    let party = Party::unwrapping("seal");
    let emulator = Emulator::counting(AN386, "mps2-an386-measure");
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    let mut engines = Vec::new();
    for plain in [&[7; 32][..], &[0; 64], &[0xff; 16]] {
        let wrapped = party.wrapped("sha256", plain);
        for _ in 0..2 {
            assert_eq!(gateway.unwrap_key(&wrapped), Ok(plain.to_vec()));
        }
        // It counts one of the two; before them came the commit, whose proofs take their time.
        let (line, count) = loop {
            let line = said(&emulator, "instructions ");
            let count = Parts::of(&line);
            if count.engine > 1_000_000 && count.before < 1_000_000 {
                break (line, count);
            }
        };
        show("content key", &line);
        let (sum, stack) = (count.sum(), number(&line, "stack"));
        assert!(sum <= MOST, "{sum} instructions");
        assert!(stack < STACK, "{stack} bytes of stack");
        engines.push(count.engine);
    }
    assert!(engines.iter().all(|it| *it == engines[0]), "{engines:?}");
}

/// A commit and a start, with the longest chain that a device takes: the watchdog is fed often enough, also at
/// 16 MHz, and the stack that is there is enough.
#[test]
fn a_start_and_a_commit_have_their_bounds() {
    let party = Party::with_the_longest_chain("seal");
    let mut emulator = Emulator::counting(AN386, "mps2-an386-measure");
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    let commit = said(&emulator, "long");
    emulator.reset();
    drop(gateway);
    let mut gateway = Gateway::new(emulator.connect());
    assert_eq!(gateway.info(|info| info.state), DeviceState::Ready);
    let start = said(&emulator, "start");
    for (what, line) in [("commit", commit), ("start", start)] {
        show(what, &line);
        let (all, unfed) = (number(&line, "instructions"), number(&line, "unfed"));
        assert!(all > 30_000_000, "{what}: there was no key");
        assert!(unfed < UNFED, "{what}: {unfed} instructions without food");
        let deepest = number(&line, "deepest");
        assert!(deepest < DEEPEST, "{what}: {deepest} bytes of stack");
    }
}

/// The next line of that kind.
fn said(emulator: &Emulator, kind: &str) -> String {
    loop {
        let line = emulator.said();
        if line.starts_with(kind) {
            return line;
        }
    }
}

/// What it says of the answer with this token: those to what came before are shorter.
fn said_of(emulator: &Emulator, token: &str) -> String {
    loop {
        let line = emulator.said();
        if number(&line, "len") > token.len() as u64 {
            return line;
        }
    }
}

/// What the image says of its answers: it counts one, and looks at the stack in the parts of the next.
fn of_one_key(key: &str) -> Vec<String> {
    let party = Party::with_large_certificates(key);
    let emulator = Emulator::counting(AN386, "mps2-an386-measure");
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    let (scheme, _, audience) = SERVED[0];
    let signed = |message| {
        let token = gateway.sign(SignRequest {
            audience: Some(audience),
            ..SignRequest::new(scheme, run_start() + message)
        });
        let token = token.unwrap_or_else(|refusal| panic!("{refusal}"));
        party.openssl_verifies(&token);
        let header = token.split('.').next().map_or(0, str::len);
        assert!(header >= HEADER, "a header of {header} characters");
        said_of(&emulator, &token)
    };
    (0..2 * MESSAGES as u64).map(signed).collect()
}

/// Past what holds back the output of tests that pass: `cargo xtask firmware sizes` reads it too.
fn show(key: &str, line: &str) {
    let shown = writeln!(stdout(), "{key}: {line}");
    shown.expect("a standard output");
}

fn number(line: &str, name: &str) -> u64 {
    let mut words = line.split_whitespace().filter_map(|w| w.split_once('='));
    let value = words.find(|(found, _)| *found == name);
    value
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {line:?}"))
}
