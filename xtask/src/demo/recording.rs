//! What the demonstration prints, as the documents show it, and whether that is still what it prints.

use crate::paths;

/// The least length of a text that is taken for one of random bits.
const OPAQUE: usize = 12;

/// Stands beside what is left of a text that was cut.
const CUT: &str = "..";

/// Where Debian has SoftHSM; the documents show that.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The lines of the demonstration that are the same on each machine: all but what it does and says around them.
pub(super) fn of(lines: &[String]) -> Vec<String> {
    let begin = lines.iter().position(|line| line.starts_with("1. "));
    let lines = lines.get(begin.unwrap_or_default()..).unwrap_or_default();
    let end = lines.iter().position(|line| line == "What to do next");
    let lines = lines.get(..end.unwrap_or(lines.len())).unwrap_or_default();
    let root = paths::root();
    let here = root.to_string_lossy();
    let module = paths::softhsm_module().unwrap_or_else(|_| MODULE.into());
    let module = module.to_string_lossy();
    let shown = |line: &String| {
        line.replace(&*here, "~/privyseal")
            .replace(&*module, MODULE)
    };
    let lines = lines.iter().map(shown);
    let mut lines: Vec<_> = lines.collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// A line of `now` that `kept` has not, or one of `kept` that is gone, but for what is another at each run or with other
/// versions of the tools of others.
pub(super) fn difference<'l>(kept: &'l [String], now: &'l [String]) -> Option<&'l str> {
    let mut left: Vec<_> = ours(kept).map(|line| (lasting(line), line)).collect();
    for line in ours(now) {
        let shown = lasting(line);
        match left.iter().position(|(kept, _)| *kept == shown) {
            Some(position) => _ = left.swap_remove(position),
            None => return Some(line),
        }
    }
    left.first().map(|(_, line)| *line)
}

/// All but what OpenSSL and pkcs11-tool say.
fn ours(lines: &[String]) -> impl Iterator<Item = &str> {
    let mut is_ours = true;
    lines.iter().map(String::as_str).filter(move |line| {
        if let Some(command) = line.trim_start().strip_prefix("$ ") {
            is_ours = !["openssl ", "pkcs11-tool "]
                .iter()
                .any(|tool| command.starts_with(tool));
        }
        is_ours || !line.starts_with("     ")
    })
}

/// A line without numbers, months and random bits.
fn lasting(line: &str) -> String {
    let mut lasting = String::new();
    let is_cut = line.contains(CUT);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len.max(first.len_utf8()));
        rest = after;
        let is_random =
            word.len() >= OPAQUE && (is_cut || word.contains(|c: char| c.is_ascii_digit()));
        match word {
            "Jan" | "Feb" | "Mar" | "Apr" | "May" | "Jun" | "Jul" | "Aug" | "Sep" | "Oct"
            | "Nov" | "Dec" => {
                lasting.push_str("month");
            }
            _ if is_random => lasting.push('~'),
            _ => lasting.extend(word.chars().filter(|c| !c.is_ascii_digit())),
        }
    }
    lasting.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_another_at_each_run_is_no_difference() {
        let kept = lines(
            "   $ privyseal sign --key x\n     iat = 2026-06-01 00:00:00 UTC\n     eyJhbGciOiJSUzI1NiIs .. Zm9v",
        );
        let again = lines(
            "   $ privyseal sign --key x\n     iat = 2027-12-31 09:10:11 UTC\n     eyJhbGciOiJIUzI1NiIs .. YmFy",
        );
        assert_eq!(
            difference(&kept, &again),
            Some(&*again[2]),
            "a short text is no random one"
        );
        assert_eq!(difference(&kept[..2], &again[..2]), None);
        let (one, another) = (lines("\"MIIDkjCCAnqg..\","), lines("\"MIIDkzCCAnug..\","));
        assert_eq!(difference(&one, &another), None, "nor what was cut");
    }

    #[test]
    fn another_word_and_another_line_are_differences() {
        let kept = lines("one\ntwo\nthree");
        for (text, first) in [
            ("one\n2wo\nthree", "2wo"),
            ("one\ntwo", "three"),
            ("one\ntwo\nthree\nfour", "four"),
        ] {
            let now = lines(text);
            assert_eq!(difference(&kept, &now), Some(first));
        }
        assert_eq!(difference(&kept, &kept), None);
        let said = |text: &str| {
            lines(&format!(
                "   $ openssl version\n     {text}\n   $ privyseal --version\n     {text}"
            ))
        };
        assert_eq!(difference(&said("x")[..2], &said("y")[..2]), None);
        assert_eq!(difference(&said("x"), &said("y")), Some("     y"));
    }

    #[test]
    fn what_stands_around_the_steps_is_left_out() {
        let root = paths::root();
        let printed = format!(
            "building\n\n1. A token\n   $ {}/x\n\nWhat to do next\n   y",
            root.display()
        );
        assert_eq!(of(&lines(&printed)), ["1. A token", "   $ ~/privyseal/x"]);
    }
}
