//! Which faults, in which calls, when, of which key.

use std::fmt;

use privyseal_test_suite::target::Kind;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The function returns this.
    Code(u64),
    /// It answers late.
    Hang,
    /// It gives a signature with one bit wrong.
    WrongSignature,
    /// It gives a signature that is one byte short.
    ShortSignature,
    /// It says that a signature has this length, which it has not.
    WrongLength(u64),
    /// Before it, this is really lost, as the fault shim's language names it.
    Lost(&'static str),
    /// It returns this, and so does every other function, until the module is finalized: a card that was
    /// pulled, a daemon that was restarted.
    Dead(u64),
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// At the function's first call, from the opening on.
    First,
    /// After good signatures.
    Middle,
    /// After all sessions were lost and a signature succeeded again.
    AfterHeal,
}

/// One fault, one function, one time.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    pub(crate) function: &'static str,
    /// Whether the `C_Login` for one use of the key is meant, and not the user's.
    pub(crate) of_use: bool,
    pub(crate) fault: Fault,
    pub(crate) phase: Phase,
}

/// What opening, signing and healing call.
const FUNCTIONS: [&str; 16] = [
    "C_Initialize",
    "C_Finalize",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_OpenSession",
    "C_GetSessionInfo",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_GetAttributeValue",
    "C_SignInit",
    "C_Sign",
    "C_CloseSession",
];

/// What is different with a key that logs in for each use.
const FUNCTIONS_OF_ALWAYS: [&str; 4] = ["C_GetSessionInfo", "C_Login", "C_SignInit", "C_Sign"];

/// What is different with a mechanism that hashes.
const FUNCTIONS_OF_HASHING: [&str; 2] = ["C_SignInit", "C_Sign"];

/// What tokens of several vendors have answered.
const CODES: [u64; 19] = [
    0x05,  // CKR_GENERAL_ERROR
    0x06,  // CKR_FUNCTION_FAILED
    0x30,  // CKR_DEVICE_ERROR
    0x32,  // CKR_DEVICE_REMOVED
    0x60,  // CKR_KEY_HANDLE_INVALID
    0x70,  // CKR_MECHANISM_INVALID
    0x82,  // CKR_OBJECT_HANDLE_INVALID
    0x90,  // CKR_OPERATION_ACTIVE
    0xa0,  // CKR_PIN_INCORRECT
    0xa4,  // CKR_PIN_LOCKED
    0xb0,  // CKR_SESSION_CLOSED
    0xb1,  // CKR_SESSION_COUNT
    0xb3,  // CKR_SESSION_HANDLE_INVALID
    0xe0,  // CKR_TOKEN_NOT_PRESENT
    0x100, // CKR_USER_ALREADY_LOGGED_IN
    0x101, // CKR_USER_NOT_LOGGED_IN
    0x150, // CKR_BUFFER_TOO_SMALL
    0x190, // CKR_CRYPTOKI_NOT_INITIALIZED
    0x191, // CKR_CRYPTOKI_ALREADY_INITIALIZED
];

const LOSSES: [&str; 4] = ["login", "session", "sessions", "module"];

const DEATHS: [u64; 3] = [
    0x30, // CKR_DEVICE_ERROR
    0xe0, // CKR_TOKEN_NOT_PRESENT
    0xb3, // CKR_SESSION_HANDLE_INVALID
];

const PHASES: [Phase; 3] = [Phase::First, Phase::Middle, Phase::AfterHeal];

/// The lengths that a signature of 256 bytes is said to have.
const LENGTHS: [u64; 3] = [0, 257, u64::MAX];

/// All of them, in an order that does not change.
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for kind in Kind::ALL {
        for phase in PHASES {
            for &(function, of_use) in &calls(kind) {
                cells.extend(faults(function).into_iter().map(|fault| Cell {
                    kind,
                    function,
                    of_use,
                    fault,
                    phase,
                }));
            }
        }
    }
    cells
}

/// What the shim itself calls to lose something.
const OF_THE_SHIM: [&str; 2] = ["C_CloseAllSessions", "C_Logout"];

/// Asked after a failure only; `pkcs11_incidents` breaks it.
const AFTER_A_FAILURE: &str = "C_GetSlotInfo";

/// Whether a cell breaks the function.
pub(crate) fn breaks(function: &str) -> bool {
    FUNCTIONS.contains(&function) || OF_THE_SHIM.contains(&function) || function == AFTER_A_FAILURE
}

