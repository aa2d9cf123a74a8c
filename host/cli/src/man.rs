//! `privyseal man`: man pages for packages of the command, and its reference for the book.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use crate::error::CliError;

/// Write the man pages into a directory
#[derive(Args)]
#[command(hide = true)]
pub(super) struct Man {
    /// The directory, which must exist
    #[arg(long, value_name = "DIR", required_unless_present = "reference")]
    out: Option<PathBuf>,
    /// Write the whole help as one page of Markdown
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<(), CliError> {
        if let Some(folder) = self.out {
            clap_mangen::generate_to(crate::documented(), &folder).map_err(CliError::Output)?;
        }
        if let Some(file) = self.reference {
            fs::write(file, reference()).map_err(CliError::Output)?;
        }
        Ok(())
    }
}

/// The long help of each command, under its name.
fn reference() -> String {
    let mut root = crate::documented();
    root.build();
    let mut page = "# Commands\n\nMade from the code: what `--help` says.\n".to_owned();
    section(&mut root, "privyseal", &mut page);
    page
}

fn section(command: &mut Command, name: &str, page: &mut String) {
    let help = command.render_long_help().to_string();
    // Writing into a String cannot fail.
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end());
    for next in command.get_subcommands_mut() {
        if !next.is_hide_set() && next.get_name() != "help" {
            let name = format!("{name} {}", next.get_name());
            section(next, &name, page);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_has_every_command() {
        let page = super::reference();
        for name in ["", " token", " keys generate", " agent check-log"] {
            assert!(
                page.contains(&format!("\n## privyseal{name}\n\n```text\n")),
                "{name}"
            );
        }
        assert!(!page.contains("privyseal man"));
        assert!(page.contains("--base-url <URL>"), "{page}");
    }
}
