//! The power goes in every write and every erase of a provision, of signatures and of a wipe: before it,
//! halfway, and when it is done but nobody knows.
//!
//! After each cut the device starts again and must be the old one or the new one; and whatever it was, it
//! never gives a `jti` twice and never accepts an earlier time than one it has signed for.

use std::collections::HashSet;

use privyseal_core::link::{Refusal, Request, Response, SchemeId, SignRequest, State};
use privyseal_firmware_app::fake::{Cut, Memory, Moment};
use privyseal_host_tests::device_host::{TestDevice, ask, info, provision, sign};

use crate::fixture::{claim, now, policy, provisioned, restart, start, upload};
use crate::log;

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::Halfway, Moment::After];

/// A journal of 4 records an area, so that the areas change over all the time.
fn small() -> Memory {
    Memory::with_journal_sector(512)
}

/// Does `act` with a device of this memory, with a cut in each of its operations; gives `check` each
/// device that is there after the next start. Says how many cuts there were.
fn cut_everywhere<T>(
    memory: &Memory,
    mut act: impl FnMut(&mut TestDevice) -> T,
    mut check: impl FnMut(TestDevice, T, Cut),
) -> u64 {
    let mut whole = start(memory.clone());
    let before = whole.board().power().operations();
    act(&mut whole);
    let operations = whole.board().power().operations() - before;
    for operation in 0..operations {
        for moment in MOMENTS {
            let mut device = start(memory.clone());
            let cut = Cut { operation, moment };
            device.board().power().cut(cut);
            let done = act(&mut device);
            assert!(device.board().power().is_off(), "{cut:?} never came");
            check(restart(&mut device), done, cut);
        }
    }
    operations
}

fn request(later: u64) -> SignRequest<'static> {
    SignRequest::new(SchemeId::Fiam, now() + later)
}

/// The same, with a second cut in each operation of the start after the first.
fn settled(mut device: TestDevice) -> TestDevice {
    // A start that has nothing left to finish writes its own entry and no more.
    let state = info(&mut device).state;
    let mut again = restart(&mut device);
    assert_eq!(info(&mut again).state, state);
    again
}

#[test]
fn provisioning() {
    let upload = upload(&policy());
    let (mut old, mut new) = (0, 0);
    let operations = cut_everywhere(
        &small(),
        |device| provision(device, &upload),
        |device, _, cut| {
            let mut device = settled(device);
            match info(&mut device).state {
                State::Empty => {
                    old += 1;
                    assert_eq!(
                        sign(&mut device, request(0)),
                        Err(Refusal::State(State::Empty))
                    );
                    // Nothing of the key is left.
                    let left = device.board().memory().provision;
                    assert!(left.iter().all(|&byte| byte == 0xff), "{cut:?}");
                    if old % 8 != 0 {
                        // Once in a while is enough for what comes next: it takes its time.
                        return;
                    }
                    provision(&mut device, &upload).expect("it can be provisioned again");
                }
                State::Ready => new += 1,
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
            |mut device, done, cut| {
                // The write comes before the signature, so nothing of a token came before the cut.
                assert_eq!(done, Err(Refusal::Storage), "{cut:?}");
                let mut given = given.clone();
                let account = info(&mut device);
                assert_eq!(account.state, State::Ready, "{cut:?}");
                assert!(account.time_floor >= now() + (round - 1) * 10 || round == 1);
                for _ in 0..2 {
                    let token = sign(&mut device, asked).expect("the device goes on");
                    assert!(given.insert(claim(&token, "jti")), "{cut:?}: a jti twice");
                }
                assert_eq!(
                    sign(&mut device, request(round * 10 - 1)),
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
    assert_eq!((account.counter, account.time_floor), (1, now() + 50));
    let token = sign(&mut device, request(50)).expect("a token");
    let jti = claim(&token, "jti");
    assert_eq!(
        jti.as_str().and_then(|jti| jti.split('-').nth(1)),
        Some("2")
    );
}

#[test]
fn wiping() {
    let memory = provisioned(&policy()).board().memory();
    let (mut old, mut new) = (0, 0);
    cut_everywhere(
        &memory,
        |device| {
            let id = device.board().device;
            let wipe = Request::Wipe { device: id };
            ask(device, &wipe, |(), response| {
                assert_eq!(response, Response::Wiped);
            })
        },
        |device, _, cut| {
            let mut device = settled(device);
            match info(&mut device).state {
                State::Ready => {
                    old += 1;
                    sign(&mut device, request(0)).expect("the old device signs");
                }
                State::Empty => {
                    new += 1;
                    let left = device.board().memory().provision;
                    assert!(left.iter().all(|&byte| byte == 0xff), "{cut:?}");
                }
                state => panic!("{cut:?}: {state}"),
            }
            log::check(&mut device);
        },
    );
    assert!(old == 1 && new > 6, "{old} {new}");
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
        for moment in MOMENTS {
            let board = crate::fixture::board(memory.clone());
            board.power().cut(Cut { operation, moment });
            let mut device = privyseal_firmware_app::Device::boot(board);
            cuts += u32::from(device.board().power().is_off());
            assert_ne!(info_state(&mut device), Some(State::Ready));
            let mut again = restart(&mut device);
            assert_eq!(info(&mut again).state, State::Empty);
            log::check(&mut again);
        }
        if cuts < u32::try_from(3 * (operation + 1)).expect("a few") {
            break;
        }
    }
    assert!(cuts >= 6, "{cuts}");
}

/// The state, if the device still has power to say it.
fn info_state(device: &mut TestDevice) -> Option<State> {
    (!device.board().power().is_off()).then(|| info(device).state)
}
