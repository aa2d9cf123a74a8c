//! A registry: asked whom it trusts, and whether the party of the token is active with that leaf.

use privyseal_check::{CheckOptions, Registry, RuleId, Verdict, Violation, check};
use privyseal_core::cert::{Certificate, Chain, RsaLinks};
use privyseal_core::limits::MAX_CHECK_SCRATCH;
use privyseal_core::{UnixTime, scheme};

use crate::draft::{DID, Draft, broken};
use crate::pki::{NOW, seal_chain};

/// Trusts the usual chain, and knows its party as one that left.
struct Left;

const INACTIVE: Verdict = Verdict::Broken(Violation::Text("is not active"));

impl Registry for Left {
    fn trusts(&self, chain: &Chain<'_>) -> Verdict {
        assert_eq!(chain.certificates().len(), seal_chain().len());
        Verdict::Passed
    }

    fn party(&self, client_id: &str, leaf: &Certificate<'_>) -> Verdict {
        assert_eq!((client_id, leaf.as_der()), (DID, &*seal_chain()[0]));
        INACTIVE
    }
}

#[test]
fn party_status() {
    let options = CheckOptions {
        scheme: Some(scheme::ISHARE.rules()),
        registry: Some(&Left),
        ..CheckOptions::at(UnixTime::from_secs(NOW).unwrap(), &RsaLinks)
    };
    let judge = |draft: &Draft| check(&draft.token(), &options, &mut vec![0; MAX_CHECK_SCRATCH]);
    let mut draft = Draft::of(&scheme::ISHARE);
    let report = judge(&draft);
    assert_eq!(report.verdict(RuleId::PartyStatus), Some(INACTIVE));
    assert_eq!(report.verdict(RuleId::ChainTrusted), Some(Verdict::Passed));
    assert_eq!(broken(&report), ["party-status"]);
    draft.without("iss");
    assert_eq!(broken(&judge(&draft)), ["claim-iss"], "no party to ask for");
}
