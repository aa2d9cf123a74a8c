//! The first stage and what it starts: an update by the command, what it does not run, and resets in the middle of it.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use privyseal_core::encoding::hex;
use privyseal_protocol::{DeviceState, ImageHeader, Request, SignRequest};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_simulators::emulator::{AN386, Emulator, Machine, Stop, is_silent};
use privyseal_test_simulators::firmware;
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_simulators::link::frame;
use sha2::{Digest as _, Sha256};

use crate::command::{fails, info, run};
use crate::stage::{Party, SERVED};

/// The board with a first stage.
pub(crate) const BOARD: Machine = Machine {
    image: "mps2-an386-first-stage",
    ..AN386
};
pub(crate) const NAME: &str = "mps2-an386";
/// Says that its slots are flash.
const MARK: u32 = 0x2100_0004;
pub(crate) const VERSIONS: u32 = 0x2102_4000;
pub(crate) const ACTIVE: u32 = 0x2110_0000;
const STAGED: u32 = 0x2120_0000;
/// Where a signed image lies in a slot, and the image in it.
const SIGNED_AT: u32 = 512;
pub(crate) const IMAGE_AT: u32 = 1024;

/// The gateway's image for the slot; and another one, whose firmware says that it is of another version.
fn images() -> [Vec<u8>; 2] {
    let path = firmware::image("mps2-an386-slot").with_extension("bin");
    let image = fs::read(path).expect("the image for the slot");
    let mut other = image.clone();
    let version = b"0.1.0";
    let places: Vec<_> = (0..other.len() - 5)
        .filter(|at| other[*at..].starts_with(version))
        .collect();
    assert!(!places.is_empty(), "no version in the image");
    for at in places {
        other[at..at + 5].copy_from_slice(b"0.1.1");
    }
    [image, other]
}

pub(crate) fn header(board: &str, version: u32, image: &[u8]) -> ImageHeader {
    ImageHeader {
        board: board.try_into().expect("a name"),
        version,
        len: u32::try_from(image.len()).expect("a length"),
        digest: Sha256::digest(image).into(),
        signature: heapless::Vec::new(),
    }
}

/// A signed image, as openssl signs its line with the key that the first stage was built for.
pub(crate) fn signed(mut header: ImageHeader, image: &[u8]) -> Vec<u8> {
    let dir = tempfile::Builder::new()
        .prefix("maker-")
        .tempdir_in(cache_dir("tmp"))
        .expect("target/ can be written");
    let (line, signature) = (dir.path().join("line"), dir.path().join("line.sig"));
    fs::write(&line, header.statement().as_bytes()).expect("target/ can be written");
    let signer = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(firmware::image(BOARD.image).with_file_name("maker.pem"))
        .arg("-out")
        .args([&signature, &line])
        .status();
    assert!(signer.expect("openssl: run `cargo xtask setup`").success());
    let signature = fs::read(signature).expect("a signature");
    header.signature = signature.into_iter().collect();
    [&header.to_bytes(), image].concat()
}

/// A board whose slots are flash, and in whose active slot this lies from the signed image on. Its next start is to come.
pub(crate) fn flashed(signed: &[u8]) -> Emulator {
    let mut emulator = Emulator::debuggable(BOARD);
    let end = Instant::now() + Duration::from_secs(60);
    while emulator.memory_at(MARK, 4) == [0; 4] {
        assert!(Instant::now() < end, "the first stage has made no flash");
        thread::sleep(Duration::from_millis(20));
    }
    emulator.write(ACTIVE + SIGNED_AT, signed);
    emulator
}

/// The first image, as its maker has flashed it, after a start.
fn started() -> (Emulator, Gateway) {
    let [image, _] = images();
    let mut emulator = flashed(&signed(header(NAME, 5, &image), &image));
    emulator.reset();
    let gateway = Gateway::new(emulator.connect());
    (emulator, gateway)
}

