//! The power goes in every write and every erase of a provision, of making a key and what follows it, of signatures, of
//! setting the time and of a wipe:
//! before it, halfway, and when it is done but nobody knows; and again in the start after that.
//!
//! After each cut the device starts again and must be the old one or the new one; and whatever it was, it
//! never gives a `jti` twice and never signs for an earlier time than one it has signed for with that key.

mod keys;
mod renewing;

use privyseal_core::scheme::FIAM;
use privyseal_test_base::clock::run_start;
use std::collections::HashSet;

use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{Cut, Memory, Moment};
use privyseal_protocol::{
    DeviceState, MAX_BEHIND_SECONDS, Refusal, Request, Response, SchemeId, SignRequest,
};
use privyseal_test_judges::openssl;
use privyseal_test_simulators::device_host::{TestDevice, ask, info, provision, sign, unwrap_key};

use privyseal_test_pki::test_key;

use crate::fixture::{board, claim, key, policy, provisioned, restart, start, upload};
use crate::log;
use crate::rules::{set_time, word};
use crate::unwrapping::{unwrapping, upload_of};

/// Seconds before a floor that are not served any more.
const TOO_EARLY: u64 = MAX_BEHIND_SECONDS + 1;

/// A journal of 4 records an area, so that the areas change over all the time.
fn small() -> Memory {
    Memory::with_journal_sector(512)
}

/// Does `act` with a device of this memory, with a cut in each of its operations; gives `check` what
/// each of them leaves in the flash. Says how many operations there were.
fn cut_everywhere<T>(
    memory: &Memory,
    mut act: impl FnMut(&mut TestDevice) -> T,
    mut check: impl FnMut(Memory, T, Cut),
) -> u64 {
    let mut whole = start(memory.clone());
    let before = whole.board().power().operations();
    act(&mut whole);
    let operations = whole.board().power().operations() - before;
    for operation in 0..operations {
        for moment in Moment::ALL {
            let mut device = start(memory.clone());
            let cut = Cut { operation, moment };
            device.board().power().cut(cut);
            let done = act(&mut device);
            assert!(device.board().power().is_off(), "{cut:?} never came");
            check(device.board().memory(), done, cut);
        }
    }
    operations
}

fn request(later: u64) -> SignRequest<'static> {
    SignRequest::new(SchemeId::of(&FIAM), run_start() + later)
}

/// The next start: also with a second cut, in each of its own operations, the start after that comes to the same.
fn settled(memory: &Memory) -> TestDevice {
    let mut device = start(memory.clone());
    // A board counts from its start on.
    let operations = device.board().power().operations();
    let state = info(&mut device).state;
    for operation in 0..operations {
        for moment in [Moment::Halfway, Moment::AtTheLast, Moment::After] {
            let board = board(memory.clone());
            let cut = Cut { operation, moment };
            board.power().cut(cut);
            let mut device = Device::boot(board);
            assert!(device.board().power().is_off(), "{cut:?} never came");
            let mut again = restart(&mut device);
            assert_eq!(info(&mut again).state, state, "{cut:?}");
            assert!(
                state != DeviceState::Empty || is_blank(&mut again),
                "{cut:?}"
            );
            log::check(&mut again);
        }
    }
    device
}

/// Whether nothing of key, policy and chain is left.
fn is_blank(device: &mut TestDevice) -> bool {
    device.board().memory().is_blank()
}

#[test]
fn provisioning() {
    let upload = upload(&policy());
    let (mut old, mut new) = (0, 0);
    let operations = cut_everywhere(
        &small(),
        |device| provision(device, &upload),
        |memory, _, cut| {
            let mut device = settled(&memory);
            match info(&mut device).state {
                DeviceState::Empty => {
                    old += 1;
                    assert_eq!(
                        sign(&mut device, request(0)),
                        Err(Refusal::State(DeviceState::Empty))
                    );
                    assert!(is_blank(&mut device), "{cut:?}");
                    if old % 8 != 0 {
                        // Once in a while is enough for what comes next: it takes its time.
                        return;
                    }
                    provision(&mut device, &upload).expect("it can be provisioned again");
                }
                DeviceState::Ready => new += 1,
                state => panic!("{cut:?}: {state}"),
            }
            sign(&mut device, request(0)).expect("a whole device signs");
            log::check(&mut device);
        },
    );
    assert!(
        operations > 30 && old > 90 && new > 0,
        "{operations} {old} {new}"
    );
}

