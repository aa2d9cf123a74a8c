//! Policy, time, rate and presence.

use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ITSME};
use privyseal_firmware_app::fake::Button;
use privyseal_protocol::authority::set_time_statement;
use privyseal_protocol::{
    DeviceState, Event, MAX_BEHIND_SECONDS, Part, PartFault, Rate, Refusal, Request, Response,
    SchemeId, SignRequest,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_simulators::device_host::{TestDevice, ask, info, provision, sign};
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::fixture::{JUMP, REALM, claim, empty, policy, provisioned, restart, upload};
use crate::log;

fn fiam(now: u64) -> SignRequest<'static> {
    SignRequest::new(SchemeId::of(&FIAM), now)
}

#[test]
fn what_the_policy_does_not_have_is_refused() {
    let mut policy = policy();
    policy.schemes.truncate(2);
    policy
        .audiences
        .retain(|allowed| allowed.scheme == SchemeId::of(&ITSME));
    policy.max_lifetime = 100;
    let mut device = provisioned(&policy);
    let itsme = SignRequest {
        audience: Some(policy.audiences[0].audience),
        ..SignRequest::new(SchemeId::of(&ITSME), run_start())
    };
    sign(&mut device, itsme).expect("a token");
    let cases = [
        (
            SignRequest::new(SchemeId::of(&ISHARE), run_start()),
            Refusal::Scheme,
        ),
        // The scheme's own default is no exception.
        (fiam(run_start()), Refusal::Audience),
        (
            SignRequest::new(SchemeId::of(&ITSME), run_start()),
            Refusal::Audience,
        ),
        (
            SignRequest {
                audience: Some(REALM),
                ..itsme
            },
            Refusal::Audience,
        ),
        (
            SignRequest {
                lifetime: Some(101),
                ..itsme
            },
            Refusal::Lifetime { max: 100 },
        ),
        (
            SignRequest {
                lifetime: Some(0),
                ..itsme
            },
            Refusal::Lifetime { max: 600 },
        ),
        (
            SignRequest {
                backdate: 6,
                ..itsme
            },
            Refusal::Field,
        ),
    ];
    for (request, refusal) in cases {
        let before = info(&mut device).counter;
        assert_eq!(sign(&mut device, request), Err(refusal));
        assert_eq!(info(&mut device).counter, before);
    }
}

#[test]
fn a_scheme_s_own_rules_hold_below_the_policy_s() {
    let mut device = provisioned(&policy());
    let long = SignRequest {
        lifetime: Some(31),
        ..fiam(run_start())
    };
    assert_eq!(sign(&mut device, long), Err(Refusal::Lifetime { max: 30 }));
    let token = sign(&mut device, fiam(run_start())).expect("a token");
    assert_eq!(claim(&token, "aud"), "EU.EORI.NLKPNFIAMPROD");
    assert_eq!(claim(&token, "exp"), run_start() + 30);
}

#[test]
fn time_goes_forward_only_and_not_too_far() {
    let mut device = provisioned(&policy());
    let floor = info(&mut device).time_floor;
    assert_eq!(floor, run_start() - 60, "the policy's");
    let too_early = floor - MAX_BEHIND_SECONDS - 1;
    assert_eq!(
        sign(&mut device, fiam(too_early)),
        Err(Refusal::TimeBack { floor })
    );
    sign(&mut device, fiam(run_start())).expect("a token");
    let floor = run_start();
    let too_early = floor - MAX_BEHIND_SECONDS - 1;
    assert_eq!(
        sign(&mut device, fiam(too_early)),
        Err(Refusal::TimeBack { floor })
    );
    sign(&mut device, fiam(run_start())).expect("the same second again");
    for behind in [1, MAX_BEHIND_SECONDS] {
        let token = sign(&mut device, fiam(floor - behind)).expect("a clock a little behind");
        assert_eq!(claim(&token, "iat"), floor, "served at the floor");
        assert_eq!(info(&mut device).time_floor, floor);
    }

    // Counted from what the device believed when it was provisioned: small steps add up to no more.
    let ceiling = run_start() - 60 + u64::from(JUMP);
    assert_eq!(info(&mut device).time_ceiling, ceiling);
    assert_eq!(
        sign(&mut device, fiam(ceiling + 1)),
        Err(Refusal::TimeAhead { ceiling })
    );
    device.board().time.advance(5_000);
    assert_eq!(info(&mut device).time_ceiling, ceiling + 5);
    sign(&mut device, fiam(ceiling)).expect("a token");
    assert_eq!(
        sign(&mut device, fiam(ceiling + 6)),
        Err(Refusal::TimeAhead {
            ceiling: ceiling + 5
        })
    );

    // Neither is forgotten.
    let mut device = restart(&mut device);
    assert_eq!(
        sign(&mut device, fiam(run_start())),
        Err(Refusal::TimeBack { floor: ceiling })
    );
    assert_eq!(info(&mut device).time_ceiling, ceiling + u64::from(JUMP));
}

