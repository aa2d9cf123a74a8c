//! One cell, in a child.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use privyseal_test_base::own_process::tell;
use privyseal_test_suite::fault_shim::{Call, FaultShim};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::target::Target;

use crate::matrix::{Cell, Phase, breaks};
use crate::report::NOT_REACHED;
use crate::subject::Subject;
use crate::{DIR, cells_of_this_child, judge};

/// Signatures within which a signer must have healed: the first may be lost to the fault, the second to
/// what the fault left behind.
const PATIENCE: usize = 3;

/// Runs this child's cells and tells how each ended.
pub(crate) fn run_all() {
    let mut stage = Stage {
        target: Target::from_environment().expect("set by the parent"),
        shim: FaultShim::new(&PathBuf::from(
            std::env::var_os(DIR).expect("set by the parent"),
        )),
        minter: None,
        minted: 0,
        armed: 0,
    };
    for cell in cells_of_this_child() {
        let outcome = catch_unwind(AssertUnwindSafe(|| stage.run(&cell)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let reason = panic.downcast_ref::<String>().cloned();
            Err(format!("a panic: {}", reason.unwrap_or_default()))
        });
        match outcome {
            Ok(how) => tell(&how),
            Err(reason) => tell(&format!("FAILED {}", reason.replace('\n', " "))),
        }
    }
}

struct Stage {
    target: Target,
    shim: FaultShim,
    minter: Option<Minter>,
    minted: usize,
    /// The calls that there had been when the fault was set up.
    armed: u64,
}

impl Stage {
    /// How it ended well, or why it did not.
    fn run(&mut self, cell: &Cell) -> Result<String, String> {
        self.shim.rules(&[]);
        let mark = self.shim.mark();
        let mut opened = 0;
        let how = self.live(cell, mark, &mut opened);
        // What is left is closed without faults.
        self.shim.rules(&[]);
        let calls = self.shim.calls_since(mark);
        judge::tries(cell, opened, &calls)?;
        if let Some(call) = calls.iter().find(|call| !breaks(&call.function)) {
            return Err(format!(
                "{} is called, and no cell breaks it",
                call.function
            ));
        }
        let how = how?;
        judge::sessions(&calls)?;
        let reached = |call: &Call| {
            call.faulty && call.function == cell.function && call.context == cell.of_use
        };
        if !self.shim.calls_since(self.armed).iter().any(reached) {
            return Ok(NOT_REACHED.into());
        }
        Ok(how)
    }

    /// A signer's life, with the fault in it.
    fn live(&mut self, cell: &Cell, mark: u64, opened: &mut usize) -> Result<String, String> {
        if cell.phase == Phase::First {
            self.arm(&[&cell.rule()]);
        }
        *opened += 1;
        let mut subject = match Subject::open(&self.target) {
            Ok(subject) => subject,
            Err(error) => return self.reopen(cell, mark, opened, &error.to_string()),
        };
        if cell.phase != Phase::First {
            self.must_mint(&mut subject, "before any fault")?;
            self.must_mint(&mut subject, "before any fault")?;
        }
        if cell.phase == Phase::AfterHeal {
            self.shim.rules(&["C_SignInit 1 first sessions"]);
            self.endure(cell, &mut subject, mark)?;
        }
        if cell.phase != Phase::First {
            let rule = cell.rule();
            let rules: Vec<&str> = cell.incident().into_iter().chain([rule.as_str()]).collect();
            self.arm(&rules);
        }
        let lost = self.endure(cell, &mut subject, mark)?;
        if cell.function == "C_CloseSession" && cell.phase == Phase::First {
            return self.close(subject, opened);
        }
        self.shim.rules(&[]);
        if cell.is_pin_trouble() {
            return Ok("left to a person".into());
        }
        self.must_mint(&mut subject, "once it had healed")?;
        Ok(match lost {
            0 => "no signature lost".into(),
            _ => "healed after an error".into(),
        })
    }

    /// The opening failed: it must say why, and once the fault is over, another must succeed.
    fn reopen(
        &mut self,
        cell: &Cell,
        mark: u64,
        opened: &mut usize,
        error: &str,
    ) -> Result<String, String> {
        judge::error_is_telling(cell, error, &self.shim.calls_since(mark))?;
        if cell.is_pin_trouble() {
            return Ok("left to a person".into());
        }
        self.shim.rules(&[]);
        *opened += 1;
        let mut subject = Subject::open(&self.target)
            .map_err(|error| format!("does not open again after the fault: {error}"))?;
        self.must_mint(&mut subject, "after opening again")?;
        Ok("opened again".into())
    }

    /// The fault comes when all is closed; the key must open next time all the same.
    fn close(&mut self, subject: Subject, opened: &mut usize) -> Result<String, String> {
        drop(subject);
        self.shim.rules(&[]);
        *opened += 1;
        let mut subject = Subject::open(&self.target)
            .map_err(|error| format!("does not open again after closing: {error}"))?;
        self.must_mint(&mut subject, "after opening again")?;
        Ok("opened again".into())
    }

    fn arm(&mut self, rules: &[&str]) {
        self.armed = self.shim.mark();
        self.shim.rules(rules);
    }

    /// Signs until it works again; gives how many signatures were lost. Each that was must say why.
    fn endure(&mut self, cell: &Cell, subject: &mut Subject, mark: u64) -> Result<usize, String> {
        for lost in 0..PATIENCE {
            match self.mint(subject)? {
                Ok(()) => return Ok(lost),
                Err(error) => {
                    judge::error_is_telling(cell, &error, &self.shim.calls_since(mark))?;
                    if lost + 1 == PATIENCE && !cell.is_pin_trouble() {
                        return Err(format!("does not heal: {error}"));
                    }
                }
            }
        }
        Ok(PATIENCE)
    }

    fn must_mint(&mut self, subject: &mut Subject, when: &str) -> Result<(), String> {
        let outcome = self.mint(subject)?;
        outcome.map_err(|error| format!("no signature {when}: {error}"))
    }

    /// One token, judged. The outer error is a token that should never have left.
    fn mint(&mut self, subject: &mut Subject) -> Result<Result<(), String>, String> {
        let minter = self
            .minter
            .get_or_insert_with(|| Minter::new(subject.public_key()));
        self.minted += 1;
        let jti = format!("cell-{}", self.minted);
        let mark = self.shim.mark();
        let outcome = subject.mint(minter, &jti);
        judge::logins_for_use(&self.shim.calls_since(mark))?;
        match outcome {
            Err(error) => Ok(Err(error)),
            Ok(token) => match minter.judge(&token)? {
                good if good == jti => Ok(Ok(())),
                other => Err(format!("asked for jti {jti}, got {other}")),
            },
        }
    }
}