/// Signs until both areas of the journal have been turned over, with a cut in each write and erase.
#[test]
fn signing() {
    let mut memory = {
        let mut device = start(small());
        provision(&mut device, &upload(&policy())).expect("a good upload");
        device.board().memory()
    };
    // Those of the device's one true life; what a cut device gives is another life, with its own.
    let mut given = HashSet::new();
    let mut cuts = 0;
    for round in 1..=9 {
        let asked = request(round * 10);
        cuts += cut_everywhere(
            &memory,
            |device| sign(device, asked),
            |memory, done, cut| {
                let mut device = settled(&memory);
                // The write comes before the signature, so nothing of a token came before the cut.
                assert_eq!(done, Err(Refusal::Storage), "{cut:?}");
                let mut given = given.clone();
                let account = info(&mut device);
                assert_eq!(account.state, DeviceState::Ready, "{cut:?}");
                assert!(account.time_floor >= run_start() + (round - 1) * 10 || round == 1);
                for _ in 0..2 {
                    let token = sign(&mut device, asked).expect("the device goes on");
                    assert!(given.insert(claim(&token, "jti")), "{cut:?}: a jti twice");
                }
                assert_eq!(
                    sign(&mut device, request(round * 10 - TOO_EARLY)),
                    Err(Refusal::TimeBack { floor: asked.now })
                );
                log::check(&mut device);
            },
        );
        let mut device = start(memory);
        let token = sign(&mut device, asked).expect("a token");
        assert!(given.insert(claim(&token, "jti")), "a jti twice");
        if round % 2 == 0 {
            // The start writes too; so that areas do not always end with that.
            let token = sign(&mut device, asked).expect("a token");
            assert!(given.insert(claim(&token, "jti")), "a jti twice");
        }
        memory = device.board().memory();
    }
    // A write for each signature, and an erase for each area that was begun with one.
    assert!(cuts > 9, "{cuts}");
}

/// The entry is written before the key is used: nothing comes that is not in the log.
#[test]
fn unwrapping_a_key() {
    let mut device = start(small());
    let upload = upload_of(&unwrapping(), key());
    provision(&mut device, &upload).expect("a good upload");
    let ciphertext = openssl::oaep(&key().spki_der(), "sha256", &[7; 32]);
    let mut memory = device.board().memory();
    let mut cuts = 0;
    for round in 0..5 {
        cuts += cut_everywhere(
            &memory,
            |device| unwrap_key(device, &ciphertext),
            |memory, done, cut| {
                assert_eq!(done, Err(Refusal::Storage), "{cut:?}");
                let mut device = settled(&memory);
                let unwrapped = unwrap_key(&mut device, &ciphertext);
                assert_eq!(unwrapped, Ok(vec![7; 32]), "{cut:?}");
                log::check(&mut device);
            },
        );
        let mut device = start(memory);
        // The start writes too: so that areas do not always end with that.
        for _ in 0..=round % 2 {
            unwrap_key(&mut device, &ciphertext).expect("a content key");
        }
        memory = device.board().memory();
    }
    assert!(cuts > 5, "{cuts}");
}

/// A device that was cut after the write of a signature never gives that one's counter again.
#[test]
fn a_counter_that_was_written_is_spent() {
    let mut device = provisioned(&policy());
    device.board().power().cut(Cut {
        operation: 0,
        moment: Moment::After,
    });
    assert_eq!(sign(&mut device, request(50)), Err(Refusal::Storage));
    let mut device = restart(&mut device);
    let account = info(&mut device);
    assert_eq!((account.counter, account.time_floor), (1, run_start() + 50));
    let token = sign(&mut device, request(50)).expect("a token");
    let jti = claim(&token, "jti");
    assert_eq!(
        jti.as_str().and_then(|jti| jti.split('-').nth(1)),
        Some("2")
    );
}

