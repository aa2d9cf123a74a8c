//! A report of every rule of an assertion, with what the registry says.

use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::report::{TokenCheckOptions, TokenReport};
use privyseal_check::{RuleId, Verdict};
use privyseal_core::Audience;
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::judge_assertion;
use privyseal_test_servers::ishare_server::Config;
use serde_json::json;

use crate::stage::{PROVIDER, World, now};

fn judged(world: &World, config: Config, token: &str, lists: &[Crl]) -> TokenReport {
    let mut options = TokenCheckOptions::at(now());
    options.audience = Some(Audience::new(PROVIDER).unwrap());
    if !lists.is_empty() {
        options.revocation = RevocationOptions::files(lists);
    }
    judge_assertion(token, &ISHARE, options, &world.told(config)).unwrap()
}

fn passes(report: &TokenReport) -> bool {
    [RuleId::ChainTrusted, RuleId::PartyStatus]
        .iter()
        .all(|rule| report.report.verdict(*rule) == Some(Verdict::Passed))
}

#[test]
fn the_registry_is_asked_about_what_breaks_no_rule_but_revocation() {
    let world = World::new();
    let judged = |token: &str, lists: &[Crl]| judged(&world, world.honest(), token, lists);
    let good = world.assertion();
    let report = judged(&good, &[]);
    assert!(passes(&report) && report.broken() == 0, "{report}");
    let list = world.pki.issuing.revocation_list(&[&world.chain[0]]);
    let revoked = judged(&good, &Crl::from_bytes(&list).unwrap());
    assert!(passes(&revoked) && revoked.broken() == 1, "{revoked}");
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let for_another = world.with_claims(|claims| claims["aud"] = json!("EU.EORI.NL000000009"));
    for bad in [forged, for_another] {
        let report = judged(&bad, &[]);
        assert!(!passes(&report), "{report}");
    }
}

#[test]
fn a_report_says_why_the_trusted_list_does_not_vouch() {
    let world = World::new();
    for (member, value, words) in [
        ("certificate_fingerprint", "00", "no CA that is on"),
        ("validity", "invalid", "calls not valid"),
        ("status", "withdrawn", "calls not granted"),
        ("subject", "CN=Another", "under another name"),
    ] {
        let mut config = world.honest();
        for entry in &mut config.trusted_list {
            entry[member] = json!(value);
        }
        let report = judged(&world, config, &world.assertion(), &[]).to_string();
        assert!(report.contains(words), "{report}");
    }
}
