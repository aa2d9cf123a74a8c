//! Every fault, in every call of the signing sequence, early, in the middle and after a healed one.
//!
//! The matrix is generated ([`matrix`]); each cell runs in a child process ([`cell`]) that the parent
//! watches over, against SoftHSM or the token that `TEST_PKCS11_MODULE` names, behind the fault shim.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cell;
mod judge;
mod matrix;
mod report;
mod subject;

use std::time::Duration;

use privyseal_host_tests::fault_shim::FaultShim;
use privyseal_host_tests::own_process::{OwnProcess, is_child};
use privyseal_host_tests::target::Target;

use crate::matrix::Cell;
use crate::report::Report;

const NAME: &str = "no_fault_lets_anything_wrong_out";

/// The cells that a child runs, as numbers.
const CELLS: &str = "PRIVYSEAL_TEST_FAULT_CELLS";

/// What the fault shim writes is in here.
const DIR: &str = "PRIVYSEAL_TEST_FAULT_DIR";

/// Far longer than a cell takes on a busy machine: who is silent that long is in a deadlock.
const WATCHDOG: Duration = Duration::from_secs(30);

#[test]
fn no_fault_lets_anything_wrong_out() {
    if is_child(NAME) {
        return cell::run_all();
    }
    FaultShim::module();
    let targets = targets();
    let batches = matrix::batches(&matrix::cells());
    let report = Report::default();
    std::thread::scope(|scope| {
        for (worker, target) in targets.iter().enumerate() {
            let (batches, report, workers) = (&batches, &report, targets.len());
            scope.spawn(move || {
                for batch in batches.iter().skip(worker).step_by(workers) {
                    run_batch(target, batch, report);
                }
            });
        }
    });
    report.finish(batches.iter().map(Vec::len).sum());
}

/// One token for each child at a time. Two processes that log in to one SoftHSM token disturb each other:
/// a login writes to the token, and whoever reads it meanwhile gets `CKR_GENERAL_ERROR`.
fn targets() -> Vec<Target> {
    match Target::from_environment() {
        Some(yours) => vec![yours],
        None => vec![Target::softhsm(), Target::softhsm()],
    }
}

/// Runs cells in one child after another: the cell in which a child dies or hangs has failed, and the
/// next child goes on after it.
fn run_batch(target: &Target, batch: &[usize], report: &Report) {
    let cells = matrix::cells();
    let mut rest = batch;
    while !rest.is_empty() {
        let dir = tempfile::tempdir_in(privyseal_host_tests::scratch::cache_dir("tmp"))
            .expect("target/ can be written");
        let numbers: Vec<String> = rest.iter().map(usize::to_string).collect();
        let mut done = 0;
        let ended = OwnProcess::new(NAME)
            .environment(target.environment())
            .environment(FaultShim::new(dir.path()).environment(target.module()))
            .environment([
                (CELLS.into(), numbers.join(",").into()),
                (DIR.into(), dir.path().into()),
            ])
            .silence(WATCHDOG)
            .run(|line| {
                report.add(&cells[rest[done]], line);
                done += 1;
            });
        if done < rest.len() {
            let how = if ended.hung {
                "hung"
            } else {
                "ended its process"
            };
            report.add(
                &cells[rest[done]],
                &format!("FAILED {how}: {}", ended.output),
            );
            done += 1;
        }
        rest = &rest[done..];
    }
}

/// The cells that this child is to run.
fn cells_of_this_child() -> Vec<Cell> {
    let cells = matrix::cells();
    let numbers = std::env::var(CELLS).expect("set by the parent");
    numbers
        .split(',')
        .map(|number| cells[number.parse::<usize>().expect("set by the parent")].clone())
        .collect()
}
