//! The requests of the campaign.

use std::env;

use heapless::Vec as Bounded;
use privyseal_core::payload::AuthorizationRequest;
use privyseal_protocol::{
    Content, CsrRequest, Generate, MAX_BEHIND_SECONDS, Part, Provision, Request, SignRequest,
    Totals, UnlockSecret,
};
use privyseal_test_base::clock::run_start;

use super::POINTS;
use crate::stage::{ISSUER, Party, SERVED};

/// The policy allows authentication requests and no authorization requests.
pub(super) const FORBIDDEN: Content<'static> = Content::Authorization(AuthorizationRequest {
    redirect_uri: "https://app.example/cb",
    scope: "openid",
    state: "s",
    nonce: "n",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    prompt: None,
    login_hint: None,
    max_age: None,
});

/// A request, and what may become of it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) request: Request<'static>,
    /// Whether a token may leave.
    pub(super) is_allowed: bool,
}

/// A request after which no token may leave.
fn refused(name: &'static str, request: Request<'static>) -> Case {
    Case {
        name,
        request,
        is_allowed: false,
    }
}

/// Of a device that is ready.
pub(super) fn cases(party: &Party) -> Vec<Case> {
    // It would come out, if the policy were another one.
    let ciphertext = party.wrapped("sha256", &[7; 32]).leak();
    let (scheme, _, audience) = SERVED[2];
    let now = run_start() + 60;
    let good = SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, now)
    };
    let sign = |name, request| refused(name, Request::Sign(request));
    let read = |name, part, offset| refused(name, Request::Read { part, offset });
    let mut cases = vec![
        read("read-key", Part::Key, 0),
        read("read-seed", Part::Seed, 0),
        read("read-policy-far", Part::Policy, u16::MAX),
        read("read-chain-far", Part::Chain, 61_000),
        read("read-public-key-far", Part::PublicKey, 700),
        sign(
            "sign-audience",
            SignRequest {
                // As long as one that is allowed.
                audience: Some("https://idp.e2e.itsme.services/v3/token"),
                ..good
            },
        ),
        sign(
            "sign-ahead",
            SignRequest {
                now: now + 400 * 86_400,
                ..good
            },
        ),
        sign(
            "sign-back",
            SignRequest {
                now: run_start() - MAX_BEHIND_SECONDS - 1,
                ..good
            },
        ),
        sign(
            "sign-lifetime",
            SignRequest {
                lifetime: Some(500),
                ..good
            },
        ),
        refused(
            "sign-composed",
            Request::SignComposed(SignRequest {
                audience: Some(ISSUER),
                ..good
            }),
        ),
        refused("unwrap", Request::Unwrap { ciphertext }),
        refused("info", Request::Info),
        // Longer than what a socket holds.
        read("read-chain", Part::Chain, 0),
    ];
    cases.extend(changes(now));
    if env::var_os(POINTS).is_some() {
        cases.push(refused("log", Request::Log { from: 0, max: 4 }));
        cases.push(Case {
            is_allowed: true,
            ..sign("sign", good)
        });
    }
    cases
}

/// Those that would make another device of it.
fn changes(now: u64) -> [Case; 7] {
    let totals = Totals {
        key: 1_200,
        policy: 300,
        chain: 3_000,
        ..Totals::default()
    };
    let born = Generate {
        bits: 2048,
        board_entropy: false,
        seed: &[0x55; 32],
        unlock: None,
    };
    let asked = CsrRequest {
        subject: Bounded::new(),
        digital_signature: true,
        non_repudiation: false,
    };
    // Behind a beginning that has not come.
    let update = Request::Update {
        offset: 4_096,
        bytes: &[0x55; 64],
    };
    [
        refused(
            "set-time",
            Request::SetTime {
                now: now + 400 * 86_400,
                signature: &[0x55; 256],
            },
        ),
        refused(
            "renew",
            Request::Renew {
                policy: [0x55; 32],
                signature: &[0x55; 256],
            },
        ),
        refused("provision", Request::Provision(Provision::Begin(totals))),
        refused("wipe", Request::Wipe { device: [0x55; 12] }),
        refused("generate", Request::Generate(born)),
        refused("csr", Request::Csr(asked)),
        refused("update", update),
    ]
}

/// Of one whose key unwraps: it signs nothing.
pub(super) fn unwrapping_cases(party: &Party) -> Vec<Case> {
    // Names of their own, since reports have them.
    let of_signing = [
        ("sign-audience", "unwraps-sign-audience"),
        ("sign-composed", "unwraps-sign-composed"),
        ("read-key", "unwraps-read-key"),
    ];
    let named = |case: Case| {
        let (_, name) = of_signing.iter().find(|(name, _)| *name == case.name)?;
        Some(Case { name, ..case })
    };
    cases(party).into_iter().filter_map(named).collect()
}

/// Of one that is locked.
pub(super) fn locked_cases() -> Vec<Case> {
    let (scheme, _, audience) = SERVED[2];
    let good = SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, run_start() + 60)
    };
    vec![
        refused("locked-sign", Request::Sign(good)),
        refused("locked-unlock", Request::Unlock(UnlockSecret([0x5a; 32]))),
    ]
}