#[test]
fn a_certificate_s_dates_hold_too() {
    let mut policy = policy();
    policy.max_jump = 20 * 366 * 86_400 / 2;
    let mut device = provisioned(&policy);
    // The leaf is valid for two years.
    let late = run_start() + 3 * 366 * 86_400;
    assert_eq!(sign(&mut device, fiam(late)), Err(Refusal::Clock));
    let realm = SignRequest {
        audience: Some(REALM),
        ..SignRequest::new(SchemeId::of(&EHEALTH), late)
    };
    sign(&mut device, realm).expect("a kid has no dates");
}

#[test]
fn the_rate_limit_holds_and_survives() {
    let mut policy = policy();
    policy.rate = Rate {
        assertions: 2,
        seconds: 20,
    };
    let mut device = provisioned(&policy);
    assert_eq!(info(&mut device).rate_left, 2);
    sign(&mut device, fiam(run_start())).expect("a token");
    sign(&mut device, fiam(run_start())).expect("a token");
    assert_eq!(
        sign(&mut device, fiam(run_start())),
        Err(Refusal::Rate { wait: 10_000 })
    );
    // Switching off and on forgives nothing.
    for _ in 0..3 {
        device = restart(&mut device);
        assert_eq!(
            sign(&mut device, fiam(run_start())),
            Err(Refusal::Rate { wait: 10_000 })
        );
    }
    device.board().time.advance(9_999);
    assert_eq!(
        sign(&mut device, fiam(run_start())),
        Err(Refusal::Rate { wait: 1 })
    );
    device.board().time.advance(1);
    sign(&mut device, fiam(run_start())).expect("a token");
    assert_eq!(info(&mut device).rate_left, 0);
}

pub(crate) fn set_time(
    device: &mut TestDevice,
    now: u64,
    signature: &[u8],
) -> Result<u64, Refusal> {
    ask(
        device,
        &Request::SetTime { now, signature },
        |floor: &mut u64, response| match response {
            Response::TimeSet { floor: set } => *floor = set,
            other => panic!("{other:?}"),
        },
    )
}

/// What the authority says to the device's challenge.
pub(crate) fn word(authority: &TestKey, device: &mut TestDevice, now: u64) -> Vec<u8> {
    let account = info(device);
    let line = set_time_statement(&account.device, &account.challenge, now);
    SoftwareSigner::sign_message(authority.private_key(), line.as_bytes())
}

