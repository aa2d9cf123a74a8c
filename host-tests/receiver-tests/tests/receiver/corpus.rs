//! The conformance corpus: made by `python/corpus.py`, which shares no code with the product, and judged by it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Encoding as _};
use privyseal::pki::crl::Crl;
use privyseal::pki::links::HostLinks;
use privyseal::schemes::ishare::{
    Expected, IshareError, Party, PartyFault, PartyQuery, ResponseFault, TrustedList,
};
use privyseal::{Certificates, UnixTime};
use privyseal_check::{CheckOptions, check};
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::replay::MemoryStore;
use privyseal_receiver::{Receiver, RegistrySource, Revocation, TokenForm};
use privyseal_test_base::scratch::{cache_dir, host_tests};
use privyseal_test_base::tool::run;
use privyseal_test_judges::python;
use serde_json::{Map, Value};

/// What the registry of a case says, as signed tokens.
#[derive(Debug)]
struct Told {
    says: Value,
    registry_id: String,
    audience: String,
    trust: Certificates,
    now: UnixTime,
}

impl Told {
    fn claims(&self, name: &'static str) -> Result<Map<String, Value>, IshareError> {
        let token = self.says[name].as_str().ok_or(PartyFault::Unknown)?;
        let expected = Expected::new(&self.registry_id, &self.audience, &self.trust);
        let claims = expected.claims(token, self.now);
        claims.map_err(|fault| IshareError::Response { name, fault })
    }
}

impl RegistrySource for Told {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        let name = "trusted_list_token";
        let list = TrustedList::from_claims(&self.claims(name)?);
        list.map_err(|fault: ResponseFault| IshareError::Response { name, fault })
    }

    fn party(&self, _query: PartyQuery<'_>) -> Result<Party, IshareError> {
        Ok(Party::from_claims(&self.claims("party_token")?)?)
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn receiver(corpus: &Value, case: &Value) -> Receiver {
    let root = Base64::decode_vec(text(corpus, "registry_trust")).unwrap();
    let number = usize::try_from(case["registry"].as_u64().unwrap()).unwrap();
    let told = Told {
        says: corpus["registries"][number].clone(),
        registry_id: text(corpus, "registry_id").to_owned(),
        audience: text(corpus, "audience").to_owned(),
        trust: Certificates::from(vec![root]),
        now: now(case),
    };
    let lists = case["crls"].as_array().into_iter().flatten();
    let lists = lists.flat_map(|list| {
        let list = Base64::decode_vec(list.as_str().unwrap()).unwrap();
        Crl::from_bytes(&list).unwrap()
    });
    Receiver::builder(&ISHARE)
        .replay(Arc::new(MemoryStore::new(1000)))
        .audience(text(corpus, "audience"))
        .registry(told)
        .revocation(Revocation::by_lists(lists.collect()))
        .leeway(corpus["leeway"].as_u64().unwrap())
        .build()
        .unwrap()
}

fn now(case: &Value) -> UnixTime {
    UnixTime::from_secs(case["now"].as_u64().unwrap()).unwrap()
}

/// `None` if it is accepted, else the rule.
fn verdict(corpus: &Value, case: &Value) -> Option<String> {
    let receiver = receiver(corpus, case);
    let form = |assertion: &str| {
        let form = TokenForm::of_assertion(assertion);
        match case["client_id"].as_str() {
            Some(client_id) => form.client_id(client_id),
            None => form,
        }
    };
    if let Some(before) = case["presented_before"].as_str() {
        let _ = receiver.accept_at(&form(before), now(case));
    }
    let accepted = receiver.accept_at(&form(text(case, "client_assertion")), now(case));
    accepted
        .err()
        .map(|rejection| rejection.rule().name().to_owned())
}

/// The rules that an assertion of iSHARE can break, and that no case breaks.
fn rules_without_a_case(cases: &[Value]) -> Vec<&'static str> {
    let good = cases.iter().find(|case| case["accept"] == true).unwrap();
    let mut options = CheckOptions::at(now(good), &HostLinks);
    options.scheme = Some(&ISHARE);
    let token = text(good, "client_assertion");
    let report = check(token, &options, &mut vec![0; 3 * token.len()]);
    let names = report.findings().iter().map(|finding| finding.rule.name());
    let is_broken = |name: &&str| cases.iter().any(|case| case["rule"] == **name);
    names.filter(|name| !is_broken(name)).collect()
}

#[test]
fn every_case_of_the_corpus_is_judged_as_it_says() {
    let file = cache_dir("corpus").join("ishare.json");
    run(Command::new(python::interpreter())
        .arg(host_tests("python/corpus.py"))
        .arg(&file));
    let corpus: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let cases = corpus["cases"].as_array().unwrap();
    assert!(cases.len() >= 200, "{}", cases.len());
    assert_eq!(rules_without_a_case(cases), [""; 0]);
    let wrong = Arc::new(Mutex::new(BTreeMap::new()));
    let half = cases.len().div_ceil(2);
    std::thread::scope(|scope| {
        for part in cases.chunks(half) {
            let (wrong, corpus) = (Arc::clone(&wrong), &corpus);
            scope.spawn(move || {
                for case in part {
                    let (said, expected) = (verdict(corpus, case), case["rule"].as_str());
                    if said.as_deref() != expected {
                        let difference = format!("{said:?}, not {expected:?}");
                        wrong
                            .lock()
                            .unwrap()
                            .insert(text(case, "name").to_owned(), difference);
                    }
                }
            });
        }
    });
    let wrong = wrong.lock().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        cases.len()
    );
}
