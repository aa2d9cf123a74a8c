//! The steps for a gateway. It is asked for no signature: each takes a place in its log and its rate.

use privyseal::report::Verdict;
use privyseal_gateway::DeviceKey;
use privyseal_protocol::MAX_BEHIND_SECONDS;

use super::{DoctorOptions, DoctorReport, chain};

const NAME: &str = "device";

pub(super) fn look(report: &mut DoctorReport, options: DoctorOptions<'_>, key: &DeviceKey) {
    let info = key.info();
    let text = format!(
        "device {} answers, firmware {}, and is {}",
        info.device_id(),
        info.firmware,
        info.state
    );
    if key.is_ready() {
        report.add(NAME, Verdict::Passed, text);
    } else {
        report.add(NAME, Verdict::Broken, text);
        report
            .next
            .push("read its log: privyseal device log".to_owned());
    }
    time(report, options, key);
    if info.rate_left == 0 {
        report.add(NAME, Verdict::Note, "its rate limit is reached now");
    }
    policy(report, options, key);
    if !key.certificates().is_empty() || options.chain.file.is_some() {
        chain(report, options.chain, Some(key.public_key()), || {
            Ok(key.certificates().to_vec().into())
        });
    }
    report.add(
        "test signature",
        Verdict::Note,
        "none was made: it would stand in the device's log and count in its rate",
    );
}

fn time(report: &mut DoctorReport, options: DoctorOptions<'_>, key: &DeviceKey) {
    let info = key.info();
    let now = options.chain.now.as_secs();
    if now.saturating_add(MAX_BEHIND_SECONDS) < info.time_floor {
        let text =
            "its time floor is later than this clock: that clock is behind, or one was ahead";
        report.add(NAME, Verdict::Broken, text);
        report
            .next
            .push("set this machine's clock (timedatectl set-ntp true)".to_owned());
    } else if now > info.time_ceiling {
        let text = "it does not believe this clock without its provisioning authority's word";
        report.add(NAME, Verdict::Broken, text);
        let next = match key.policy() {
            Ok(policy) if policy.authority.is_none() => {
                "its policy has no authority who could set its time: sign for its time ceiling (sign --now), start it again, \
                 and so on; or wipe it and provision it again"
            }
            _ => "have the time set: privyseal device set-time",
        };
        report.next.push(next.to_owned());
    } else {
        report.add(NAME, Verdict::Passed, "it believes this clock");
    }
}

fn policy(report: &mut DoctorReport, options: DoctorOptions<'_>, key: &DeviceKey) {
    let policy = match key.policy() {
        Ok(policy) => policy,
        Err(error) => return report.broke(NAME, &error.into()),
    };
    for entry in &policy.schemes {
        let text = format!(
            "it serves {} as {}",
            entry.scheme.rules().name(),
            entry.client_id.escape_default()
        );
        report.add(NAME, Verdict::Note, text);
    }
    let Some(scheme) = options.chain.scheme else {
        return;
    };
    if !policy.schemes.iter().any(|it| it.scheme.serves(scheme)) {
        let text = format!("its policy does not have {}", scheme.name());
        report.add(NAME, Verdict::Broken, text);
        report.next.push(
            "provision a device for this scheme: a policy is locked in with the key".to_owned(),
        );
    }
}
