//! Revocation: asked of the one who has the lists, for every certificate but the root.

use privyseal_check::{Reason, Revocations, RuleId, Verdict, Violation};
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::scheme;

use crate::draft::Draft;
use crate::pki::{NOW, seal_chain};

/// Says something of one certificate of the usual chain, and that the others are good.
struct Says(usize, Verdict);

impl Revocations for Says {
    fn status(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict {
        let place = |certificate: &Certificate<'_>| {
            let found = seal_chain()
                .iter()
                .position(|der| der == certificate.as_der());
            found.expect("a certificate of the chain")
        };
        assert_eq!(
            place(issuer),
            place(certificate) + 1,
            "each with its issuer"
        );
        assert!(place(certificate) < 3, "nobody asks for the root");
        if place(certificate) == self.0 {
            self.1
        } else {
            Verdict::Passed
        }
    }
}

fn verdict(says: &'static Says) -> (Option<Verdict>, Vec<&'static str>) {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.revocations = Some(says);
    (draft.report().verdict(RuleId::Revocation), draft.broken())
}

#[test]
fn every_certificate_but_the_root_is_asked_for() {
    static GOOD: Says = Says(9, Verdict::Passed);
    assert_eq!(verdict(&GOOD), (Some(Verdict::Passed), vec![]));

    const UNKNOWN: Verdict = Verdict::NotChecked(Reason::Because("no list"));
    static ONE_UNKNOWN: Says = Says(1, UNKNOWN);
    assert_eq!(verdict(&ONE_UNKNOWN), (Some(UNKNOWN), vec![]));

    let since = UnixTime::from_secs(NOW).unwrap();
    let revoked = Verdict::Broken(Violation::Revoked { since });
    let says: &'static Says = Box::leak(Box::new(Says(2, revoked)));
    assert_eq!(verdict(says), (Some(revoked), vec!["revocation"]));
}

/// Who issued the last certificate is not there to be asked.
#[test]
fn below_its_root_a_chain_is_not_judged_whole() {
    static GOOD: Says = Says(9, Verdict::Passed);
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.revocations = Some(&GOOD);
    draft.certificates(&seal_chain()[..3]);
    let verdict = draft.report().verdict(RuleId::Revocation);
    assert!(
        matches!(verdict, Some(Verdict::NotChecked(_))),
        "{verdict:?}"
    );
}