#[test]
fn the_authority_can_set_time_once_per_word() {
    for bits in [2048, 3072] {
        let authority = test_key("device-authority", bits);
        let spki = authority.spki_der();
        let mut policy = policy();
        policy.authority = Some(&spki);
        let mut device = provisioned(&policy);
        let word = |device: &mut TestDevice, now| word(&authority, device, now);
        let later = run_start() + 10 * u64::from(JUMP);
        assert!(matches!(
            sign(&mut device, fiam(later)),
            Err(Refusal::TimeAhead { .. })
        ));
        let given = word(&mut device, later);
        assert_eq!(
            set_time(&mut device, later + 1, &given),
            Err(Refusal::Authority)
        );
        assert_eq!(
            set_time(&mut device, later, &given[1..]),
            Err(Refusal::Authority)
        );
        assert_eq!(set_time(&mut device, later, &given), Ok(later));
        assert_eq!(
            set_time(&mut device, later, &given),
            Err(Refusal::Authority),
            "once"
        );
        sign(&mut device, fiam(later + 5)).expect("a token");
        // Back too, where a clock was ahead: below the policy's own floor if need be.
        let earlier = run_start() - 3_600;
        let back = word(&mut device, earlier);
        assert_eq!(set_time(&mut device, earlier, &back), Ok(earlier));
        let newest = *log::check(&mut device).last().expect("an entry");
        assert_eq!(
            (newest.event, newest.time_floor),
            (Event::TimeSet, earlier),
            "and the log says so"
        );
        let mut device = restart(&mut device);
        assert_eq!(info(&mut device).time_floor, earlier);
        sign(&mut device, fiam(earlier)).expect("a token");
    }
}

#[test]
fn without_an_authority_nobody_sets_time() {
    let mut device = provisioned(&policy());
    let refused = set_time(&mut device, run_start() + 1, &[0; 256]);
    assert_eq!(refused, Err(Refusal::Authority));
}

#[test]
fn the_button_is_demanded_and_must_move() {
    let mut policy = policy();
    policy.presence = Some(2);
    let mut device = provisioned(&policy);
    assert_eq!(
        sign(&mut device, fiam(run_start())),
        Err(Refusal::Presence),
        "no button"
    );
    let cases: [(&[bool], bool); 4] = [
        (&[false, false, true], true),
        (&[false], false),
        (&[true], false),
        (&[true, true, false, true], true),
    ];
    for (script, pressed) in cases {
        device.board().button = Some(Button::new(script));
        let before = device.board().time.millis();
        let outcome = sign(&mut device, fiam(run_start()));
        if pressed {
            outcome.expect("a token");
        } else {
            assert_eq!(outcome, Err(Refusal::Presence));
            let waited = device.board().time.millis() - before;
            assert!((2_000..2_100).contains(&waited), "{waited}");
        }
    }
    // Who waits for a person feeds the watchdog all the same.
    let (_, longest) = device.board().fed;
    assert!(longest < 1_000, "{longest} ms");
}

#[test]
fn the_led_shows_the_state() {
    let mut device = provisioned(&policy());
    device.board().time.advance(500);
    device.poll();
    assert!(device.board().lit, "steadily, when ready");
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    device.poll();
    assert!(!device.board().lit, "a flash now and then, when empty");
}

/// One provisioning with a clock 300 days ahead, and a rate of one a day that was used up: after a wipe both begin
/// again. The log and the counter of the `jti` go on.
#[test]
fn a_wipe_forgives_time_and_rate_and_nothing_else() {
    let mut ahead = policy();
    ahead.time_floor = run_start() + 300 * 86_400;
    ahead.rate = Rate {
        assertions: 1,
        seconds: 86_400,
    };
    let mut device = provisioned(&ahead);
    sign(&mut device, fiam(ahead.time_floor)).expect("a token");
    assert!(matches!(
        sign(&mut device, fiam(run_start())),
        Err(Refusal::Rate { .. })
    ));
    let before = info(&mut device);
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    let after = info(&mut device);
    assert_eq!((after.time_floor, after.counter), (0, before.counter));
    assert!(after.log_next > before.log_next);
    let mut device = restart(&mut device);
    provision(&mut device, &upload(&policy())).expect("a good upload");
    let token = sign(&mut device, fiam(run_start())).expect("a token");
    let jti = claim(&token, "jti");
    let number = jti.as_str().and_then(|jti| jti.split('-').nth(1));
    assert_eq!(number, Some("2"), "{jti}");
    log::check(&mut device);
}

/// Such a device would never sign.
#[test]
fn a_floor_past_the_end_of_the_leaf_is_refused() {
    let mut policy = policy();
    policy.time_floor = run_start() + 3 * 366 * 86_400;
    let refused = provision(&mut empty(), &upload(&policy));
    assert_eq!(
        refused,
        Err(Refusal::Part {
            part: Part::Policy,
            fault: PartFault::Rule
        })
    );
}
