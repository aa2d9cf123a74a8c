//! Updates of the firmware: the device and its first stage, on one flash. A signed, newer image runs next; of everything else
//! nothing comes, and whenever the power goes the old image runs or the new one, and the key is there.

use std::sync::Arc;

use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{BOARD, Cut, Memory, Moment, Power, Slots};
use privyseal_protocol::image::HEADER_LEN;
use privyseal_protocol::{
    CHUNK, DeviceState, ImageFault, ImageHeader, Provision, Refusal, Request, Response,
};
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_simulators::device_host::{TestDevice, ask, info, provision, send_parts, sign};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha2::{Digest as _, Sha256};

use crate::fixture::{board, policy, requests, start, upload};
use crate::log;

/// Over more than one sector.
const LEN: usize = 9_001;

fn maker() -> TestKey {
    test_key("maker", 2048)
}

/// An image that is told from others by its version.
fn image(version: u32) -> Vec<u8> {
    (0..LEN)
        .map(|at| u8::try_from((at + 7 * version as usize) % 251).expect("a byte"))
        .collect()
}

fn header(version: u32) -> ImageHeader {
    let image = image(version);
    ImageHeader {
        board: BOARD.try_into().expect("a name"),
        version,
        len: u32::try_from(image.len()).expect("a length"),
        digest: Sha256::digest(image).into(),
        signature: heapless::Vec::new(),
    }
}

/// The header with that key's signature, and the image of its version.
fn signed_by(key: &TestKey, mut header: ImageHeader) -> Vec<u8> {
    let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new(key.private_key().clone());
    let signature = signer.sign(header.statement().as_bytes()).to_vec();
    header.signature = signature.into_iter().collect();
    [&header.to_bytes()[..], &image(header.version)].concat()
}

fn signed(version: u32) -> Vec<u8> {
    signed_by(&maker(), header(version))
}

/// A memory in which version 5 runs, after a first start.
fn memory() -> Memory {
    let mut slots = Slots::flashed(&maker().spki_der(), &signed(5));
    assert_eq!(runs(&mut slots), Some(5));
    Memory {
        slots: Some(slots),
        ..Memory::default()
    }
}

/// The version of the image that runs at the next start.
fn runs(slots: &mut Slots) -> Option<u32> {
    version_of(&slots.start(&Arc::default())?)
}

fn version_of(runs: &[u8]) -> Option<u32> {
    let known = (1..30).find(|version| runs.starts_with(&image(*version)));
    assert!(known.is_some(), "something else runs");
    known
}

fn piece(device: &mut TestDevice, offset: usize, bytes: &[u8]) -> Result<(), Refusal> {
    let sent = u32::try_from(offset).expect("an offset");
    let request = Request::Update {
        offset: sent,
        bytes,
    };
    let len = u32::try_from(bytes.len()).expect("a length");
    ask(device, &request, |(): &mut (), response| {
        assert_eq!(
            response,
            Response::Accepted {
                received: sent + len
            }
        );
    })
}

fn send(device: &mut TestDevice, signed: &[u8]) -> Result<(), Refusal> {
    (0..)
        .step_by(CHUNK)
        .zip(signed.chunks(CHUNK))
        .try_for_each(|(offset, bytes)| piece(device, offset, bytes))
}

fn order_restart(device: &mut TestDevice) -> Result<(), Refusal> {
    ask(device, &Request::Restart, |(): &mut (), response| {
        assert_eq!(response, Response::Accepted { received: 0 });
    })
}

fn update(device: &mut TestDevice, signed: &[u8]) -> Result<(), Refusal> {
    send(device, signed)?;
    order_restart(device)
}

/// The slots of a device, for its first stage.
fn slots(device: &mut TestDevice) -> Slots {
    device.board().memory().slots.expect("a first stage")
}

#[test]
fn a_signed_newer_image_runs_next_and_the_key_stays() {
    let mut device = start(memory());
    provision(&mut device, &upload(&policy())).expect("a good upload");
    let key = info(&mut device).key;
    for version in [6, 9] {
        update(&mut device, &signed(version)).expect("it is newer");
        assert!(device.board().restarted);
        let mut memory = device.board().memory();
        assert_eq!(runs(memory.slots.as_mut().expect("slots")), Some(version));
        device = start(memory);
        assert_eq!(info(&mut device).state, DeviceState::Ready);
        assert_eq!(info(&mut device).key, key);
        sign(&mut device, requests()[0]).expect("the key signs");
    }
    let said = log::check(&mut device);
    let taken = said
        .iter()
        .filter(|entry| entry.event.name() == "update taken");
    let taken: Vec<_> = taken.map(|entry| entry.digest).collect();
    assert_eq!(taken, [header(6).digest, header(9).digest]);
}

