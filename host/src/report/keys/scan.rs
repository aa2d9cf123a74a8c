//! What a module shows without a login.

use core::fmt;

use privyseal_core::UnixTime;
use privyseal_hsm::PinState;
use privyseal_pkcs11::{Pkcs11Uri, TokenInfo, list_public, module_info};
use serde::Serialize;

use super::{KeyCheckOptions, KeyReport};

/// A PKCS #11 module, and what its tokens show without a login. No PIN is asked for, and no try is spent.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ModuleScan {
    /// What the module says it is.
    pub library: Option<String>,
    /// Its initialized tokens.
    pub tokens: Vec<TokenScan>,
    /// Why it cannot be used, or a token of it cannot be read.
    pub errors: Vec<String>,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TokenScan {
    /// Names it, ready to paste.
    pub uri: String,
    /// What it shows; its notes are the token's.
    #[serde(flatten)]
    pub shown: KeyReport,
}

impl ModuleScan {
    /// Looks at the module that `uri` names.
    pub fn of(uri: &Pkcs11Uri, now: UnixTime) -> Self {
        let mut scan = Self::default();
        let module = match module_info(uri) {
            Ok(module) => module,
            Err(error) => {
                scan.errors.push(error.to_string());
                return scan;
            }
        };
        scan.library = Some(module.library);
        for slot in module.slots {
            let (token, uri) = match (slot.token, slot.uri) {
                (Ok(Some(token)), Some(uri)) => (token, uri),
                (Err(error), _) => {
                    let text = format!(
                        "a token that cannot be read in slot {}: {error}",
                        slot.slot_id
                    );
                    scan.errors.push(text);
                    continue;
                }
                _ => continue,
            };
            match list_public(&uri) {
                Ok(listing) => {
                    let mut shown = KeyReport::new(&listing, KeyCheckOptions::at(now));
                    shown.notes.extend(notes(&token).map(str::to_owned));
                    let uri = uri.to_string();
                    scan.tokens.push(TokenScan { uri, shown });
                }
                Err(error) => scan.errors.push(format!("{uri}: {error}")),
            }
        }
        scan
    }
}

fn notes(token: &TokenInfo) -> impl Iterator<Item = &'static str> {
    let login = match (token.login_required, token.protected_auth_path) {
        (false, _) => "needs no login",
        (true, true) => "needs a login; its PIN pad asks for the PIN",
        (true, false) => "needs a login with a PIN",
    };
    let tries = match token.pin_state {
        PinState::Locked => Some("its PIN is locked (CKF_USER_PIN_LOCKED)"),
        PinState::FinalTry => Some("ONE TRY OF ITS PIN IS LEFT (CKF_USER_PIN_FINAL_TRY)"),
        PinState::CountLow => Some("a wrong PIN was given since the last right one"),
        _ => None,
    };
    [Some(login), tries].into_iter().flatten()
}

impl fmt::Display for ModuleScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.library.as_deref().unwrap_or("it cannot be used"))?;
        self.errors
            .iter()
            .try_for_each(|it| write!(f, "\n  {it}"))?;
        self.tokens.iter().try_for_each(|it| write!(f, "\n\n{it}"))
    }
}

impl fmt::Display for TokenScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  token: {}", self.uri, self.shown.notes.join("; "))?;
        let keys = self.shown.keys.iter();
        keys.map(|it| it as &dyn fmt::Display)
            .chain(
                self.shown
                    .certificates
                    .iter()
                    .map(|it| it as &dyn fmt::Display),
            )
            .try_for_each(|it| write!(f, "\n\n{it}"))
    }
}
