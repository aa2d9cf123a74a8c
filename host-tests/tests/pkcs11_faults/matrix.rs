//! Which faults, in which calls, when.

use std::fmt;

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
    /// Asked how long a signature is, it says one byte.
    WrongLength,
    /// Before it, this is really lost, as the fault shim's language names it.
    Lost(&'static str),
    /// It returns this, and so does every other function, until the module is finalized: a card that was
    /// pulled, a daemon that was restarted.
    Dead(u64),
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) function: &'static str,
    pub(crate) fault: Fault,
    pub(crate) phase: Phase,
}

/// What opening, signing and healing call.
const FUNCTIONS: [&str; 15] = [
    "C_Initialize",
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

const DEATHS: [u64; 4] = [
    0x30, // CKR_DEVICE_ERROR
    0x32, // CKR_DEVICE_REMOVED
    0xe0, // CKR_TOKEN_NOT_PRESENT
    0xb3, // CKR_SESSION_HANDLE_INVALID
];

const PHASES: [Phase; 3] = [Phase::First, Phase::Middle, Phase::AfterHeal];

/// All of them, in an order that does not change.
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for phase in PHASES {
        for function in FUNCTIONS {
            cells.extend(faults(function).into_iter().map(|fault| Cell {
                function,
                fault,
                phase,
            }));
        }
    }
    cells
}

fn faults(function: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = CODES.into_iter().map(Fault::Code).collect();
    faults.push(Fault::Hang);
    if matches!(function, "C_SignInit" | "C_Sign") {
        faults.extend(LOSSES.map(Fault::Lost));
        faults.extend(DEATHS.map(Fault::Dead));
    }
    if function == "C_Sign" {
        faults.extend([
            Fault::WrongSignature,
            Fault::ShortSignature,
            Fault::WrongLength,
        ]);
    }
    faults
}

/// Numbers of cells that may share a process: all of one function and phase, but not the first
/// `C_Initialize`, of which a process has one.
pub(crate) fn batches(cells: &[Cell]) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for (number, cell) in cells.iter().enumerate() {
        let alone = cell.function == "C_Initialize" && cell.phase == Phase::First;
        let same = |last: &&mut Vec<usize>| {
            let other = &cells[last[0]];
            other.function == cell.function && other.phase == cell.phase && !alone
        };
        match batches.last_mut().filter(same) {
            Some(batch) => batch.push(number),
            None => batches.push(vec![number]),
        }
    }
    batches
}

impl Cell {
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
            Fault::WrongLength => "length 1".into(),
            Fault::Lost(what) => format!("first {what}"),
            Fault::Dead(code) => format!("dead {code:#x} C_Finalize"),
        };
        format!("{} 1 {action}", self.function)
    }

    /// What must be really lost for the function to be called again, once there are sessions that sign.
    pub(crate) fn incident(&self) -> Option<&'static str> {
        match self.function {
            "C_SignInit" | "C_Sign" => None,
            "C_Initialize" => Some("C_SignInit 1 first module"),
            _ => Some("C_SignInit 1 first sessions"),
        }
    }

    /// Whether a person must act: the signer must not heal itself by trying the PIN again.
    pub(crate) fn is_pin_trouble(&self) -> bool {
        self.function == "C_Login" && matches!(self.fault, Fault::Code(0xa0 | 0xa4))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.phase, self.rule())
    }
}