/// What is wrong with each, sent whole; the device says so, starts not again, and the first stage would not take it either.
#[test]
fn nothing_else_is_taken() {
    let other_board = ImageHeader {
        board: "other".try_into().expect("a name"),
        ..header(6)
    };
    let too_long = ImageHeader {
        len: 1 << 20,
        ..header(6)
    };
    let mut changed = signed(6);
    *changed.last_mut().expect("bytes") ^= 1;
    let mut renamed = signed(6);
    // The version in the header.
    renamed[24] ^= 1;
    let unsigned = [&header(6).to_bytes()[..], &image(6)].concat();
    let least = 6;
    let (board, digest) = (ImageFault::Board, ImageFault::Digest);
    let cases = [
        ("unsigned", unsigned, ImageFault::Signature),
        (
            "by another key",
            signed_by(&test_key("device", 2048), header(6)),
            ImageFault::Signature,
        ),
        (
            "by a longer key",
            signed_by(&test_key("maker", 3072), header(6)),
            ImageFault::Signature,
        ),
        ("renamed", renamed, ImageFault::Signature),
        ("another board", signed_by(&maker(), other_board), board),
        ("older", signed(4), ImageFault::Version { found: 4, least }),
        (
            "replayed",
            signed(5),
            ImageFault::Version { found: 5, least },
        ),
        ("changed", changed, digest),
        (
            "cut short",
            signed(6)[..HEADER_LEN + LEN - 1].to_vec(),
            digest,
        ),
        ("its header alone", signed(6)[..HEADER_LEN].to_vec(), digest),
        ("no header", image(6), ImageFault::Header),
        (
            "too long",
            signed_by(&maker(), too_long),
            ImageFault::Size { max: 15 * 1024 },
        ),
    ];
    for (name, image, fault) in cases {
        let mut device = start(memory());
        let outcome = update(&mut device, &image);
        assert_eq!(outcome, Err(Refusal::Image(fault)), "{name}");
        assert!(!device.board().restarted, "{name}");
        let mut slots = slots(&mut device);
        assert_eq!(runs(&mut slots), Some(5), "{name}");
        // As if the device had taken it, and it had put it into the active slot.
        slots.staged[..32].fill(0);
        assert_eq!(runs(&mut slots), Some(5), "{name}: staged");
        slots.active = slots.staged.clone();
        assert_eq!(
            runs(&mut slots),
            (name == "replayed").then_some(5),
            "{name}: active"
        );
        update(&mut device, &signed(6)).expect("a good one comes behind it");
        assert_eq!(runs(&mut self::slots(&mut device)), Some(6), "{name}");
    }
}

#[test]
fn pieces_come_in_order_and_whole() {
    let refused = |expected| Err(Refusal::Image(ImageFault::Offset { expected }));
    let mut device = start(memory());
    let signed = signed(6);
    assert_eq!(piece(&mut device, CHUNK, &signed[..CHUNK]), refused(0));
    assert_eq!(piece(&mut device, 0, &[]), refused(0));
    assert_eq!(piece(&mut device, 0, &signed[..=CHUNK]), refused(0));
    piece(&mut device, 0, &signed[..CHUNK]).expect("the first");
    assert_eq!(
        piece(&mut device, 2 * CHUNK, &signed[..CHUNK]),
        refused(256)
    );
    piece(&mut device, CHUNK, &signed[CHUNK..CHUNK + 9]).expect("a short one");
    assert_eq!(piece(&mut device, CHUNK + 9, &signed[..9]), refused(265));
    send(&mut device, &signed).expect("from the beginning again");
    // A piece too many.
    let mut device = start(memory());
    let more = [&signed[..], &[0; CHUNK]].concat();
    send(&mut device, &more).expect("there is room");
    let not_whole = Err(Refusal::Image(ImageFault::Digest));
    assert_eq!(order_restart(&mut device), not_whole);
}

#[test]
fn what_another_start_was_sent_is_not_taken() {
    let mut device = start(memory());
    send(&mut device, &signed(6)).expect("a good one");
    let mut device = start(device.board().memory());
    let refused = order_restart(&mut device);
    let fault = ImageFault::Offset { expected: 0 };
    assert_eq!(refused, Err(Refusal::Image(fault)));
    assert_eq!(runs(&mut slots(&mut device)), Some(5));
}

#[test]
fn a_device_without_a_first_stage_takes_no_update() {
    let mut device = start(Memory::default());
    let refused = Err(Refusal::Image(ImageFault::NoFirstStage));
    assert_eq!(piece(&mut device, 0, &signed(6)[..CHUNK]), refused);
    assert_eq!(order_restart(&mut device), refused);
}

