//! Whatever comes over the line: a typed answer, and a device that is what it was.

use privyseal_core::scheme::FIAM;
use privyseal_firmware_app::fake::Memory;
use privyseal_protocol::frame::{MAX_CONTENT, MAX_FRAME};
use privyseal_protocol::{
    DeviceState, FrameError, PROTOCOL, Provision, Refusal, Request, Response, SchemeId, SignRequest,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{
    TestDevice, answers, exchange, info, send_parts, sign,
};
use privyseal_test_simulators::link::frame;
use proptest::prelude::*;

use crate::fixture::{policy, provisioned, requests, start, upload};
use crate::generating::{ASKED, csr_request, generated};

/// What a stranger could have changed: flash and account, but for clocks and the count of bad frames.
fn fingerprint(device: &mut TestDevice) -> (Vec<u8>, Vec<u8>, Vec<u8>, DeviceState, u64, u64, u32) {
    let account = info(device);
    let memory = device.board().memory();
    (
        memory.provision.to_vec(),
        memory.secrets.to_vec(),
        memory.journal.to_vec(),
        account.state,
        account.counter,
        account.time_floor,
        account.log_next,
    )
}

/// The refusals in what a device said, each with the id of the frame.
fn refusals(said: &[u8]) -> Vec<(u8, Refusal)> {
    let mut found = Vec::new();
    answers(said, |id, response| {
        let Response::Refused(refusal) = response else {
            panic!("{response:?}");
        };
        found.push((id, refusal));
    });
    found
}

/// COBS by the `cobs` crate's other half, of a message with its CRC-32 computed bit by bit: neither is
/// the core's.
fn raw(message: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for &byte in message {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let mut content = message.to_vec();
    content.extend((!crc).to_le_bytes());
    let mut frame = Vec::new();
    for run in content.split(|&byte| byte == 0) {
        let mut rest = run;
        while rest.len() >= 254 {
            frame.push(0xff);
            frame.extend(&rest[..254]);
            rest = &rest[254..];
        }
        frame.push(u8::try_from(rest.len() + 1).expect("a short run"));
        frame.extend(rest);
    }
    frame.push(0);
    frame
}

#[test]
fn each_malformed_frame_has_its_own_answer() {
    let mut devices = [start(Memory::default()), provisioned(&policy())];
    for device in &mut devices {
        let before = fingerprint(device);
        let good = frame(9, &Request::Info);
        let mut damaged = good.clone();
        damaged[2] ^= 0x40;
        let longest = raw(&[PROTOCOL; MAX_CONTENT - 4]);
        assert!(longest.len() <= MAX_FRAME);
        let cases = [
            (vec![5, 1, 0], 0, FrameError::Cobs),
            (
                good[..good.len() - 2].iter().copied().chain([0]).collect(),
                0,
                FrameError::Cobs,
            ),
            (raw(&[PROTOCOL]), 0, FrameError::TooShort),
            (vec![2, 7, 0], 0, FrameError::TooShort),
            (damaged, 0, FrameError::Checksum),
            (
                raw(&[PROTOCOL + 1, 9, 0]),
                0,
                FrameError::Version {
                    found: PROTOCOL + 1,
                },
            ),
            (raw(&[1; MAX_CONTENT - 3]), 0, FrameError::TooLong),
            (raw(&[1; 5_000]), 0, FrameError::TooLong),
            (longest, PROTOCOL, FrameError::Body),
            (raw(&[PROTOCOL, 9]), 9, FrameError::Body),
            // A request that does not exist, one that is cut short, one with something behind it.
            (raw(&[PROTOCOL, 9, 200]), 9, FrameError::Body),
            (raw(&[PROTOCOL, 9, 3]), 9, FrameError::Body),
            (raw(&[PROTOCOL, 9, 0, 0]), 9, FrameError::Body),
        ];
        for (number, (bytes, id, error)) in cases.into_iter().enumerate() {
            let said = refusals(&exchange(device, &bytes));
            assert_eq!(said, [(id, Refusal::Frame(error))], "case {number}");
            assert!(info(device).bad_frames > u32::try_from(number).expect("a few"));
        }
        assert_eq!(fingerprint(device), before);
    }
}

#[test]
fn requests_may_come_in_any_pieces_and_several_at_once() {
    let mut device = provisioned(&policy());
    let request = frame(
        4,
        &Request::Sign(SignRequest::new(SchemeId::of(&FIAM), run_start())),
    );
    let mut said = Vec::new();
    for byte in &request {
        said.extend(exchange(&mut device, &[*byte]));
    }
    let mut total = 0;
    answers(&said, |id, response| {
        assert_eq!(id, 4);
        if let Response::Token { bytes, .. } = response {
            total += bytes.len();
        }
    });
    assert!(total > 1_000, "{total}");
    let both = [
        frame(5, &Request::Info),
        vec![0, 0],
        frame(6, &Request::Info),
    ]
    .concat();
    let mut ids = Vec::new();
    answers(&exchange(&mut device, &both), |id, _| ids.push(id));
    assert_eq!(ids, [5, 6]);
}

/// What a state does not allow leaves the device as it is.
#[test]
fn requests_out_of_state_change_nothing() {
    let sign_ = Request::Sign(SignRequest::new(SchemeId::of(&FIAM), run_start()));
    let commit = Request::Provision(Provision::Commit);
    let begin = Request::Provision(Provision::Begin(upload(&policy()).totals()));
    let word = Request::SetTime {
        now: run_start(),
        signature: &[0; 256],
    };
    let wipe = Request::Wipe {
        device: *b"fake device!",
    };
    let (csr, make) = (Request::Csr(csr_request()), Request::Generate(ASKED));
    let mut empty = start(Memory::default());
    let mut uploading = start(Memory::default());
    send_parts(&mut uploading, &upload(&policy())).expect("all parts");
    let (mut uncertified, mut ready) = (generated(&ASKED), provisioned(&policy()));
    let unwrap = Request::Unwrap {
        ciphertext: &[0x55; 512],
    };
    let all = [sign_, commit, word, csr, wipe, begin, make, unwrap];
    let without = |allowed: &[usize]| {
        let left = all.iter().enumerate();
        left.filter(|(at, _)| !allowed.contains(at))
            .map(|(_, request)| request.clone())
            .collect()
    };
    let cases: [(&mut TestDevice, DeviceState, Vec<Request<'_>>); 4] = [
        (&mut empty, DeviceState::Empty, without(&[5, 6])),
        (&mut uploading, DeviceState::Provisioning, without(&[1, 4])),
        (
            &mut uncertified,
            DeviceState::Uncertified,
            without(&[3, 4, 5]),
        ),
        (&mut ready, DeviceState::Ready, without(&[0, 2, 4, 7])),
    ];
    for (device, state, requests) in cases {
        let before = fingerprint(device);
        for request in requests {
            let said = refusals(&exchange(device, &frame(1, &request)));
            assert_eq!(said, [(1, Refusal::State(state))], "{request:?}");
        }
        assert_eq!(fingerprint(device), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any bytes, among them pieces of good requests.
    #[test]
    fn garbage_changes_nothing(pieces in prop::collection::vec(garbage(), 1..8)) {
        let mut device = kept();
        let before = fingerprint(&mut device);
        let mut bytes = pieces.concat();
        bytes.push(0);
        // Every answer is whole, and a refusal.
        refusals(&exchange(&mut device, &bytes));
        prop_assert!(fingerprint(&mut device) == before);
        give_back(device);
    }

    /// Bodies that a CRC is right for: the reader of messages sees every one.
    #[test]
    fn any_body_has_an_answer(kind in 0_u8..9, rest in prop::collection::vec(any::<u8>(), 0..60)) {
        // Kinds that change something on purpose are tested by name; 3 is signing, refused for garbage
        // or logged.
        let mut device = kept();
        let message = [&[PROTOCOL, 77, kind][..], &rest].concat();
        let said = exchange(&mut device, &raw(&message));
        let mut count = 0;
        answers(&said, |id, _| {
            assert_eq!(id, 77);
            count += 1;
        });
        prop_assert!(count > 0);
        prop_assert_eq!(info(&mut device).state, DeviceState::Ready);
        give_back(device);
    }
}

/// Noise, and requests with a piece missing.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let request = (0..requests().len()).prop_map(|at| frame(3, &Request::Sign(requests()[at])));
    let cut = (request, any::<prop::sample::Index>())
        .prop_map(|(bytes, at)| bytes[..at.index(bytes.len() - 1)].to_vec());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..700),
        prop::collection::vec(1_u8.., 0..700),
        cut,
    ]
}

thread_local! {
    static KEPT: std::cell::RefCell<Option<TestDevice>> = const { std::cell::RefCell::new(None) };
}

/// One device for many cases: a start takes its time.
fn kept() -> TestDevice {
    KEPT.with(|kept| kept.borrow_mut().take())
        .unwrap_or_else(|| provisioned(&policy()))
}

fn give_back(device: TestDevice) {
    KEPT.with(|kept| *kept.borrow_mut() = Some(device));
}

/// After all of it the device still signs.
#[test]
fn a_device_that_was_shouted_at_signs() {
    let mut device = provisioned(&policy());
    for byte in 0..=u8::MAX {
        exchange(&mut device, &[byte; 700]);
    }
    exchange(&mut device, &[0]);
    sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
    )
    .expect("a token");
}
