//! Provisioning: its steps and their order, that a device is locked when it is done, and what ends that.

use privyseal_core::scheme::FIAM;
use privyseal_protocol::{
    CHUNK, DeviceState, MAX_KEY, MAX_POLICY, Part, PartFault, Provision, Refusal, Request,
    Response, SchemeId, SignRequest, Totals,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{
    TestDevice, ask, info, provision, send_parts, sign, step,
};

use crate::fixture::{empty, key, policy, provisioned, restart, start, upload};

pub(crate) fn read(device: &mut TestDevice, part: Part) -> Result<Vec<u8>, Refusal> {
    let mut whole = Vec::new();
    loop {
        let offset = u16::try_from(whole.len()).expect("a length");
        let (bytes, end) = ask(
            device,
            &Request::Read { part, offset },
            |(piece, end): &mut (Vec<u8>, u32), response| match response {
                Response::Data { total, bytes, .. } => (*piece, *end) = (bytes.to_vec(), total),
                other => panic!("{other:?}"),
            },
        )?;
        whole.extend(&bytes);
        if usize::try_from(end) == Ok(whole.len()) {
            return Ok(whole);
        }
        assert!(!bytes.is_empty(), "it goes on");
    }
}

#[test]
fn a_device_is_provisioned_once() {
    let mut device = empty();
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    let good = upload(&policy());
    provision(&mut device, &good).expect("a good upload");
    for mut device in [restart(&mut device), device] {
        let account = info(&mut device);
        assert_eq!(account.state, DeviceState::Ready);
        let locked = Err(Refusal::State(DeviceState::Ready));
        assert_eq!(provision(&mut device, &good), locked);
        for step_ in [Provision::Commit, Provision::Abort] {
            assert_eq!(step(&mut device, step_), locked);
        }
        // What is public can be read back, and nothing else.
        assert_eq!(read(&mut device, Part::Policy), Ok(good.policy.clone()));
        assert_eq!(read(&mut device, Part::Chain), Ok(good.chain.clone()));
        assert_eq!(read(&mut device, Part::PublicKey), Ok(key().spki_der()));
        for part in [Part::Key, Part::Seed] {
            assert_eq!(read(&mut device, part), Err(Refusal::NotReadable(part)));
        }
    }
}

#[test]
fn a_wipe_leaves_nothing_and_makes_room() {
    let mut device = provisioned(&policy());
    sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start() + 9),
    )
    .expect("a token");
    let other = Request::Wipe {
        device: *b"another one!",
    };
    assert_eq!(ask(&mut device, &other, |(), _| {}), Err(Refusal::Device));
    assert_eq!(info(&mut device).state, DeviceState::Ready);
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    assert!(device.board().memory().is_blank());
    let again = ask(&mut device, &Request::Wipe { device: id }, |(), _| {});
    assert_eq!(again, Err(Refusal::State(DeviceState::Empty)));

    // The counter goes on, so the same key under the same id still never repeats a jti; time begins again.
    provision(&mut device, &upload(&policy())).expect("a good upload");
    let account = info(&mut device);
    assert_eq!((account.counter, account.time_floor), (1, run_start() - 60));
}

/// A host that was killed in the middle of it: the next command works, and a device that nobody asks anything gives
/// it up by itself.
#[test]
fn an_upload_without_its_host_leaves_an_empty_device() {
    let blank = |device: &mut TestDevice| device.board().memory().is_blank();
    let mut device = empty();
    send_parts(&mut device, &upload(&policy())).expect("all parts");
    device.board().time.advance(60_000);
    assert_eq!(info(&mut device).state, DeviceState::Provisioning);
    device.board().time.advance(1);
    device.poll();
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    assert!(blank(&mut device));

    send_parts(&mut device, &upload(&policy())).expect("all parts");
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    assert!(blank(&mut device));

    send_parts(&mut device, &upload(&policy())).expect("all parts");
    let mut device = restart(&mut device);
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    assert!(blank(&mut device));
    let late = step(&mut device, Provision::Commit);
    assert_eq!(late, Err(Refusal::State(DeviceState::Empty)));
    provision(&mut device, &upload(&policy())).expect("a good upload");
}

