//! Without a key: all modules of the machine.

use privyseal::UnixTime;
use privyseal::report::Verdict;

use super::DoctorReport;
use crate::scan::Scanned;

/// What there is on this machine. A module that cannot be used is trouble where no other has a token: many are installed
/// without their hardware.
pub(in crate::doctor) fn examine_modules(modules: &[Scanned], now: UnixTime) -> DoctorReport {
    let mut report = DoctorReport::at(now);
    let has_token = modules.iter().any(|it| it.report["tokens"][0].is_object());
    for module in modules {
        let name = &module.name;
        if let Some(library) = module.report["library"].as_str() {
            report.add("modules", Verdict::Passed, format!("{name}: {library}"));
        }
        for error in module.report["errors"].as_array().into_iter().flatten() {
            let text = format!("{name}: {}", error.as_str().unwrap_or_default());
            if has_token {
                report.add("modules", Verdict::Note, text);
            } else {
                report.token_trouble("modules", text);
            }
        }
        for token in module.report["tokens"].as_array().into_iter().flatten() {
            let uri = token["uri"].as_str().unwrap_or_default();
            report.add("modules", Verdict::Note, uri);
            report.next.push(format!(
                "look at it with its PIN: privyseal keys --key '{uri}'"
            ));
        }
    }
    if report.next.is_empty() {
        let text = "no module has an initialized token: put one in, or initialize one";
        report.next.push(text.to_owned());
    }
    report
}
