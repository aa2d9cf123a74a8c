//! A new chain, or another policy, for the key that is there.

use std::collections::HashSet;

use privyseal_core::scheme::{FIAM, ISHARE};
use privyseal_protocol::authority::renewal_statement;
use privyseal_protocol::{
    DeviceState, Event, Policy, Provision, Refusal, Request, Response, SchemeId, SignRequest,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, test_key};
use privyseal_test_simulators::device_host::{
    TestDevice, ask, info, provision, request_csr, sign, step,
};
use privyseal_test_simulators::link::Upload;
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::at_rest::{SECRET, locked, unlock};
use proptest::prelude::*;

use crate::fixture::{SCHEME_OWNER, claim, empty, key, policy, provisioned, restart, upload};
use crate::generating::{ASKED, csr_request, generated, installation};
use crate::log;

/// A policy with an authority.
pub(crate) fn under(authority: &[u8]) -> Policy<'_> {
    Policy {
        authority: Some(authority),
        ..policy()
    }
}

/// The same for one scheme less, made a day later.
pub(crate) fn other<'a>(policy: &Policy<'a>) -> Policy<'a> {
    let mut other = policy.clone();
    other
        .schemes
        .retain(|it| it.scheme != SchemeId::of(&ISHARE));
    other
        .audiences
        .retain(|it| it.scheme != SchemeId::of(&ISHARE));
    other
}

/// Policy and chain alone, of a certificate that ends on another day.
pub(crate) fn without_key(policy: &Policy<'_>, until: u64) -> Upload {
    let whole = upload(policy);
    let spec = CertificateSpec::seal().valid(run_start() - 86_400, until);
    Upload {
        key: Vec::new(),
        seed: Vec::new(),
        chain: TestPki::new().chain(&key().spki_der(), &spec).concat(),
        ..whole
    }
}

pub(crate) fn renew(
    device: &mut TestDevice,
    next: &Policy<'_>,
    signature: &[u8],
) -> Result<(), Refusal> {
    let policy = next.fingerprint().expect("it is hashed");
    ask(
        device,
        &Request::Renew { policy, signature },
        |(), response| {
            assert_eq!(response, Response::Accepted { received: 0 });
        },
    )
}

/// The authority's word for that policy, now.
pub(crate) fn word(authority: &TestKey, device: &mut TestDevice, next: &Policy<'_>) -> Vec<u8> {
    let account = info(device);
    let policy = next.fingerprint().expect("it is hashed");
    let line = renewal_statement(&account.device, &account.challenge, &policy);
    SoftwareSigner::sign_message(authority.private_key(), line.as_bytes())
}

fn fiam() -> SignRequest<'static> {
    SignRequest::new(SchemeId::of(&FIAM), run_start())
}

fn ishare() -> SignRequest<'static> {
    SignRequest {
        audience: Some(SCHEME_OWNER),
        ..SignRequest::new(SchemeId::of(&ISHARE), run_start())
    }
}

fn leaf(token: &str) -> serde_json::Value {
    Parts::of(token).header()["x5c"][0].clone()
}

const LATER: u64 = 400 * 86_400;

#[test]
fn a_new_chain_for_the_key_needs_no_word() {
    let mut device = provisioned(&policy());
    let (before, key) = (
        sign(&mut device, fiam()).expect("a token"),
        info(&mut device).key,
    );
    // The policy is the same whenever it was made.
    let mut same = policy();
    same.time_floor += 30;
    for (round, until) in [(1, run_start() + LATER), (2, run_start() + 2 * LATER)] {
        renew(&mut device, &same, &[]).expect("the policy stays");
        assert_eq!(info(&mut device).state, DeviceState::Uncertified);
        let refused = sign(&mut device, fiam());
        assert_eq!(refused, Err(Refusal::State(DeviceState::Uncertified)));
        request_csr(&mut device, &csr_request()).expect("a request for the same key");
        let another = provision(&mut device, &without_key(&other(&policy()), until));
        assert_eq!(another, Err(Refusal::Renewal));
        if round == 2 {
            device = restart(&mut device);
        }
        provision(&mut device, &without_key(&same, until)).expect("the new chain");
        let token = sign(&mut device, fiam()).expect("a token");
        assert_ne!(leaf(&token), leaf(&before));
        let account = info(&mut device);
        assert_eq!((account.key, account.counter), (key, round + 1));
        let events: Vec<_> = log::check(&mut device).iter().map(|it| it.event).collect();
        assert!(events.contains(&Event::RenewalBegun) && events.contains(&Event::Installed));
    }
}

