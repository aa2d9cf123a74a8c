//! The language of rules: `FUNCTION WHICH ACTION [ARGUMENT]`, for example
//!
//! ```text
//! C_Sign 4 return 0x32            the 4th C_Sign returns CKR_DEVICE_REMOVED; nothing is forwarded
//! C_Login * hang 300              every C_Login takes 300 ms more
//! C_Sign 2+ wrong                 from the 2nd on: one bit of the signature is wrong
//! C_Sign 10/1000@7 return 0x30    10 of 1000, by chance, seeded with 7
//! C_SignInit 1 dead 0x32 C_Initialize   from now on everything fails, until C_Initialize
//! C_GetTokenInfo @7 return 0x30   the token in slot 7 cannot be read
//! ```
//!
//! | action | does |
//! |---|---|
//! | `return CODE` | returns it without forwarding |
//! | `return-after CODE` | forwards, then says that it failed |
//! | `hang MS` | waits, then forwards |
//! | `abort`, `crash`, `exit` | ends the process, by a signal (SIGABRT, SIGSEGV) or as if all were well |
//! | `print` | prints a line on standard output, then forwards |
//! | `wrong`, `short N` | flips a bit of a signature; says that it is N bytes shorter |
//! | `length N` | says that a signature is N bytes long, beside a whole one or asked for its length |
//! | `first login\|session\|sessions\|module` | really loses it, then forwards |
//! | `flags BITS`, `unset BITS`, `sessions N` | sets or clears flags of a token; says how many sessions it allows |
//! | `none` | says that there is no slot |
//! | `false ATTRIBUTE` | says that this attribute is false |
//! | `dead CODE FUNCTION` | from now on every function returns it, until that function is called |

use std::time::Duration;

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_FLAGS, CK_RV, CK_SLOT_ID, CK_ULONG};

/// When to do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) function: String,
    pub(crate) which: Which,
    pub(crate) action: Action,
}

/// Which calls of the function, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Only(u64),
    From(u64),
    /// All that ask for this slot.
    At(CK_SLOT_ID),
    /// By chance.
    Some {
        per_mille: u64,
        seed: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Return(CK_RV),
    ReturnAfter(CK_RV),
    Hang(Duration),
    Abort,
    Crash,
    Exit,
    Print,
    WrongSignature,
    ShortSignature(CK_ULONG),
    Length(CK_ULONG),
    First(Loss),
    NoSlots,
    TokenFlags(CK_FLAGS),
    NoTokenFlags(CK_FLAGS),
    TokenSessions(CK_ULONG),
    False(CK_ATTRIBUTE_TYPE),
    Dead { code: CK_RV, until: String },
}

/// What is really lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Login,
    Session,
    /// All sessions of the process, and so the login.
    Sessions,
    /// As if somebody else in the process had finalized it.
    Module,
}

impl Rule {
    /// A line of the control file. None if it is no rule (a comment, the name of a generation).
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let function = words
            .next()
            .filter(|name| name.starts_with("C_"))?
            .to_owned();
        let which = Which::parse(words.next()?)?;
        let action = Action::parse(words.next()?, words.next(), words.next())?;
        Some(Self {
            function,
            which,
            action,
        })
    }
}

impl Which {
    fn parse(word: &str) -> Option<Self> {
        if word == "*" {
            return Some(Self::All);
        }
        if let Some(slot) = word.strip_prefix('@') {
            return slot.parse().ok().map(Self::At);
        }
        if let Some(from) = word.strip_suffix('+') {
            return from.parse().ok().map(Self::From);
        }
        if let Some((chance, seed)) = word.split_once("/1000@") {
            let (per_mille, seed) = (chance.parse().ok()?, seed.parse().ok()?);
            return Some(Self::Some { per_mille, seed });
        }
        word.parse().ok().map(Self::Only)
    }

    /// Whether the `nth` call, which asks for `slot`, is meant.
    pub(crate) fn hits(self, nth: u64, slot: Option<CK_SLOT_ID>) -> bool {
        match self {
            Self::At(at) => slot == Some(at),
            Self::All => true,
            Self::Only(only) => nth == only,
            Self::From(from) => nth >= from,
            Self::Some { per_mille, seed } => mixed(seed.wrapping_add(nth)) % 1000 < per_mille,
        }
    }
}

impl Action {
    fn parse(name: &str, first: Option<&str>, second: Option<&str>) -> Option<Self> {
        let value = || first.and_then(number);
        Some(match name {
            "return" => Self::Return(value()?),
            "return-after" => Self::ReturnAfter(value()?),
            "hang" => Self::Hang(Duration::from_millis(value()?)),
            "abort" => Self::Abort,
            "crash" => Self::Crash,
            "exit" => Self::Exit,
            "print" => Self::Print,
            "none" => Self::NoSlots,
            "wrong" => Self::WrongSignature,
            "short" => Self::ShortSignature(value()?),
            "length" => Self::Length(value()?),
            "first" => Self::First(match first? {
                "login" => Loss::Login,
                "session" => Loss::Session,
                "sessions" => Loss::Sessions,
                "module" => Loss::Module,
                _ => return None,
            }),
            "flags" => Self::TokenFlags(value()?),
            "unset" => Self::NoTokenFlags(value()?),
            "sessions" => Self::TokenSessions(value()?),
            "false" => Self::False(value()?),
            "dead" => Self::Dead {
                code: value()?,
                until: second?.to_owned(),
            },
            _ => return None,
        })
    }
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// `SplitMix64`: a number that looks random, the same each time.
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_other_lines_are_not() {
        let rule = |line| Rule::parse(line).map(|rule| (rule.which, rule.action));
        assert_eq!(
            rule("C_Sign 4 return 0x32"),
            Some((Which::Only(4), Action::Return(0x32)))
        );
        assert_eq!(
            rule("C_Login * hang 300"),
            Some((Which::All, Action::Hang(Duration::from_millis(300))))
        );
        assert_eq!(
            rule("C_GetTokenInfo @7 sessions 1"),
            Some((Which::At(7), Action::TokenSessions(1)))
        );
        assert_eq!(
            rule("C_SignInit 2+ dead 50 C_Initialize"),
            Some((
                Which::From(2),
                Action::Dead {
                    code: 50,
                    until: "C_Initialize".into()
                }
            ))
        );
        for line in [
            "",
            "generation 7",
            "C_Sign",
            "C_Sign 4",
            "C_Sign x return 1",
            "C_Sign 1 return",
        ] {
            assert_eq!(rule(line), None, "{line}");
        }
    }

    #[test]
    fn chance_is_seeded_and_about_right() {
        let which = Which::parse("100/1000@7").unwrap();
        let hits = (1..=10_000).filter(|nth| which.hits(*nth, None)).count();
        assert!((800..1200).contains(&hits), "{hits}");
        let other = Which::parse("100/1000@8").unwrap();
        assert!((1..=100).any(|nth| which.hits(nth, None) != other.hits(nth, None)));
    }
}
