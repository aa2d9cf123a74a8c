//! A fault at one instruction of all that a request executes, each the first time that it is executed: nothing of the
//! key is said, no token leaves that the policy forbids, and none that a host would give out and does not verify.
//!
//! A sample of the points is tried each time, of requests that are refused and of one that anybody may ask.
//! `PRIVYSEAL_SKIPS=0/1` tries all points, and `PRIVYSEAL_SKIPS=1/40` the second part of 40; then also of the log
//! and of an assertion that is allowed, of which each point takes a second. What was found is appended to `target/skips/*.txt`, a line per
//! point that was tried, and a point that has its line there is not tried again. The instruction is left out; or
//! `PRIVYSEAL_FAULT` names another of [`Fault::ALL`].

mod answer;
mod cases;
mod first_stage;
mod program;

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use privyseal_protocol::{DeviceState, Request};
use privyseal_test_judges::decode::{Parts, base64url, to_base64url};
use privyseal_test_judges::python::tells_factor;
use privyseal_test_simulators::emulator::{
    AN386, Debugger, Emulator, Fault, Machine, STM32F405, Stop,
};
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_simulators::link::frame;
use rsa::traits::PrivateKeyParts as _;

use crate::leftovers::secrets;
use crate::signs::by_software;
use crate::stage::{Party, SERVED};
use answer::{Answer, ID, heard};
use cases::{Case, FORBIDDEN, cases, locked_cases, unwrapping_cases};
use program::Program;

/// Which points are tried.
const POINTS: &str = "PRIVYSEAL_SKIPS";
/// Which fault.
const FAULT: &str = "PRIVYSEAL_FAULT";
/// Points of each request that are tried when nothing else is said.
const SAMPLE: usize = 40;
/// Bytes of a secret that must not be said in a row.
const PIECE: usize = 8;
/// How long a request may take that says nothing and is not at a signature. One that hangs says nothing more.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many times as long any may take.
const PIECES: usize = 40;
/// Until it is looked at again, twice, where it was at no signature: interrupts come.
const GLANCE: Duration = Duration::from_millis(1);
/// How long an emulator serves before a new one takes its place: it ends by itself after a quarter of an hour.
const SERVICE: Duration = Duration::from_secs(300);

#[test]
fn no_skip_helps_on_an_stm32f405() {
    no_skip_helps(STM32F405);
}

#[test]
fn no_skip_helps_on_an_an386() {
    no_skip_helps(AN386);
}

/// A device whose key unwraps signs nothing.
#[test]
fn no_skip_makes_an_an386_sign_that_unwraps() {
    let party = Party::unwrapping("seal");
    no_skip_of(AN386, &party, unwrapping_cases(&party));
}

/// A device that is locked stays so.
#[test]
fn no_skip_unlocks_an_stm32f405() {
    no_skip_of(
        STM32F405,
        &Party::with_unlock_secret("seal"),
        locked_cases(),
    );
}

/// As many cases again as the sample has time for.
#[test]
fn no_skip_unlocks_an_an386() {
    if env::var_os(POINTS).is_some() {
        no_skip_of(AN386, &Party::with_unlock_secret("seal"), locked_cases());
    }
}

fn no_skip_helps(machine: Machine) {
    let party = Party::new("seal");
    no_skip_of(machine, &party, cases(&party));
}

fn no_skip_of(machine: Machine, party: &Party, cases: Vec<Case>) {
    let mut campaign = Campaign::new(machine, party);
    let mut wrong = String::new();
    for case in cases {
        let summary = campaign.run(&case);
        let shown = writeln!(stdout(), "{} {}: {summary}", machine.image, case.name);
        shown.expect("a standard output");
        wrong += &summary.wrong;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What came of a case.
#[derive(Default)]
struct Summary {
    executed: usize,
    tried: usize,
    outcomes: BTreeMap<String, usize>,
    wrong: String,
}

impl core::fmt::Display for Summary {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            executed,
            tried,
            outcomes,
            ..
        } = self;
        write!(f, "{executed} points executed, {tried} tried; {outcomes:?}")
    }
}

struct Campaign<'p> {
    machine: Machine,
    party: &'p Party,
    debugger: Debugger,
    line: UnixStream,
    begun: Instant,
    /// Pieces of all secret numbers, in either order of bytes, and which they are of.
    secrets: HashMap<[u8; PIECE], &'static str>,
    /// Where a request is done, and where everything ends.
    ends: [u32; 2],
    program: Program,
    fault: (&'static str, Fault),
}

