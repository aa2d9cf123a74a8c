//! Whether a log is what was written.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use privyseal_protocol::log::link_after;
use serde::Deserialize;

use super::{AuditError, Link, MAX_LINE, hex};

/// Bytes of `,"link":"`, 64 digits and `"}`.
const LINK_TEXT: usize = 9 + 64 + 2;

/// A log whose chain is unbroken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditSummary {
    /// The lines.
    pub entries: u64,
    /// What the first one is linked to: the last link of the file before, or that of a new log.
    pub before: String,
    /// The link of the last one. A log of which somebody kept an older one must have it.
    pub head: String,
    /// Bytes after it that are no line: one whose end is missing, as a loss of power leaves it.
    pub torn: usize,
}

/// Reads a log and checks each link.
///
/// # Errors
///
/// [`AuditError::Changed`], with the first line that is not what was written; [`AuditError::Read`].
pub fn check(path: &Path) -> Result<AuditSummary, AuditError> {
    let file = File::open(path).map_err(|source| failed(path, source))?;
    let read = read(&file, path)?;
    Ok(AuditSummary {
        entries: read.lines,
        before: read.before,
        head: read.end.map(|(_, link)| hex(&link)).unwrap_or_default(),
        torn: read.torn.len(),
    })
}

/// What is in a log.
pub(super) struct Read {
    pub(super) lines: u64,
    /// Bytes up to the end of the last whole line.
    pub(super) len: u64,
    /// The next number, and the last link.
    pub(super) end: Option<(u64, Link)>,
    /// What follows it.
    pub(super) torn: Vec<u8>,
    before: String,
}

#[derive(Deserialize)]
struct Written {
    sequence: u64,
    before: Option<String>,
    link: String,
}

pub(super) fn read(file: &File, path: &Path) -> Result<Read, AuditError> {
    let mut reader = BufReader::new(file);
    let mut read = Read {
        lines: 0,
        len: 0,
        end: None,
        torn: Vec::new(),
        before: String::new(),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = reader.by_ref().take(MAX_LINE);
        let len = bounded
            .read_until(b'\n', &mut line)
            .map_err(|source| failed(path, source))?;
        let Some(text) = line.strip_suffix(b"\n") else {
            if len as u64 == MAX_LINE {
                return Err(changed(
                    path,
                    read.lines + 1,
                    "is longer than any that is written",
                ));
            }
            read.torn = line;
            return Ok(read);
        };
        let next = follow(&read, text).map_err(|why| changed(path, read.lines + 1, why))?;
        if read.end.is_none() {
            read.before = next.2;
        }
        read.end = Some((next.0, next.1));
        read.lines += 1;
        read.len += len as u64;
    }
}

/// The number after a line, its link, and what it says that it is linked to.
fn follow(read: &Read, text: &[u8]) -> Result<(u64, Link, String), &'static str> {
    let written: Written =
        serde_json::from_slice(text).map_err(|_| "is no JSON object of an entry")?;
    let body = text.len().checked_sub(LINK_TEXT).map(|end| &text[..end]);
    let body = body.ok_or("is too short for a link")?;
    let before = written.before.unwrap_or_default();
    let linked_to = match read.end {
        Some((sequence, _)) if sequence != written.sequence => {
            return Err("has not the number after the line before it");
        }
        Some((_, link)) => link,
        None => unhex(&before).ok_or("is the first and does not say what it is linked to")?,
    };
    let link = link_after(&linked_to, body);
    if text[body.len()..] != *format!(",\"link\":\"{}\"}}", hex(&link)).as_bytes() {
        return Err("is not linked to the one before it");
    }
    debug_assert_eq!(written.link, hex(&link));
    Ok((written.sequence.wrapping_add(1), link, before))
}

fn unhex(text: &str) -> Option<Link> {
    let mut link = Link::default();
    if text.len() != 2 * link.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in link.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(link)
}

fn failed(path: &Path, source: std::io::Error) -> AuditError {
    let path = path.to_owned();
    AuditError::Read { path, source }
}

fn changed(path: &Path, line: u64, problem: &str) -> AuditError {
    AuditError::Changed {
        path: PathBuf::from(path),
        line,
        problem: problem.to_owned(),
    }
}