/// After so many signatures that the entry of the wipe also begins an area of the journal. What was cut is wiped,
/// provisioned again, and goes on where it was with its numbers; time begins again with the key.
#[test]
fn wiping() {
    let upload = upload(&policy());
    let mut device = start(small());
    provision(&mut device, &upload).expect("a good upload");
    let mut memory = device.board().memory();
    let mut given = HashSet::new();
    let (mut old, mut new, mut operations) = (0, 0, HashSet::new());
    for round in 1..=4 {
        let mut device = start(memory);
        // The start has written too: now and then one more, so that the areas do not end with that.
        for _ in 0..=round % 2 {
            let token = sign(&mut device, request(round)).expect("a token");
            assert!(given.insert(claim(&token, "jti")), "a jti twice");
        }
        memory = device.board().memory();
        operations.insert(cut_everywhere(
            &memory,
            |device| {
                let id = device.board().device;
                let wipe = Request::Wipe { device: id };
                ask(device, &wipe, |(), response| {
                    assert_eq!(response, Response::Wiped);
                })
            },
            |memory, _, cut| {
                let mut device = settled(&memory);
                let floor = match info(&mut device).state {
                    DeviceState::Ready => {
                        old += 1;
                        run_start() + round
                    }
                    DeviceState::Empty => {
                        new += 1;
                        assert!(is_blank(&mut device), "{cut:?}");
                        provision(&mut device, &upload).expect("it can be provisioned again");
                        policy().time_floor
                    }
                    state => panic!("{cut:?}: {state}"),
                };
                assert_eq!(info(&mut device).time_floor, floor, "{cut:?}");
                assert_eq!(
                    sign(
                        &mut device,
                        SignRequest::new(SchemeId::of(&FIAM), floor - TOO_EARLY)
                    ),
                    Err(Refusal::TimeBack { floor })
                );
                let token = sign(&mut device, request(round)).expect("it signs");
                assert!(
                    !given.contains(&claim(&token, "jti")),
                    "{cut:?}: a jti twice"
                );
                let counter = u64::try_from(given.len() + 1).expect("a few");
                assert_eq!(info(&mut device).counter, counter, "{cut:?}");
                log::check(&mut device);
            },
        ));
    }
    // Not before the mark is there.
    assert_eq!(old, 4);
    assert!(new > 24, "{new}");
    assert!(operations.len() > 1, "no area was begun: {operations:?}");
}

/// The authority's word counts or does not, and not twice.
#[test]
fn setting_the_time() {
    let authority = test_key("device-authority", 2048);
    let spki = authority.spki_der();
    let mut policy = policy();
    policy.authority = Some(&spki);
    let mut device = start(small());
    provision(&mut device, &upload(&policy)).expect("a good upload");
    let mut memory = device.board().memory();
    let mut operations = HashSet::new();
    for round in 1..=4 {
        let (before, later) = (run_start() + (round - 1) * 100, run_start() + round * 100);
        let mut given = Vec::new();
        operations.insert(cut_everywhere(
            &memory,
            |device| {
                given = word(&authority, device, later);
                set_time(device, later, &given)
            },
            |memory, done, cut| {
                assert_eq!(done, Err(Refusal::Storage), "{cut:?}");
                let mut device = settled(&memory);
                assert_eq!(info(&mut device).state, DeviceState::Ready, "{cut:?}");
                let floor = info(&mut device).time_floor;
                assert!(floor == later || floor == before || round == 1, "{cut:?}");
                assert_ne!(
                    set_time(&mut device, later, &[0; 256]),
                    Ok(later),
                    "anybody's word"
                );
                sign(&mut device, request(round * 100)).expect("it signs");
                assert_eq!(
                    sign(&mut device, request(round * 100 - TOO_EARLY)),
                    Err(Refusal::TimeBack { floor: later })
                );
                log::check(&mut device);
            },
        ));
        let mut device = start(memory);
        let given = word(&authority, &mut device, later);
        assert_eq!(set_time(&mut device, later, &given), Ok(later));
        if round % 2 == 0 {
            sign(&mut device, request(round * 100)).expect("a token");
        }
        let mut device = restart(&mut device);
        let twice = set_time(&mut device, later, &given);
        assert_eq!(twice, Err(Refusal::Authority), "its word, twice");
        memory = device.board().memory();
    }
    assert!(operations.len() > 1, "no area was begun: {operations:?}");
}

/// The start itself writes: what it finishes, it finishes also when it is cut short.
#[test]
fn starting() {
    let mut device = start(small());
    provision(&mut device, &upload(&policy())).expect("a good upload");
    // After the mark, before the rest.
    device.board().power().cut(Cut {
        operation: 0,
        moment: Moment::After,
    });
    let id = device.board().device;
    let _ = ask(&mut device, &Request::Wipe { device: id }, |(), _| {});
    let memory = device.board().memory();
    let mut cuts = 0;
    for operation in 0.. {
        for moment in Moment::ALL {
            let board = board(memory.clone());
            board.power().cut(Cut { operation, moment });
            let mut device = Device::boot(board);
            cuts += u32::from(device.board().power().is_off());
            assert_ne!(info_state(&mut device), Some(DeviceState::Ready));
            let mut again = restart(&mut device);
            assert_eq!(info(&mut again).state, DeviceState::Empty);
            log::check(&mut again);
        }
        if cuts < u32::try_from(3 * (operation + 1)).expect("a few") {
            break;
        }
    }
    assert!(cuts >= 6, "{cuts}");
}

/// The state, if the device still has power to say it.
fn info_state(device: &mut TestDevice) -> Option<DeviceState> {
    (!device.board().power().is_off()).then(|| info(device).state)
}
