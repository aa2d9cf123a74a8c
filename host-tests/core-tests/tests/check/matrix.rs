//! Every combination of scheme, header form, client id, key usage, key size, lifetime and audience: emission
//! refuses the wrong ones, each for the right reason.
//!
//! What is right is said a second time here, as a table that shares nothing with the core's rules.

use privyseal_core::cert::{Chain, ChainError, ProvenChain, RsaLinks};
use privyseal_core::field::Field;
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Error, Jti, Scheme, UnixTime, scheme,
};
use privyseal_test_pki::{CertificateSpec, Usage, test_key};

use crate::draft::{DID, EORI, KID, OPAQUE, REALM, SERVER};
use crate::pki::{NOW, key, pki, seal};

const IDS: [&str; 5] = [
    EORI,
    DID,
    "did:ishare:EU.NL.NTRNL-87654321",
    "EU.EORI.KVK123456",
    OPAQUE,
];
const USAGES: [Option<&[Usage]>; 4] = [
    Some(&[Usage::NonRepudiation]),
    Some(&[Usage::DigitalSignature]),
    Some(&[Usage::KeyEncipherment]),
    None,
];
const BITS: [usize; 2] = [2048, 1024];
const LIFETIMES: [Option<u64>; 7] = [
    None,
    Some(0),
    Some(30),
    Some(31),
    Some(60),
    Some(61),
    Some(601),
];
const AUDIENCES: [Option<&str>; 7] = [
    None,
    Some(SERVER),
    Some(DID),
    Some("https://idp.prd.itsme.services/v2/token"),
    Some(REALM),
    Some("https://api.ehealth.fgov.be/auth/auth/realms/M2M"),
    Some("http://idp.prd.itsme.services/v2/token"),
];

/// Why a combination is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    HeaderForm,
    ClientId,
    KeyUsage,
    KeySize,
    Lifetime,
    Audience,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    X5c,
    Kid,
}

/// What must come of a credential.
fn credential_refusal(
    scheme: &str,
    form: Form,
    id: usize,
    usage: usize,
    bits: usize,
) -> Option<Refusal> {
    let wanted = if matches!(scheme, "itsme" | "ehealth") {
        Form::Kid
    } else {
        Form::X5c
    };
    let syntax: &[usize] = match scheme {
        "fiam" | "ishare-1" => &[0],
        "ishare" => &[0, 1, 2],
        _ => &[0, 1, 2, 3, 4],
    };
    if form != wanted {
        Some(Refusal::HeaderForm)
    } else if !syntax.contains(&id) {
        Some(Refusal::ClientId)
    } else if form == Form::X5c && usage > usize::from(scheme != "ishare") {
        Some(Refusal::KeyUsage)
    } else if scheme == "ishare" && id == 2 {
        Some(Refusal::ClientId) // The leaf is another organisation's.
    } else {
        (form == Form::X5c && bits < 2048).then_some(Refusal::KeySize)
    }
}

/// What must come of an assertion of a good credential.
fn assertion_refusal(scheme: &str, lifetime: Option<u64>, audience: usize) -> Option<Refusal> {
    let lives = match (scheme, lifetime) {
        (_, None) => true,
        ("itsme", Some(seconds)) => (1..=600).contains(&seconds),
        ("ehealth", Some(seconds)) => (1..=60).contains(&seconds),
        (_, Some(seconds)) => seconds == 30,
    };
    let audiences: &[usize] = match scheme {
        "fiam" => &[0, 1],
        "ishare-1" => &[1],
        "ishare" => &[1, 2],
        "itsme" => &[3, 4, 5], // any https URL
        _ => &[4],
    };
    if !lives {
        return Some(Refusal::Lifetime);
    }
    (!audiences.contains(&audience)).then_some(Refusal::Audience)
}

fn reason(error: Error) -> Refusal {
    match error {
        Error::Field(error) => match error.field {
            Field::Kid | Field::X5c => Refusal::HeaderForm,
            Field::ClientId => Refusal::ClientId,
            Field::Lifetime => Refusal::Lifetime,
            Field::Audience => Refusal::Audience,
            other => panic!("{other} is no reason of this matrix"),
        },
        Error::Chain(ChainError::LeafKeyUsage { .. }) => Refusal::KeyUsage,
        Error::Chain(ChainError::Key { position: 0, .. }) => Refusal::KeySize,
        other => panic!("{other} is no reason of this matrix"),
    }
}

fn make(
    scheme: &'static Scheme,
    form: Form,
    id: &str,
    chain: &ProvenChain<'_>,
) -> Result<Credential<Vec<u8>>, Error> {
    let (id, key, buffer) = (ClientId::new(id)?, key().public_key(), vec![0; MAX_HEADER]);
    match form {
        Form::X5c => Credential::new(scheme, id, chain, &key, buffer),
        Form::Kid => Credential::with_kid(scheme, id, Kid::new(KID)?, &key, buffer),
    }
}

#[test]
fn every_combination() {
    let mut good = 0;
    let mut combinations = 0;
    for (usage, usages) in USAGES.iter().enumerate() {
        for bits in BITS {
            let spec = CertificateSpec {
                key_usage: usages.map(<[_]>::to_vec),
                ..seal()
            };
            let spki = if bits == 2048 {
                key().spki_der()
            } else {
                test_key("small", bits).spki_der()
            };
            let ders = pki().chain(&spki, &spec);
            let ders: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
            let chain = Chain::order(&ders).unwrap().prove(&RsaLinks).unwrap();
            for scheme in scheme::ALL {
                for form in [Form::X5c, Form::Kid] {
                    for (id, text) in IDS.iter().enumerate() {
                        let made = make(scheme, form, text, &chain);
                        let expected = credential_refusal(scheme.name(), form, id, usage, bits);
                        let name = format!("{} {form:?} {text} {usages:?} {bits}", scheme.name());
                        combinations += LIFETIMES.len() * AUDIENCES.len();
                        match made {
                            Ok(credential) => {
                                assert_eq!(expected, None, "{name}");
                                good += assertions(&credential, &name);
                            }
                            Err(error) => {
                                assert_eq!(Some(reason(error)), expected, "{name}: {error}");
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 19_600);
    assert!(good > 100, "{good} combinations are good");
}

/// How many assertions are good; those that are not are refused for the right reason.
fn assertions(credential: &Credential<Vec<u8>>, name: &str) -> usize {
    let mut good = 0;
    for lifetime in LIFETIMES {
        for (place, audience) in AUDIENCES.iter().enumerate() {
            let request = AssertionRequest {
                audience: audience.map(|text| Audience::new(text).unwrap()),
                lifetime,
                ..AssertionRequest::new(UnixTime::from_secs(NOW).unwrap(), Jti::new("j").unwrap())
            };
            let expected = assertion_refusal(credential.scheme().name(), lifetime, place);
            let refused = credential.prepare(&request).err().map(reason);
            assert_eq!(refused, expected, "{name} {lifetime:?} {audience:?}");
            good += usize::from(expected.is_none());
        }
    }
    good
}