impl<'p> Campaign<'p> {
    fn new(machine: Machine, party: &'p Party) -> Self {
        let program = Program::of(machine);
        let ends = [
            program.named("stack4wipe17h"),
            program.named("board_latched"),
        ];
        let (debugger, line) = begin(machine, party, ends);
        let numbers = secrets(party);
        let pieces = numbers.iter().flat_map(|secret| {
            let (little, big) = (
                secret.bytes.clone(),
                secret.bytes.iter().rev().copied().collect(),
            );
            [(secret.name, little), (secret.name, big)]
        });
        let secrets = pieces
            .flat_map(|(name, number): (_, Vec<u8>)| {
                let windows = number.windows(PIECE);
                windows
                    .map(|piece| (piece.try_into().expect("a piece"), name))
                    .collect::<Vec<_>>()
            })
            .collect();
        Self {
            machine,
            party,
            debugger,
            line,
            begun: Instant::now(),
            secrets,
            ends,
            program,
            fault: fault(),
        }
    }

    /// Tries the points of a case.
    fn run(&mut self, case: &Case) -> Summary {
        let request = [&[0][..], &frame(ID, &case.request)].concat();
        self.rewind();
        let mut said = Vec::new();
        let Self {
            debugger,
            line,
            program,
            ends,
            ..
        } = self;
        let points: Vec<u32> = debugger
            .trace(|debugger| {
                line.write_all(&request).expect("the line");
                let stop = go(debugger, line, program, &mut said, SERVICE);
                assert_eq!(stop, Stop::At(ends[0]));
            })
            .into_iter()
            .collect();
        let points = self.debugger.befallen(self.fault.1, points);
        let good = Answer::of(&said);
        assert!(good.is_to_the_request, "{}: not answered", case.name);
        assert_eq!(good.token.is_some(), case.is_allowed, "{}", case.name);
        self.judge(case, &good, &said, None)
            .unwrap_or_else(|wrong| panic!("without a fault: {wrong}"));

        let (known, mut report) = resumed(&self.program.report(self.fault.0, case.name));
        let mut summary = Summary {
            executed: points.len(),
            ..Summary::default()
        };
        for point in choose(&points) {
            let outcome = if let Some(outcome) = known.get(&point) {
                outcome.clone()
            } else {
                let outcome = self.attempt(case, &request, point, &good);
                // At once: another process may try other points of the same case.
                let line = format!("{point:08x} {outcome} {}\n", self.program.place(point));
                report.write_all(line.as_bytes()).expect("a file");
                outcome
            };
            summary.tried += 1;
            if outcome.starts_with("WRONG") {
                let _ = writeln!(
                    summary.wrong,
                    "{} {}: {outcome} {}",
                    self.machine.image,
                    case.name,
                    self.program.place(point)
                );
            }
            *summary.outcomes.entry(outcome).or_default() += 1;
        }
        summary
    }

    fn begin_again(&mut self) {
        (self.debugger, self.line) = begin(self.machine, self.party, self.ends);
        self.begun = Instant::now();
    }

    /// The moment before the request again, and a line with nothing in it: of a request before there may be bytes left.
    fn rewind(&mut self) {
        if self.begun.elapsed() > SERVICE {
            self.begin_again();
        }
        self.line = self.debugger.connect();
        self.debugger.rewind();
    }

    /// Tries a point, and says what came of it.
    fn attempt(&mut self, case: &Case, request: &[u8], point: u32, good: &Answer) -> String {
        // An instruction that only a timer or the line reaches may not come.
        let mut tries = (0..2).map(|_| self.attempt_once(case, request, point, good));
        tries
            .find_map(|outcome| outcome)
            .unwrap_or_else(|| "not-reached".to_owned())
    }

    fn attempt_once(
        &mut self,
        case: &Case,
        request: &[u8],
        point: u32,
        good: &Answer,
    ) -> Option<String> {
        self.rewind();
        self.debugger.breakpoint(point, true);
        self.line.write_all(request).expect("the line");
        let mut said = Vec::new();
        let mut stop = self.go(&mut said);
        if stop == Stop::Never {
            self.begin_again();
            return None;
        }
        let reached = stop == Stop::At(point);
        self.debugger.breakpoint(point, false);
        if reached {
            self.debugger.go_past(self.fault.1, point);
        }
        if self.ends.contains(&point) {
            self.debugger.breakpoint(point, true);
        }
        if !reached {
            return None;
        }
        stop = self.go(&mut said);
        if stop == Stop::Never {
            self.begin_again();
        }
        Some(
            match self.judge(case, &Answer::of(&said), &said, Some(good)) {
                Err(wrong) if stop != Stop::Never && self.is_only_said(case, &wrong) => {
                    format!("said-{wrong}")
                }
                Err(wrong) => format!("WRONG:{wrong}"),
                Ok(outcome) if stop == Stop::At(self.ends[1]) => format!("latched,{outcome}"),
                Ok(outcome) if matches!(stop, Stop::Late | Stop::Never) => {
                    format!("hung,{outcome}")
                }
                Ok(outcome) => outcome.to_owned(),
            },
        )
    }

