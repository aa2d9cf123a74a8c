//! `privyseal sign` from outside: a process, its arguments, its two streams and its exit code.

mod accepted;
mod key_refused;
mod rule_refused;
mod stage;
