//! What a module sees, without a login: to find the reason why a key cannot be opened.

use crate::error::{CallError, Error};
use crate::limits::START_WAIT;
use crate::module::{text, wide};
use crate::slot::{self, TokenInfo};
use crate::uri::Pkcs11Uri;

/// A module, and the tokens in its slots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// What the module says it is: description, manufacturer and version.
    pub library: String,
    /// The slots with a token in them.
    pub slots: Vec<SlotInfo>,
}

/// A slot with a token in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its number.
    pub slot_id: u64,
    /// The token; `None` if it is not initialized.
    pub token: Result<Option<TokenInfo>, CallError>,
    /// The token as a URI, ready to paste.
    pub uri: Option<Pkcs11Uri>,
    /// Whether it is one that the URI means.
    pub matches_uri: bool,
}

/// Looks at the module that `uri` names, and at its tokens. Nothing is logged in to and no try is spent.
///
/// # Errors
/// The module cannot be loaded or initialized, is not the one that the URI describes, or fails.
pub fn module_info(uri: &Pkcs11Uri) -> Result<ModuleInfo, Error> {
    let module = slot::module_of(uri)?;
    let module = module.enter()?;
    let _alone = module.module().alone(START_WAIT);
    let info = module.raw().info()?;
    let slots = module.raw().slots()?.into_iter().map(|slot| {
        let token = slot::look(&module, slot);
        let matches_uri = slot::matching_token(&module, slot, &token, uri).is_some();
        let name = token.as_ref().ok().and_then(|it| Some(it.as_ref()?.uri()));
        SlotInfo {
            slot_id: wide(slot),
            uri: name.map(|it| it.reached_as(uri)),
            token,
            matches_uri,
        }
    });
    let mut slots: Vec<SlotInfo> = slots.collect();
    let uris: Vec<_> = slots.iter().map(|it| it.uri.clone()).collect();
    for slot in &mut slots {
        let is_alike = uris.iter().filter(|it| **it == slot.uri).count() > 1;
        if let Some(uri) = slot.uri.as_mut().filter(|_| is_alike) {
            uri.slot_id = Some(slot.slot_id);
        }
    }
    Ok(ModuleInfo {
        library: format!(
            "{}, {}, version {}.{}",
            text(&info.libraryDescription),
            text(&info.manufacturerID),
            info.libraryVersion.major,
            info.libraryVersion.minor
        ),
        slots,
    })
}
