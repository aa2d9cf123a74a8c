//! What a module sees, without a login: for whoever looks for the reason why a key cannot be opened.

use crate::error::{CallError, Error};
use crate::module::Module;
use crate::slot::{self, TokenInfo};
use crate::uri::Pkcs11Uri;

/// A module, and the tokens in its slots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Survey {
    /// What the module says it is: description, manufacturer and version.
    pub library: String,
    /// The slots with a token in them.
    pub slots: Vec<SurveyedSlot>,
}

/// A slot with a token in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SurveyedSlot {
    /// Its number.
    pub slot_id: u64,
    /// The token; `None` if it is not initialized.
    pub token: Result<Option<TokenInfo>, CallError>,
    /// Whether it is one that the URI means.
    pub is_meant: bool,
}

/// Looks at the module that `uri` names, and at its tokens. Nothing is logged in to and no try is spent.
pub fn survey(uri: &Pkcs11Uri) -> Result<Survey, Error> {
    let module = Module::load(uri)?;
    let module = module.enter()?;
    let info = module
        .context()
        .get_library_info()
        .map_err(|error| CallError::new("C_GetInfo", &error))?;
    let slots = module
        .context()
        .get_slots_with_token()
        .map_err(|error| CallError::new("C_GetSlotList", &error))?;
    let slots = slots.into_iter().map(|slot| {
        let token = slot::look(&module, slot);
        let is_meant = slot::meant(&module, slot, &token, uri).is_some();
        SurveyedSlot {
            slot_id: slot.id(),
            token,
            is_meant,
        }
    });
    Ok(Survey {
        library: format!(
            "{}, {}, version {}.{}",
            info.library_description(),
            info.manufacturer_id(),
            info.library_version().major(),
            info.library_version().minor()
        ),
        slots: slots.collect(),
    })
}