/// The floor is in no fingerprint, so nobody has signed it: a host could name any year with it. Nor do many renewals go where
/// one does not.
#[test]
fn a_renewal_moves_time_no_further_than_a_signature() {
    let mut device = provisioned(&policy());
    let ceiling = info(&mut device).time_ceiling;
    let far = Policy {
        time_floor: run_start() + LATER,
        ..policy()
    };
    assert!(far.time_floor > ceiling + 86_400);
    for round in 0..3 {
        renew(&mut device, &far, &[]).expect("the policy stays");
        if round == 2 {
            // The log has the same floor: a start grants `max_jump` once more.
            let floor = info(&mut device).time_floor;
            device = restart(&mut device);
            assert_eq!(info(&mut device).time_floor, floor);
        }
        let until = run_start() + 2 * LATER;
        provision(&mut device, &without_key(&far, until)).expect("the new chain");
        let account = info(&mut device);
        let starts = if round == 2 { 2 } else { 1 };
        let most = ceiling + (starts - 1) * u64::from(policy().max_jump);
        assert!(account.time_floor <= most + 5, "round {round}");
        assert!(account.time_ceiling <= most + 5, "round {round}");
    }
}

#[test]
fn another_policy_needs_the_authority_s_word() {
    let authority = test_key("device-authority", 2048);
    let spki = authority.spki_der();
    let (old, new) = (under(&spki), other(&under(&spki)));
    let mut device = provisioned(&old);
    sign(&mut device, ishare()).expect("a token");
    for wrong in [&[][..], &[0; 256]] {
        assert_eq!(renew(&mut device, &new, wrong), Err(Refusal::Authority));
    }
    let for_another = word(&authority, &mut device, &policy());
    assert_eq!(
        renew(&mut device, &new, &for_another),
        Err(Refusal::Authority)
    );
    let given = word(&authority, &mut device, &new);
    let mut again = restart(&mut device);
    let old_challenge = renew(&mut again, &new, &given);
    assert_eq!(
        old_challenge,
        Err(Refusal::Authority),
        "a word is for one challenge"
    );
    sign(&mut again, ishare()).expect("what was refused changed nothing");

    let given = word(&authority, &mut again, &new);
    renew(&mut again, &new, &given).expect("its word");
    let until = run_start() + LATER;
    for wrong in [&old, &policy()] {
        let refused = provision(&mut again, &without_key(wrong, until));
        assert_eq!(refused, Err(Refusal::Renewal));
    }
    provision(&mut again, &without_key(&new, until)).expect("what was agreed");
    assert_eq!(sign(&mut again, ishare()), Err(Refusal::Scheme));
    sign(&mut again, fiam()).expect("a token");
    assert_eq!(renew(&mut again, &new, &[]), Ok(()), "it stays");
}

#[test]
fn without_an_authority_the_policy_stays() {
    let mut device = provisioned(&policy());
    let authority = test_key("device-authority", 2048);
    let new = other(&policy());
    let given = word(&authority, &mut device, &new);
    assert_eq!(renew(&mut device, &new, &given), Err(Refusal::Authority));
    let mut empty = empty();
    let refused = renew(&mut empty, &new, &given);
    assert_eq!(refused, Err(Refusal::State(DeviceState::Empty)));
}

#[test]
fn a_key_under_an_unlock_secret_waits_for_it() {
    let mut device = locked();
    unlock(&mut device, SECRET).expect("the right secret");
    renew(&mut device, &policy(), &[]).expect("the policy stays");
    assert_eq!(info(&mut device).state, DeviceState::Locked);
    unlock(&mut device, SECRET).expect("the right secret");
    assert_eq!(info(&mut device).state, DeviceState::Uncertified);
    provision(&mut device, &without_key(&policy(), run_start() + LATER)).expect("the new chain");
    sign(&mut device, fiam()).expect("a token");
}