    fn go(&mut self, said: &mut Vec<u8>) -> Stop {
        let Self {
            debugger,
            line,
            program,
            ..
        } = self;
        go(debugger, line, program, said, PATIENCE)
    }

    /// Whether the device is what it was: what a fault lets it say once has no effect.
    fn is_only_said(&mut self, case: &Case, done: &str) -> bool {
        let begins_anew = !matches!(case.request, Request::Update { .. });
        match done {
            "unlocked" => self.state() != Some(DeviceState::Ready),
            "wiped" | "accepted" if begins_anew => self.state() == Some(DeviceState::Ready),
            _ => false,
        }
    }

    /// What the device says that it is, when it goes on.
    fn state(&mut self) -> Option<DeviceState> {
        self.debugger.breakpoint(self.ends[0], false);
        let info = frame(ID, &Request::Info);
        self.line.write_all(&info).expect("the line");
        let mut said = Vec::new();
        self.go(&mut said);
        self.debugger.breakpoint(self.ends[0], true);
        Answer::of(&said).state
    }

    /// What an answer is, or what is wrong with it.
    fn judge(
        &self,
        case: &Case,
        answer: &Answer,
        said: &[u8],
        good: Option<&Answer>,
    ) -> Result<&'static str, String> {
        let leaks = |bytes: &[u8]| {
            bytes
                .windows(PIECE)
                .find_map(|window| self.secrets.get(window))
        };
        if let Some(name) = leaks(said).or_else(|| leaks(&answer.bodies)) {
            return Err(format!("a-piece-of-{}", name.replace(' ', "-")));
        }
        let is_locked = !self.party.unlock.is_empty();
        // Where something else was asked for, such an answer is nothing but wrong words.
        let done = match case.request {
            Request::SetTime { .. } => Some("time-set"),
            Request::Renew { .. } | Request::Provision(_) | Request::Update { .. } => {
                Some("accepted")
            }
            Request::Wipe { .. } => Some("wiped"),
            Request::Unwrap { .. } => Some("unwrapped"),
            _ => is_locked.then_some("unlocked"),
        };
        if let Some(done) = done.filter(|_| answer.done == done) {
            return Err(done.to_owned());
        }
        if is_locked && answer.token.is_some() {
            return Err("unlocked".to_owned());
        }
        let Some(token) = &answer.token else {
            return Ok(if answer.refused {
                "refused"
            } else if answer.bodies.is_empty() {
                "silent"
            } else {
                "answered"
            });
        };
        if good.is_some_and(|good| good.token.as_ref() == Some(token)) {
            return Ok("token");
        }
        let verified = std::panic::catch_unwind(|| {
            self.party.openssl_verifies(token);
            Parts::of(token).claims()
        });
        let Ok(claims) = verified else {
            // What was signed is not what came. A host verifies it before it gives it out, and so has none; who listens must not
            // learn more of the key by it.
            let modulus = self.party.key.public_key().modulus().to_vec();
            let good = good.and_then(|good| good.token.as_deref());
            let is_garbled = good.is_some_and(|good| !tells_factor(&modulus, [good, token]));
            return if is_garbled && case.is_allowed {
                Ok("garbled")
            } else {
                Err("token-that-does-not-verify".to_owned())
            };
        };
        let (iat, exp) = (
            claims["iat"].as_u64().unwrap_or(0),
            claims["exp"].as_u64().unwrap_or(u64::MAX),
        );
        let policy = &self.party.policy;
        // Authorization requests have it, and no other statement.
        let is_forbidden = claims.get("redirect_uri").is_some();
        let within = !is_forbidden
            && policy
                .audiences
                .iter()
                .any(|allowed| claims["aud"] == allowed.audience)
            && policy
                .schemes
                .iter()
                .any(|scheme| claims["iss"] == scheme.client_id)
            && (policy.time_floor..policy.time_floor + u64::from(policy.max_jump) + 60)
                .contains(&iat)
            && exp.saturating_sub(iat) <= policy.max_lifetime.into();
        if within && case.is_allowed {
            Ok("token")
        } else if within {
            // Within the policy, though another than was asked for.
            Ok("another-token")
        } else {
            Err(format!("token-outside-the-policy:{claims}"))
        }
    }
}

