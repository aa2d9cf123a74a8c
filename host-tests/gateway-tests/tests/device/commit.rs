//! What commit checks: a device takes no upload that it could not sign with, and keeps nothing of one.

use privyseal_core::scheme::{EHEALTH, FIAM, ITSME};
use privyseal_firmware_app::fake::Entropy;
use privyseal_protocol::policy::Policy;
use privyseal_protocol::{DeviceState, Event, Part, PartFault, Refusal, SchemeId};
use privyseal_test_pki::{TestPki, test_key};
use privyseal_test_simulators::device_host::{info, provision, sign};
use privyseal_test_simulators::link::Upload;

use crate::fixture::{chain, empty, policy, restart, upload};
use crate::generating::is_signed;
use crate::log;

fn with_policy(change: impl FnOnce(&mut Policy<'static>)) -> Upload {
    let mut policy = policy();
    change(&mut policy);
    upload(&policy)
}

/// Each thing that commit checks, wrong.
#[test]
#[allow(clippy::too_many_lines)] // A table.
fn what_is_not_right_is_destroyed() {
    let other = test_key("device-other", 2048);
    let good = upload(&policy());
    let bad = |part, fault| Refusal::Part { part, fault };
    let mut damaged_key = good.key.clone();
    // A digit of a prime: the numbers no longer fit.
    damaged_key[300] ^= 4;
    let mut damaged_chain = good.chain.clone();
    let len = damaged_chain.len();
    damaged_chain[len - 1] ^= 1;
    let mut swapped = chain().to_vec();
    swapped.pop();
    let cases: Vec<(&str, Upload, Refusal)> = vec![
        (
            "of no size",
            Upload {
                key: vec![0x30; 600],
                ..good.clone()
            },
            bad(Part::Key, PartFault::Malformed),
        ),
        (
            "bytes behind the key",
            Upload {
                key: [&good.key[..], &[0]].concat(),
                ..good.clone()
            },
            bad(Part::Key, PartFault::Malformed),
        ),
        (
            "a damaged key",
            Upload {
                key: damaged_key,
                ..good.clone()
            },
            bad(Part::Key, PartFault::Rule),
        ),
        (
            "another key",
            Upload {
                key: other.numbers(),
                ..good.clone()
            },
            bad(Part::Chain, PartFault::KeyMismatch),
        ),
        (
            "a chain for another key",
            Upload {
                chain: TestPki::new().seal_chain(&other).concat(),
                ..good.clone()
            },
            bad(Part::Chain, PartFault::KeyMismatch),
        ),
        (
            "a root whose signature is wrong",
            Upload {
                chain: damaged_chain,
                ..good.clone()
            },
            bad(Part::Chain, PartFault::Rule),
        ),
        (
            "no root",
            Upload {
                chain: swapped.concat(),
                ..good.clone()
            },
            bad(Part::Chain, PartFault::Rule),
        ),
        (
            "no certificates",
            Upload {
                chain: vec![0x30, 0x80],
                ..good.clone()
            },
            bad(Part::Chain, PartFault::Malformed),
        ),
        (
            "no policy",
            Upload {
                policy: vec![9; 9],
                ..good.clone()
            },
            bad(Part::Policy, PartFault::Malformed),
        ),
        (
            "a policy that breaks a rule",
            with_policy(|policy| policy.rate.assertions = 0),
            bad(Part::Policy, PartFault::Rule),
        ),
        (
            "a party that the leaf does not name",
            with_policy(|policy| {
                policy.schemes[2].client_id = "did:ishare:EU.NL.NTRNL-99999999";
            }),
            bad(Part::Policy, PartFault::Rule),
        ),
        (
            "entropy that the board does not have",
            with_policy(|policy| policy.board_entropy = true),
            Refusal::Entropy,
        ),
    ];
    let mut device = empty();
    let (mut logged, mut commits) = (0, 0);
    for (what, upload, refusal) in cases {
        assert_eq!(provision(&mut device, &upload), Err(refusal), "{what}");
        assert_eq!(info(&mut device).state, DeviceState::Empty, "{what}");
        assert!(device.board().memory().is_blank(), "{what}");
        if info(&mut device).log_next > logged + 1 {
            // It came as far as commit, and that is in the log.
            let newest = *log::check(&mut device).last().expect("an entry");
            assert_eq!(
                (newest.event, newest.code),
                (Event::Refused, refusal.code()),
                "{what}"
            );
            commits += 1;
        }
        logged = info(&mut device).log_next;
    }
    assert!(commits > 5, "{commits}");
    device.board().entropy = Some(Entropy(1));
    let with_entropy = with_policy(|policy| policy.board_entropy = true);
    provision(&mut device, &with_entropy).expect("a good upload");
    // Without its generator the device fails closed at the next start.
    let mut without = restart(&mut device);
    assert_eq!(info(&mut without).state, DeviceState::Faulted);
    assert_eq!(info(&mut without).fault, Some(Refusal::Entropy));
}

#[test]
fn keys_of_other_kinds_are_refused() {
    let good = upload(&policy());
    let small = test_key("device-other", 1024).numbers();
    let mut even = good.key.clone();
    even[255] ^= 1;
    let mut swapped = good.key.clone();
    let (_, primes) = swapped.split_at_mut(256);
    primes.copy_from_slice(&[[3; 128], [5; 128]].concat());
    let (min, max) = (512, 1024);
    for (key, part, fault) in [
        (small, Part::Key, PartFault::Size { min, max }),
        (vec![0xff; 512], Part::Chain, PartFault::KeyMismatch),
        (even, Part::Key, PartFault::Rule),
        (swapped, Part::Key, PartFault::Rule),
    ] {
        let upload = Upload {
            key,
            ..good.clone()
        };
        let refused = provision(&mut empty(), &upload);
        assert_eq!(refused, Err(Refusal::Part { part, fault }));
    }
}

/// Keys of the larger sizes, through the whole device.
#[test]
fn larger_keys_sign() {
    for bits in [3072, 4096] {
        let key = test_key("device", bits);
        let larger = Upload {
            key: key.numbers(),
            chain: TestPki::new().seal_chain(&key).concat(),
            ..upload(&policy())
        };
        let mut device = empty();
        provision(&mut device, &larger).expect("a good upload");
        for request in crate::fixture::requests() {
            let token = sign(&mut device, request).expect("a token");
            is_signed(&token, &key.spki_der());
        }
    }
}

#[test]
fn an_upload_without_a_chain_serves_schemes_that_need_none() {
    let without = |schemes: &[SchemeId]| {
        let mut policy = policy();
        policy
            .schemes
            .retain(|entry| schemes.contains(&entry.scheme));
        policy
            .audiences
            .retain(|entry| schemes.contains(&entry.scheme));
        Upload {
            chain: Vec::new(),
            ..upload(&policy)
        }
    };
    let mut device = empty();
    let missing = provision(
        &mut device,
        &without(&[SchemeId::of(&FIAM), SchemeId::of(&ITSME)]),
    );
    assert!(
        matches!(
            missing,
            Err(Refusal::Part {
                part: Part::Chain,
                ..
            })
        ),
        "{missing:?}"
    );
    provision(
        &mut device,
        &without(&[SchemeId::of(&ITSME), SchemeId::of(&EHEALTH)]),
    )
    .expect("a good upload");
    sign(&mut device, crate::fixture::requests()[3]).expect("a token");
}