#[test]
#[allow(clippy::too_many_lines, reason = "one device goes through all of it")]
fn steps_come_in_order_and_in_size() {
    let good = upload(&policy());
    let totals = good.totals();
    let mut device = empty();
    let empty = Err(Refusal::State(DeviceState::Empty));
    let chunk = |part, offset, len| Provision::Chunk {
        part,
        offset,
        bytes: &[0x30; CHUNK + 1][..len],
    };
    for early in [
        chunk(Part::Key, 0, CHUNK),
        Provision::Commit,
        Provision::Abort,
    ] {
        assert_eq!(step(&mut device, early), empty);
    }
    let size = |part, max: usize| {
        let min = match part {
            Part::Key => 512,
            Part::Chain => 0,
            _ => 1,
        };
        let max = u32::try_from(max).expect("a length");
        Err(Refusal::Part {
            part,
            fault: PartFault::Size { min, max },
        })
    };
    let too_long = |len: usize| u32::try_from(len + 1).expect("a length");
    let begin = |totals| Provision::Begin(totals);
    let cases = [
        (Totals { key: 0, ..totals }, size(Part::Key, MAX_KEY)),
        (
            Totals {
                key: too_long(MAX_KEY),
                ..totals
            },
            size(Part::Key, MAX_KEY),
        ),
        (
            Totals {
                policy: too_long(MAX_POLICY),
                ..totals
            },
            size(Part::Policy, MAX_POLICY),
        ),
        (
            Totals {
                chain: too_long(16 * 1024),
                ..totals
            },
            size(Part::Chain, 16 * 1024),
        ),
        (
            Totals { seed: 47, ..totals },
            Err(Refusal::Part {
                part: Part::Seed,
                fault: PartFault::Size { min: 48, max: 64 },
            }),
        ),
    ];
    for (totals, refusal) in cases {
        assert_eq!(step(&mut device, begin(totals)), refusal);
        assert_eq!(info(&mut device).state, DeviceState::Empty);
    }
    step(&mut device, begin(totals)).expect("a beginning");
    let busy = Err(Refusal::State(DeviceState::Provisioning));
    assert_eq!(step(&mut device, begin(totals)), busy);
    let early = sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
    );
    assert_eq!(early, Err(Refusal::State(DeviceState::Provisioning)));

    let fault = |part, fault| Err(Refusal::Part { part, fault });
    let expected = PartFault::Offset { expected: 0 };
    assert_eq!(
        step(&mut device, chunk(Part::Key, 256, CHUNK)),
        fault(Part::Key, expected)
    );
    for len in [0, 1, CHUNK - 1, CHUNK + 1] {
        let refused = step(&mut device, chunk(Part::Key, 0, len));
        assert_eq!(refused, fault(Part::Key, PartFault::ChunkSize), "{len}");
    }
    let refused = step(&mut device, chunk(Part::PublicKey, 0, CHUNK));
    assert_eq!(refused, fault(Part::PublicKey, PartFault::NotUploaded));
    step(&mut device, chunk(Part::Key, 0, CHUNK)).expect("the first piece");
    let expected = PartFault::Offset { expected: 256 };
    assert_eq!(
        step(&mut device, chunk(Part::Key, 0, CHUNK)),
        fault(Part::Key, expected)
    );
    let missing = PartFault::Missing { received: 256 };
    assert_eq!(
        step(&mut device, Provision::Commit),
        fault(Part::Key, missing)
    );
    assert_eq!(
        info(&mut device).state,
        DeviceState::Provisioning,
        "and it can go on"
    );

    step(&mut device, Provision::Abort).expect("an end");
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    provision(&mut device, &good).expect("a good upload");
}

/// A journal that was lost took counter and time floor with it.
#[test]
fn a_key_without_its_journal_signs_nothing() {
    let mut device = provisioned(&policy());
    let mut memory = device.board().memory();
    memory.journal.fill(0xff);
    let mut device = start(memory);
    assert_eq!(info(&mut device).state, DeviceState::Faulted);
    assert_eq!(info(&mut device).fault, Some(Refusal::Storage));
    let refused = sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
    );
    assert_eq!(refused, Err(Refusal::State(DeviceState::Faulted)));
}

/// One bit of key, policy, chain, seed or header: what does not match its manifest is destroyed.
#[test]
fn damaged_flash_signs_nothing() {
    let mut device = provisioned(&policy());
    let memory = device.board().memory();
    for (at, is_secret) in [
        (520, false),
        (4_700, false),
        (21_000, false),
        (130, true),
        (300, true),
    ] {
        let mut memory = memory.clone();
        let piece = if is_secret {
            &mut memory.secrets
        } else {
            &mut memory.provision
        };
        piece[at] ^= 0x10;
        let mut device = start(memory);
        assert_eq!(info(&mut device).state, DeviceState::Empty, "{at}");
        assert!(device.board().memory().is_blank(), "{at}");
    }
}

/// What a power cut left between begin and commit is gone after the next start.
#[test]
fn a_start_in_the_middle_forgets_the_upload() {
    let mut device = empty();
    send_parts(&mut device, &upload(&policy())).expect("all parts");
    let mut device = restart(&mut device);
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    assert!(device.board().memory().is_blank());
}
