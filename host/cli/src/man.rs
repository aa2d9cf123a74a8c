//! `privyseal man`: man pages for packages of the command, and its reference for the book.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use privyseal::profile::Profile;

use crate::error::CliError;
use crate::exit::EXITS;

/// Write the man pages into a directory
#[derive(Args)]
#[command(hide = true)]
pub(super) struct Man {
    /// The directory, which must exist
    #[arg(long, value_name = "DIR", required_unless_present = "reference")]
    out: Option<PathBuf>,
    /// Write the whole help, and the tables that the code has, as one page of Markdown
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
    for (title, rows) in tables() {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "\n## {title}\n\n| | |\n|---|---|");
        for row in rows {
            let _ = writeln!(page, "{row}");
        }
    }
    page
}

type Rows = Box<dyn Iterator<Item = String>>;

/// What stands in the code as data: a title, and rows of two cells.
fn tables() -> Vec<(&'static str, Rows)> {
    #[cfg(feature = "agent")]
    let row = |(name, about): &(&str, &str)| format!("| `{name}` | {about} |");
    let members = Profile::known_members();
    let members = members.map(|(name, shape, about)| format!("| `{name}` | {about} ({shape}) |"));
    let exits = EXITS.iter();
    let exits = exits.map(|(exit, about)| format!("| {} | {about} |", exit.code()));
    vec![
        ("Members of a profile", Box::new(members) as Rows),
        #[cfg(feature = "agent")]
        (
            "Members of [agent]",
            Box::new(privyseal_agent::AGENT_MEMBERS.iter().map(row)),
        ),
        #[cfg(feature = "agent")]
        (
            "Metrics of the agent",
            Box::new(privyseal_agent::METRICS.iter().map(row)),
        ),
        ("Exit codes", Box::new(exits)),
    ]
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
    /// What is written by hand leaves nothing out.
    #[test]
    fn the_documents_name_what_the_code_has() {
        for (title, rows) in super::tables() {
            let name = match title {
                "Members of a profile" => "profiles.md",
                "Members of [agent]" => "agent.md",
                "Metrics of the agent" => "metrics.md",
                _ => "exit-codes.md",
            };
            let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
            let text = std::fs::read_to_string(docs.join(name)).unwrap();
            for row in rows {
                let first = row.split(" | ").next().unwrap();
                let first = first.trim_start_matches("| ").trim_matches('`');
                let forms = [
                    format!("| {first} |"),
                    format!("`{first}`"),
                    format!("\n{first} = "),
                ];
                let is_there = forms.iter().any(|form| text.contains(form));
                assert!(is_there, "{name} has no {first}");
            }
        }
    }

    #[test]
    fn the_reference_has_every_command() {
        let page = super::reference();
        for name in ["", " token", " keys generate", " agent check-log"] {
            assert!(
                page.contains(&format!("\n## privyseal{name}\n\n```text\n")),
                "{name}"
            );
        }
        for row in [
            "| `client-id` | ",
            "| `metrics-uids` | ",
            "| `privyseal_ready` | ",
            "| 7 | ",
        ] {
            assert!(page.contains(row), "{row}");
        }
        assert!(!page.contains("privyseal man"));
        assert!(page.contains("--base-url <URL>"), "{page}");
    }
}