/// The right signature and a prime more: right for that prime alone.
#[test]
fn a_signature_that_is_right_for_one_prime_is_found_and_one_that_is_garbled_is_not() {
    let party = Party::new("seal");
    let good = by_software(&party, SERVED[0].0, party.policy.time_floor, "a");
    let (input, signature) = good.rsplit_once('.').unwrap();
    let prime = party.key.private_key().primes()[0].to_be_bytes_trimmed_vartime();
    let mut faulty = base64url(signature);
    let mut carry = false;
    let places = faulty.iter_mut().rev();
    for (place, more) in places.zip(prime.iter().rev().chain(std::iter::repeat(&0))) {
        let (sum, one) = place.overflowing_add(*more);
        let (sum, two) = sum.overflowing_add(carry.into());
        (*place, carry) = (sum, one || two);
    }
    faulty.insert(0, carry.into());
    let modulus = party.key.public_key().modulus().to_vec();
    let tells = |token: &str| tells_factor(&modulus, [&good, token]);
    assert!(tells(&format!("{input}.{}", to_base64url(&faulty))));
    assert!(!tells(&good) && !tells(&good.replace('e', "f")) && !tells(&good[..good.len() - 9]));
}

/// Points that were tried before on this image, and their report, for those that come.
fn resumed(report: &Path) -> (BTreeMap<u32, String>, fs::File) {
    let text = fs::read_to_string(report).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let point = u32::from_str_radix(words.next()?, 16).ok()?;
        Some((point, words.next()?.to_owned()))
    };
    let known = text.lines().filter_map(line).collect();
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(report);
    (known, file.expect("target/ can be written"))
}

/// A provisioned device that waits, and its line.
fn begin(machine: Machine, party: &Party, ends: [u32; 2]) -> (Debugger, UnixStream) {
    let mut emulator = Emulator::debuggable(machine);
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    let mut state = DeviceState::Ready;
    if !party.unlock.is_empty() {
        emulator.reset();
        drop(gateway);
        gateway = Gateway::new(emulator.connect());
        state = DeviceState::Locked;
    }
    assert_eq!(gateway.info(|info| info.state), state);
    if state == DeviceState::Ready {
        // For the case that asks for it; any other makes the device forget it.
        gateway.compose(&FORBIDDEN).expect("it is taken");
    }
    // QEMU takes the next connection once this one has ended.
    drop(gateway);
    let line = emulator.connect();
    // It cleans up behind its answer, and then it waits.
    thread::sleep(Duration::from_millis(500));
    let mut debugger = emulator.debugged();
    for end in ends {
        debugger.breakpoint(end, true);
    }
    (debugger, line)
}

/// Goes on, and hears what is said on the way: a socket holds fewer than 300 bytes that come one by one, and the device waits until it takes more.
fn go(
    debugger: &mut Debugger,
    line: &mut UnixStream,
    program: &Program,
    said: &mut Vec<u8>,
    patience: Duration,
) -> Stop {
    let mut looks = 0;
    for _ in 0..PIECES {
        let before = said.len();
        let time = if looks == 0 { patience } else { GLANCE };
        let stop = go_on(debugger, line, time, said);
        if stop != Stop::Late {
            return stop;
        }
        let is_at_work = said.len() > before || program.is_arithmetic(debugger.pc());
        looks = if is_at_work { 0 } else { looks + 1 };
        if looks == 3 {
            break;
        }
    }
    Stop::Late
}

fn go_on(
    debugger: &mut Debugger,
    line: &mut UnixStream,
    time: Duration,
    said: &mut Vec<u8>,
) -> Stop {
    let has_stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut is_last = false;
            while !is_last {
                is_last = has_stopped.load(Ordering::SeqCst);
                said.extend(heard(line));
                if !is_last {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let stop = debugger.go(time);
        has_stopped.store(true, Ordering::SeqCst);
        stop
    })
}

/// Which fault is meant.
fn fault() -> (&'static str, Fault) {
    let wish = env::var(FAULT);
    let wish = wish.as_deref().unwrap_or("skip");
    let found = Fault::ALL.into_iter().find(|(name, _)| *name == wish);
    found.unwrap_or_else(|| panic!("{FAULT} is {wish}, which is none"))
}

/// Which of these points are tried. Of several runs each has its own by the address: not all reach the same points.
fn choose(points: &[u32]) -> Vec<u32> {
    let wish = env::var(POINTS).unwrap_or_default();
    let points = points.iter().copied();
    match wish.split_once('/') {
        Some((part, parts)) => {
            let [part, parts]: [u32; 2] = [part, parts].map(|it| it.parse().expect("a number"));
            points.filter(|it| it / 2 % parts == part).collect()
        }
        None => points
            .clone()
            .step_by((points.len() / SAMPLE).max(1))
            .collect(),
    }
}
