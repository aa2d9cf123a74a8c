//! `check` over any token: no panic, and every rule has a verdict.
//!
//! A fuzzer does not find base64 of JSON, so the input is a header and a payload with a zero byte between
//! them; without one it is a token as it is.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding as _};
use libfuzzer_sys::fuzz_target;
use privyseal_check::{CheckOptions, RuleId, check};
use privyseal_core::UnixTime;
use privyseal_core::cert::RsaLinks;
use privyseal_core::scheme;

fuzz_target!(|data: &[u8]| {
    let token = match data.iter().position(|&byte| byte == 0) {
        Some(end) => format!(
            "{}.{}.AAAA",
            Base64UrlUnpadded::encode_string(&data[..end]),
            Base64UrlUnpadded::encode_string(&data[end + 1..])
        ),
        None => String::from_utf8_lossy(data).into_owned(),
    };
    let now = UnixTime::from_secs(1_780_272_000).expect("a moment");
    let mut scratch = vec![0; 3 * token.len()];
    for scheme in scheme::ALL.iter().map(|scheme| Some(scheme.rules())).chain([None]) {
        let question = CheckOptions {
            scheme,
            ..CheckOptions::at(now, &RsaLinks)
        };
        let report = check(&token, &question, &mut scratch);
        assert!(report.verdict(RuleId::JwsForm).is_some());
        assert!(
            report
                .findings()
                .is_sorted_by(|one, next| one.rule < next.rule),
            "each rule once, in order"
        );
        for finding in report.findings() {
            let _ = format!("{:?}", finding.verdict);
        }
    }
});
