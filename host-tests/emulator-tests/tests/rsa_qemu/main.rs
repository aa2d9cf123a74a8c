//! RSA signatures alone, on a Cortex-M4 in an emulator: right, counted, and without a trace.

mod report;
mod way;

use std::env;
use std::io::{Write as _, stdout};
use std::thread;
use std::time::Duration;

use privyseal_test_base::tool::{command, run_within};
use privyseal_test_simulators::firmware;

use report::{Kernels, Report};

/// Of each image; keys that it generates come on top.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the image with either kind of kernels, shows the numbers and judges them.
#[test]
fn signatures_are_right_counted_and_leave_nothing() {
    let reports = thread::scope(|scope| {
        let runs = Kernels::ALL.map(|kernels| scope.spawn(move || count(kernels)));
        runs.map(|run| run.join().expect("no panic"))
    });
    // Past what holds back the output of tests that pass.
    let shown = writeln!(stdout(), "{}", report::shown(&reports));
    shown.expect("a standard output");
    let broken: Vec<_> = reports.iter().flat_map(Report::broken_rules).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn count(kernels: Kernels) -> Report {
    let image = firmware::image(&format!("bench-{}", kernels.name()));
    // One instruction is 2^7 ns of the board's time: the image's timer is built on that.
    let mut emulator = command(
        "qemu-system-arm",
        "-machine mps2-an386 -icount shift=7 -nographic -monitor none -serial none \
         -semihosting-config enable=on,target=native -kernel"
            .split(' '),
    );
    // As many keys of each size as the image was built to generate.
    let keys = env::var("PRIVYSEAL_BENCH_KEYS").ok();
    let keys = keys.and_then(|keys| keys.parse().ok()).unwrap_or(1);
    let said = run_within(LIMIT * (1 + keys), emulator.arg(image));
    let report = Report::read(kernels, &String::from_utf8_lossy(&said));
    report.unwrap_or_else(|stopped| panic!("{stopped}"))
}