#[test]
fn the_command_updates_a_device_and_the_key_stays() {
    let (emulator, mut gateway) = started();
    let party = Party::new("seal");
    party.provision(&mut gateway);
    drop(gateway);
    let uri = format!("device:unix:{}", emulator.line().display());
    let before = info(&uri);
    let [image, next] = images();
    let dir = tempfile::Builder::new()
        .prefix("update-")
        .tempdir_in(cache_dir("tmp"))
        .expect("target/ can be written");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("target/ can be written");
        path.to_str().expect("a path of text").to_owned()
    };

    // As its maker signs it.
    let raw = file("next.bin", &next);
    let make = [
        "device",
        "sign-image",
        "--board",
        NAME,
        "--number",
        "6",
        &raw,
    ];
    assert_eq!(run(&make), header(NAME, 6, &next).statement().as_str());
    let good = signed(header(NAME, 6, &next), &next);
    let good = file("next.signed", &good);

    // What is refused is refused for its first bytes, and each piece takes time.
    let piece = &image[..32 * 1024];
    let mut unsigned = signed(header(NAME, 6, piece), piece);
    unsigned[100] ^= 1;
    let unsigned = file("unsigned", &unsigned);
    let said = fails(&["device", "update", "--device", &uri, &unsigned]);
    assert!(said.contains("not signed by the key"), "{said}");
    assert_eq!(info(&uri)["image"], before["image"]);

    let said = run(&["device", "update", "--device", &uri, &good]);
    assert_eq!(said, "it runs version 6\n");
    let after = info(&uri);
    assert_ne!(before["image"], after["image"]);
    assert_eq!(
        after["image"].as_str(),
        Some(&*hex(&Sha256::digest(&next)).collect::<String>())
    );
    assert_eq!(after["firmware"], "0.1.1");
    assert_eq!(
        (&after["state"], &after["key"]),
        (&before["state"], &before["key"])
    );
    let mut gateway = Gateway::new(emulator.connect());
    let (scheme, _, audience) = SERVED[0];
    let token = gateway.sign(SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, run_start() + 60)
    });
    party.openssl_verifies(&token.expect("the key signs"));
    // There is no way back.
    drop(gateway);
    let older = file("older", &signed(header(NAME, 5, piece), piece));
    let said = fails(&["device", "update", "--device", &uri, &older]);
    assert!(said.contains("takes 7 or a later one"), "{said}");
}

/// Somebody has written it into the active slot.
#[test]
fn nothing_else_runs() {
    let [image, _] = images();
    let good = || signed(header(NAME, 5, &image), &image);
    let mut changed = good();
    *changed.last_mut().expect("bytes") ^= 1;
    let mut unsigned = good();
    unsigned[68..68 + 384].fill(0x55);
    for (name, bytes) in [
        ("changed", changed),
        ("unsigned", unsigned),
        (
            "another board's",
            signed(header("stm32f405", 5, &image), &image),
        ),
        ("cut short", good()[..image.len()].to_vec()),
        ("none", Vec::new()),
    ] {
        ends_latched(&mut flashed(&bytes), name);
    }
    // A version has run, and the one before it is written there.
    let (mut emulator, gateway) = started();
    drop(gateway);
    emulator.write(ACTIVE + SIGNED_AT, &signed(header(NAME, 4, &image), &image));
    ends_latched(&mut emulator, "older");
    emulator.write(ACTIVE + SIGNED_AT, &good());
    emulator.reset();
    Gateway::new(emulator.connect());
}

/// A start in which the first stage runs nothing: it wipes the RAM, and is silent.
fn ends_latched(emulator: &mut Emulator, name: &str) {
    // Nobody else writes there.
    const RAM: u32 = 0x2008_0000;
    emulator.write(RAM, b"left");
    emulator.reset();
    let end = Instant::now() + Duration::from_secs(60);
    while emulator.memory_at(RAM, 4) != [0; 4] {
        assert!(Instant::now() < end, "{name}: it has not latched");
        thread::sleep(Duration::from_millis(20));
    }
    let mut line = emulator.connect();
    line.write_all(&[&[0][..], &frame(1, &Request::Info)].concat())
        .expect("the line");
    assert!(is_silent(&mut line, Duration::from_millis(300)), "{name}");
}

/// The power goes when the first stage erases, copies, and notes the version; then the new image runs, with the old key.
#[test]
fn a_reset_in_the_middle_of_an_update_leaves_the_new_image() {
    let [_, next] = images();
    let update = signed(header(NAME, 6, &next), &next);
    let last = ACTIVE + SIGNED_AT + u32::try_from(update.len()).expect("a length") - 4;
    let places = [
        ACTIVE,
        ACTIVE + SIGNED_AT,
        ACTIVE + IMAGE_AT + 0x4_0000,
        last & !3,
        // Of the first start there is one note.
        VERSIONS + 32,
        VERSIONS + 60,
    ];
    let (mut emulator, mut gateway) = started();
    let party = Party::new("seal");
    party.provision(&mut gateway);
    let key = gateway.info(|info| info.key);
    drop(gateway);
    // As the device leaves it.
    emulator.write(STAGED, &[0; 32]);
    emulator.write(STAGED + SIGNED_AT, &update);
    let mut debugger = emulator.debugged();
    for place in places {
        debugger.rewind();
        debugger.watch(place, true);
        debugger.reset();
        let stop = debugger.go(Duration::from_secs(120));
        assert!(
            matches!(stop, Stop::At(_)),
            "{place:#x} is not written: {stop:?}"
        );
        debugger.watch(place, false);
        debugger.reset();
        debugger.resume();
        let mut gateway = Gateway::new(debugger.connect());
        let found = gateway.info(|info| (info.image, info.state, info.key));
        let expected = (Sha256::digest(&next).into(), DeviceState::Ready, key);
        assert_eq!(found, expected, "{place:#x}");
        drop(gateway);
        debugger.halt();
    }
}