/// The room for fingerprints ends: then the device keeps what it has.
#[test]
fn policies_are_renewed_so_often() {
    let authority = test_key("device-authority", 2048);
    let spki = authority.spki_der();
    let policies = [under(&spki), other(&under(&spki))];
    let mut device = provisioned(&policies[0]);
    for round in 1..=13 {
        let next = &policies[round % 2];
        let given = word(&authority, &mut device, next);
        if round == 13 {
            assert_eq!(renew(&mut device, next, &given), Err(Refusal::Renewal));
            sign(&mut device, fiam()).expect("it goes on");
            break;
        }
        renew(&mut device, next, &given).expect("its word");
        provision(&mut device, &without_key(next, run_start() + LATER)).expect("what was agreed");
    }
    // The policy that it has can come with other certificates for ever.
    renew(&mut device, &policies[0], &[]).expect("the policy stays");
    provision(&mut device, &without_key(&policies[0], run_start() + LATER)).expect("a new chain");
}

#[test]
fn a_key_of_its_own_is_renewed_and_wiped() {
    let mut device = generated(&ASKED);
    let good = installation(&mut device);
    provision(&mut device, &good).expect("a good upload");
    renew(&mut device, &policy(), &[]).expect("the policy stays");
    let mut device = restart(&mut device);
    assert_eq!(info(&mut device).state, DeviceState::Uncertified);
    step(&mut device, Provision::Begin(good.totals())).expect("it waits for them");
    step(&mut device, Provision::Abort).expect("and goes on waiting");
    let id = device.board().device;
    ask(
        &mut device,
        &Request::Wipe { device: id },
        |(), response| {
            assert_eq!(response, Response::Wiped);
        },
    )
    .expect("wiped");
    // What the next key signs is decided again.
    provision(&mut device, &upload(&other(&policy()))).expect("a good upload");
}

/// What a device in the field meets.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// At so many seconds from the last time: forward or back.
    Sign(i64),
    Restart,
    NewChain,
    OtherPolicy,
    SetTime(i64),
    KeepHead,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (-20_i64..20).prop_map(Step::Sign),
        1 => Just(Step::Restart),
        1 => Just(Step::NewChain),
        1 => Just(Step::OtherPolicy),
        1 => (-5_000_i64..5_000).prop_map(Step::SetTime),
        2 => Just(Step::KeepHead),
    ];
    proptest::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// In whatever order: the log goes on from every head that was kept, and no `jti` comes twice.
    #[test]
    fn in_any_order_the_log_is_whole_and_no_jti_comes_twice(steps in steps()) {
        let authority = test_key("device-authority", 2048);
        let spki = authority.spki_der();
        let policies = [under(&spki), other(&under(&spki))];
        let mut device = provisioned(&policies[0]);
        let (mut now, mut present, mut given) = (run_start(), 0, HashSet::new());
        let mut heads = Vec::new();
        for step in steps {
            match step {
                Step::Sign(later) => {
                    let at = now.saturating_add_signed(later);
                    let asked = SignRequest::new(SchemeId::of(&FIAM), at);
                    if let Ok(token) = sign(&mut device, asked) {
                        now = now.max(at);
                        prop_assert!(given.insert(claim(&token, "jti")), "a jti twice");
                    } else {
                        prop_assert!(at < now, "{} after {}", at, now);
                    }
                }
                Step::Restart => device = restart(&mut device),
                Step::NewChain | Step::OtherPolicy => {
                    present = (present + usize::from(matches!(step, Step::OtherPolicy))) % 2;
                    let next = &policies[present];
                    let word = word(&authority, &mut device, next);
                    // There is room for twelve.
                    if renew(&mut device, next, &word).is_ok() {
                        let upload = without_key(next, run_start() + LATER);
                        provision(&mut device, &upload).expect("what was agreed");
                    } else {
                        present = 1 - present;
                    }
                    now = now.max(next.time_floor);
                }
                Step::SetTime(later) => {
                    let at = run_start().saturating_add_signed(later);
                    let word = crate::rules::word(&authority, &mut device, at);
                    crate::rules::set_time(&mut device, at, &word).expect("its word");
                    now = at;
                }
                Step::KeepHead => heads.push(log::links(&mut device).last().copied()),
            }
            log::check(&mut device);
        }
        let links = log::links(&mut device);
        for head in heads.into_iter().flatten() {
            prop_assert!(links.contains(&head), "a log that was replaced");
        }
    }
}
