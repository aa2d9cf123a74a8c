//! Every fault, in every call of the signing sequence, early, in the middle and after a healed one.
//!
//! The matrix is generated ([`matrix`]); each cell runs in a child process ([`cell`]) that the parent
//! watches over, against SoftHSM and kryoptic, or the token that `TEST_PKCS11_MODULE` names, behind the fault
//! shim.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used)]

mod cell;
mod judge;
mod matrix;
mod report;
mod subject;

use std::ffi::OsString;
use std::time::Duration;

use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::target::{Kind, Target};

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
    let cells = matrix::cells();
    let fleets = fleets();
    std::thread::scope(|scope| {
        for fleet in &fleets {
            let batches = matrix::batches(&cells, |cell| fleet.runs(cell));
            for (worker, target) in fleet.targets.iter().enumerate() {
                let own = batches.iter().skip(worker).step_by(fleet.targets.len());
                let own: Vec<_> = own.cloned().collect();
                let cells = &cells;
                scope.spawn(move || {
                    for batch in own {
                        fleet.run_batch(target, cells, &batch);
                    }
                });
            }
        }
    });
    for fleet in fleets {
        let expected = cells.iter().filter(|cell| fleet.runs(cell)).count();
        fleet.report.finish(fleet.token, expected, fleet.yours);
    }
}

/// Tokens of one vendor. One for each child at a time: two processes that log in to one SoftHSM token disturb
/// each other (a login writes to the token, and a process that reads it meanwhile gets `CKR_GENERAL_ERROR`).
struct Fleet {
    token: &'static str,
    targets: Vec<Target>,
    /// It is of no kind that is known.
    yours: bool,
    report: Report,
}

fn fleets() -> Vec<Fleet> {
    let fleet = |token, targets| Fleet {
        token,
        targets,
        yours: false,
        report: Report::default(),
    };
    match Target::from_environment() {
        Some(yours) => vec![Fleet {
            yours: true,
            ..fleet("your token", vec![yours])
        }],
        None => vec![
            fleet("SoftHSM", vec![Target::softhsm(), Target::softhsm()]),
            fleet("kryoptic", vec![Target::kryoptic(), Target::kryoptic()]),
        ],
    }
}

impl Fleet {
    /// Your key is of one kind, and takes the place of the plain one.
    fn runs(&self, cell: &Cell) -> bool {
        !self.yours || cell.kind == Kind::Plain || cell.of_use
    }

    fn environment(&self, target: &Target, cell: &Cell) -> Vec<(String, OsString)> {
        if self.yours {
            target.environment()
        } else {
            target.environment_for(cell.kind)
        }
    }

    /// Runs cells in one child after another: the cell in which a child dies or hangs has failed, and the
    /// next child goes on after it.
    fn run_batch(&self, target: &Target, cells: &[Cell], batch: &[usize]) {
        let mut rest = batch;
        while !rest.is_empty() {
            let dir = tempfile::tempdir_in(privyseal_test_base::scratch::cache_dir("tmp"))
                .expect("target/ can be written");
            let numbers: Vec<String> = rest.iter().map(usize::to_string).collect();
            let mut done = 0;
            let ended = OwnProcess::new(NAME)
                .environment(self.environment(target, &cells[rest[0]]))
                .environment(FaultShim::new(dir.path()).environment(target.module()))
                .environment([
                    (CELLS.into(), numbers.join(",").into()),
                    (DIR.into(), dir.path().into()),
                ])
                .silence(WATCHDOG)
                .run(|line| {
                    self.report.add(&cells[rest[done]], line);
                    done += 1;
                });
            if done < rest.len() {
                let how = if ended.hung {
                    "hung"
                } else {
                    "ended its process"
                };
                self.report.add(
                    &cells[rest[done]],
                    &format!("FAILED {how}: {}", ended.output),
                );
                done += 1;
            }
            rest = &rest[done..];
        }
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
