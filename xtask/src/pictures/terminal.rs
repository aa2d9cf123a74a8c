//! A session on a terminal, line by line, in a window that moves down. It needs no script: the animation is of CSS, and
//! stands still, at its end, for those who want none.

use std::fmt::Write as _;

use super::escaped;

/// Lines of the window, and columns.
const ROWS: usize = 30;
const COLUMNS: usize = 104;

/// A word that begins no later is longer than a line.
const INDENT: usize = 8;
const LINE: usize = 18;
const LETTER: usize = 8;

/// Milliseconds for the first window, for a line, for a command, and for the end.
const AT_BEGIN: u32 = 4000;
const PER_LINE: u32 = 150;
const PER_COMMAND: u32 = 1500;
const AT_END: u32 = 8000;

const STYLE: &str = "svg{background:#15171a;color:#d7dade}text{font:13px ui-monospace,Menlo,Consolas,monospace;\
    fill:currentColor;white-space:pre}.typed,.typed-on{fill:#8fd18f}.step{fill:#f0c674;font-weight:600}\
    @media(prefers-reduced-motion:reduce){*{animation:none!important}}";

/// The picture of a session.
pub(super) fn session(title: &str, text: &str) -> String {
    let lines: Vec<_> = text.lines().flat_map(wrapped).collect();
    let pause = |line: &(String, &str)| match line.1 {
        "typed" => PER_COMMAND,
        _ => PER_LINE,
    };
    let later = lines.get(ROWS..).unwrap_or_default();
    let total = AT_BEGIN + later.iter().map(pause).sum::<u32>() + AT_END;
    let (mut body, mut frames, mut time) =
        (String::new(), String::from("0%{transform:none}"), AT_BEGIN);
    for (number, (line, class)) in lines.iter().enumerate() {
        let (shown, y) = (escaped(line), (number + 1) * LINE);
        let _ = writeln!(
            body,
            "<text class=\"{class}\" x=\"12\" y=\"{y}\">{shown}</text>"
        );
    }
    for (number, line) in later.iter().enumerate() {
        // In hundredths of a percent.
        let (part, shift) = (10_000 * time / total, shift(number + 1));
        let _ = write!(frames, "{}.{:02}%{{{shift}}}", part / 100, part % 100);
        time += pause(line);
    }
    let end = shift(later.len());
    let (width, height) = (COLUMNS * LETTER + 24, ROWS * LINE + 6);
    let seconds = total.div_ceil(1000);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title><style>{STYLE}@keyframes roll{{{frames}100%{{{end}}}}}\
         g{{{end};animation:roll {seconds}s steps(1,end) infinite}}</style>\n<g>\n{body}</g>\n</svg>\n"
    )
}

/// So many lines are above the window.
fn shift(lines: usize) -> String {
    format!("transform:translateY(-{}px)", lines * LINE)
}

/// The line as the window has room for it, and what it is.
fn wrapped(line: &str) -> Vec<(String, &'static str)> {
    let class = match line.trim_start() {
        typed if typed.starts_with("$ ") => "typed",
        _ if line.starts_with(|c: char| c.is_ascii_digit()) => "step",
        _ => "said",
    };
    let (mut parts, mut left) = (Vec::new(), line);
    while let Some((end, _)) = left.char_indices().nth(COLUMNS) {
        // A command goes on after a backslash, for which there must be room.
        let room = left.get(..end.saturating_sub(1)).unwrap_or(left);
        let cut = room.trim_end().rfind(' ').filter(|cut| *cut > INDENT);
        let (head, tail) = left.split_at(cut.unwrap_or(end));
        let goes_on = if class == "typed" && cut.is_some() {
            " \\"
        } else {
            ""
        };
        parts.push(format!("{head}{goes_on}"));
        left = tail.trim_start();
    }
    parts.push(left.to_owned());
    let rest = if class == "typed" { "typed-on" } else { class };
    let classes = [class].into_iter().chain(std::iter::repeat(rest));
    parts.into_iter().zip(classes).collect()
}