/// What it has in RAM would be lost.
#[test]
fn no_restart_ends_an_upload() {
    let mut device = start(memory());
    send(&mut device, &signed(6)).expect("a good one");
    send_parts(&mut device, &upload(&policy())).expect("a good upload");
    let refused = order_restart(&mut device);
    assert_eq!(refused, Err(Refusal::State(DeviceState::Provisioning)));
    let abort = Request::Provision(Provision::Abort);
    ask(&mut device, &abort, |(): &mut (), _| {}).expect("an upload");
    order_restart(&mut device).expect("a good one");
}

/// A maker's programmer writes a newer image into the active slot, or an older one.
#[test]
fn what_was_flashed_is_judged_too() {
    let mut slots = memory().slots.expect("slots");
    for (version, expected) in [(7, Some(7)), (6, None), (7, Some(7)), (8, Some(8))] {
        let flashed = Slots::flashed(&maker().spki_der(), &signed(version));
        slots.active = flashed.active;
        assert_eq!(runs(&mut slots), expected, "{version}");
    }
    slots.active.fill(0xff);
    assert_eq!(runs(&mut slots), None);
}

/// A signed image that is too short would run into it.
#[test]
fn nothing_lies_behind_a_signed_image() {
    let mut slots = memory().slots.expect("slots");
    let version = runs(&mut slots);
    assert!(version.is_some());
    let end = slots.active.len();
    for at in [end - 1, end - 256, end / 2] {
        let mut slots = slots.clone();
        slots.active[at] = 0xfe;
        assert_eq!(runs(&mut slots), None, "{at}");
    }
    assert_eq!(runs(&mut slots), version);
}

/// The place for versions is used up: what runs goes on, and nothing newer is copied over it.
#[test]
fn the_last_version_runs_for_ever() {
    let mut device = start(memory());
    let taken = (6..).take_while(|version| {
        let updated = update(&mut device, &signed(*version));
        let no_room = Err(Refusal::Image(ImageFault::NoRoom));
        assert!(updated.is_ok() || updated == no_room, "{updated:?}");
        let mut memory = device.board().memory();
        let runs = runs(memory.slots.as_mut().expect("slots"));
        device = start(memory);
        runs == Some(*version)
    });
    let last = taken.last().expect("some of them");
    assert_eq!(last, 5 + 15, "512 bytes for notes of 32");
}

/// In each write and each erase of an update, by the device and then by the first stage, and again in the start after
/// that.
#[test]
fn a_cut_leaves_the_old_image_or_the_new_one_and_the_key() {
    let mut device = start(memory());
    provision(&mut device, &upload(&policy())).expect("a good upload");
    // An update that was given up is there already.
    send(&mut device, &signed(9)).expect("a good one");
    let memory = device.board().memory();
    let next = signed(6);

    let mut whole = start(memory.clone());
    let before = whole.board().power().operations();
    update(&mut whole, &next).expect("a good one");
    let by_the_device = whole.board().power().operations() - before;
    let power = Arc::new(Power::default());
    slots(&mut whole).start(&power).expect("a good one");
    let by_the_first_stage = power.operations();
    assert!(by_the_device > 36 && by_the_first_stage > 36);

    for operation in 0..by_the_device {
        for moment in Moment::ALL {
            let cut = Cut { operation, moment };
            let mut device = start(memory.clone());
            device.board().power().cut(cut);
            let _ = update(&mut device, &next);
            assert!(device.board().power().is_off(), "{cut:?} never came");
            settle(device.board().memory(), cut);
        }
    }
    let released = whole.board().memory();
    for operation in 0..by_the_first_stage {
        for moment in Moment::ALL {
            let cut = Cut { operation, moment };
            let mut memory = released.clone();
            let power = Arc::new(Power::default());
            power.cut(cut);
            let slots = memory.slots.as_mut().expect("slots");
            slots.start(&power);
            assert!(power.is_off(), "{cut:?} never came");
            assert_eq!(settle(memory, cut), 6, "{cut:?}: it was released");
        }
    }
}

/// The starts after a cut: whichever image runs, it runs at every start, the key is there, and the update can be made again.
fn settle(mut memory: Memory, cut: Cut) -> u32 {
    let slots = memory.slots.as_mut().expect("slots");
    let ran = runs(slots).unwrap_or_else(|| panic!("{cut:?}: nothing runs"));
    assert!([5, 6].contains(&ran), "{cut:?}: {ran} runs");
    for _ in 0..3 {
        assert_eq!(runs(slots), Some(ran), "{cut:?}");
    }
    let mut device = Device::boot(board(memory));
    assert_eq!(info(&mut device).state, DeviceState::Ready, "{cut:?}");
    update(&mut device, &signed(7)).unwrap_or_else(|refusal| panic!("{cut:?}: {refusal}"));
    let mut memory = device.board().memory();
    assert_eq!(
        runs(memory.slots.as_mut().expect("slots")),
        Some(7),
        "{cut:?}"
    );
    ran
}