/// Functions, and whether the login for one use is meant.
fn calls(kind: Kind) -> Vec<(&'static str, bool)> {
    let (functions, of_use): (&[&str], _) = match kind {
        Kind::Plain => (&FUNCTIONS, None),
        Kind::Always => (&FUNCTIONS_OF_ALWAYS, Some(("C_Login", true))),
        Kind::Hashing => (&FUNCTIONS_OF_HASHING, None),
    };
    let calls = functions.iter().map(|&function| (function, false));
    calls.chain(of_use).collect()
}

fn faults(function: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = CODES.into_iter().map(Fault::Code).collect();
    // One that was not initialized is another code's from then on, and not finalized again.
    faults.retain(|fault| function != "C_Finalize" || *fault != Fault::Code(0x190));
    faults.push(Fault::Hang);
    // Pulled, and put back once the module is initialized again; before that there is nothing to be pulled.
    if function != "C_Initialize" {
        faults.push(Fault::Dead(0x32));
    }
    if matches!(function, "C_SignInit" | "C_Sign") {
        faults.extend(LOSSES.map(Fault::Lost));
        faults.extend(DEATHS.map(Fault::Dead));
    }
    if function == "C_Sign" {
        faults.extend([Fault::WrongSignature, Fault::ShortSignature]);
        faults.extend(LENGTHS.map(Fault::WrongLength));
    }
    faults
}

/// Numbers of cells that may share a process: all of one key, function and phase, but not the first
/// `C_Initialize`, of which a process has one.
pub(crate) fn batches(cells: &[Cell], wanted: impl Fn(&Cell) -> bool) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for (number, cell) in cells.iter().enumerate().filter(|(_, cell)| wanted(cell)) {
        let alone = cell.function == "C_Initialize" && cell.phase == Phase::First;
        let same = |last: &&mut Vec<usize>| cells[last[0]].place() == cell.place() && !alone;
        match batches.last_mut().filter(same) {
            Some(batch) => batch.push(number),
            None => batches.push(vec![number]),
        }
    }
    batches
}

impl Cell {
    /// Where and when, whatever the fault.
    pub(crate) fn place(&self) -> (Kind, &'static str, bool, Phase) {
        (self.kind, self.function, self.of_use, self.phase)
    }

    /// The rule of the fault shim.
    pub(crate) fn rule(&self) -> String {
        let action = match self.fault {
            // It has logged in, and says so oddly; unless it has, nobody could go on.
            Fault::Code(0x100) if self.function == "C_Login" => "return-after 0x100".into(),
            Fault::Code(0x191) if self.function == "C_Initialize" => "return-after 0x191".into(),
            Fault::Code(code) => format!("return {code:#x}"),
            Fault::Hang => "hang 100".into(),
            Fault::WrongSignature => "wrong".into(),
            Fault::ShortSignature => "short 1".into(),
            Fault::WrongLength(length) => format!("length {length}"),
            Fault::Lost(what) => format!("first {what}"),
            Fault::Dead(code) => format!("dead {code:#x} C_Finalize"),
        };
        // In a pool that is opened, the user's login is the first.
        let nth = if self.of_use && self.phase == Phase::First {
            2
        } else {
            1
        };
        format!("{} {nth} {action}", self.function)
    }

    /// What must be really lost for the function to be called again, once there are sessions that sign.
    pub(crate) fn incident(&self) -> Option<&'static str> {
        match self.function {
            _ if self.is_of_every_signature() => None,
            "C_Initialize" => Some("C_SignInit 1 first module"),
            "C_Finalize" => Some("C_SignInit 1 dead 0xe0 C_Finalize"),
            _ => Some("C_SignInit 1 first sessions"),
        }
    }

    /// Whether the fault itself is the incident, because the call is one of every signature.
    pub(crate) fn is_of_every_signature(&self) -> bool {
        self.of_use || matches!(self.function, "C_SignInit" | "C_Sign")
    }

    /// Whether a person must act: the signer must not heal itself by trying the PIN again.
    pub(crate) fn is_pin_trouble(&self) -> bool {
        self.function == "C_Login" && matches!(self.fault, Fault::Code(0xa0 | 0xa4))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_use = if self.of_use { " for use" } else { "" };
        write!(
            f,
            "{:?} key, {:?}: {}{of_use}",
            self.kind,
            self.phase,
            self.rule()
        )
    }
}
