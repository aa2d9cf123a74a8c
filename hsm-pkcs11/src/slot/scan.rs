//! Walks the slots. A token that cannot be read is passed over (and named if nothing fits): one odd
//! reader must not hide the others.

use cryptoki_sys::CK_SLOT_ID;

use super::token_info::{TokenInfo, is_initialized};
use crate::error::{CallError, Error, SelectError};
use crate::module::{Entered, text, wide};
use crate::uri::{Pkcs11Uri, fits};

/// Who makes SoftHSM's slots.
const SOFTHSM: &str = "SoftHSM project";

/// A token and the slot it is in.
#[derive(Clone, Debug)]
pub(crate) struct FoundToken {
    pub(crate) slot: CK_SLOT_ID,
    pub(crate) info: TokenInfo,
}

/// The one token that `uri` means.
pub(crate) fn select(module: &Entered<'_>, uri: &Pkcs11Uri) -> Result<FoundToken, Error> {
    let mut matching = Vec::new();
    let mut present = Vec::new();
    for slot in module.raw().slots()? {
        let token = look(module, slot);
        match matching_token(module, slot, &token, uri) {
            Some(info) => matching.push(FoundToken { slot, info }),
            None => present.extend(described(slot, &token, uri)),
        }
    }
    the_one(matching, present, uri)
}

/// Whether `slot` is SoftHSM's, perhaps behind another module; where no token was found, whether any is.
pub(crate) fn is_softhsm(module: &Entered<'_>, slot: Option<CK_SLOT_ID>) -> bool {
    let is_softhsm = |slot| {
        let info = module.raw().slot_info(slot);
        info.is_ok_and(|info| text(&info.manufacturerID) == SOFTHSM)
    };
    let slots = slot.map_or_else(|| module.raw().slots(), |slot| Ok(vec![slot]));
    slots.is_ok_and(|slots| slots.into_iter().any(is_softhsm))
}

/// The token in `slot`, as [`look`] found it, if it is one that `uri` means.
pub(crate) fn matching_token(
    module: &Entered<'_>,
    slot: CK_SLOT_ID,
    token: &Look,
    uri: &Pkcs11Uri,
) -> Option<TokenInfo> {
    let info = match token {
        Ok(info) => info.clone()?,
        // A token that does not say what it is can be named by its slot.
        Err(_) if uri.slot_id == Some(wide(slot)) => TokenInfo::unreadable(slot),
        Err(_) => return None,
    };
    (info.fits(uri) && slot_fits(module, slot, uri)).then_some(info)
}

/// None: not initialized yet, so without keys; every SoftHSM has such a slot.
pub(crate) type Look = Result<Option<TokenInfo>, CallError>;

pub(crate) fn look(module: &Entered<'_>, slot: CK_SLOT_ID) -> Look {
    let info = module.raw().token_info(slot)?;
    Ok(is_initialized(&info).then(|| TokenInfo::read(slot, &info)))
}

fn slot_fits(module: &Entered<'_>, slot: CK_SLOT_ID, uri: &Pkcs11Uri) -> bool {
    let (description, manufacturer) = (&uri.slot_description, &uri.slot_manufacturer);
    if description.is_none() && manufacturer.is_none() {
        return true;
    }
    module.raw().slot_info(slot).is_ok_and(|info| {
        fits(description.as_ref(), &text(&info.slotDescription))
            && fits(manufacturer.as_ref(), &text(&info.manufacturerID))
    })
}

/// A token that is not meant, for a message about another.
fn described(slot: CK_SLOT_ID, token: &Look, uri: &Pkcs11Uri) -> Option<String> {
    match token {
        Ok(Some(info)) => Some(info.uri().reached_as(uri).to_string()),
        Ok(None) => (uri.slot_id == Some(wide(slot)))
            .then(|| format!("a token that is not initialized in slot {}", wide(slot))),
        Err(error) => Some(format!(
            "a token that cannot be read in slot {0} (pkcs11:slot-id={0}; {error})",
            wide(slot)
        )),
    }
}

fn the_one(
    matching: Vec<FoundToken>,
    present: Vec<String>,
    given: &Pkcs11Uri,
) -> Result<FoundToken, Error> {
    let alike = |one: &FoundToken, other: &FoundToken| one.info.uri() == other.info.uri();
    let name = |token: &FoundToken, is_alike: bool| {
        let mut its = token.info.uri();
        its.slot_id = its.slot_id.or(is_alike.then_some(token.info.slot_id));
        its.reached_as(given).to_string()
    };
    let only = SelectError::only(matching, alike, name).map_err(Error::Token)?;
    let count = present.len();
    only.ok_or_else(|| Error::Token(SelectError::none(present.into_iter(), count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_look_alike_are_told_apart_by_their_slots() {
        let token = |slot, label: &str| FoundToken {
            slot,
            info: TokenInfo {
                label: label.into(),
                slot_id: wide(slot),
                ..TokenInfo::default()
            },
        };
        let found = vec![token(1, "a"), token(2, "a"), token(3, "b")];
        let error = the_one(found, Vec::new(), &"pkcs11:?module-name=m".parse().unwrap())
            .unwrap_err()
            .to_string();
        let named = "pkcs11:slot-id=1;token=a?module-name=m or pkcs11:slot-id=2;token=a?module-name=m or pkcs11:token=b?module-name=m";
        assert!(error.ends_with(named), "{error}");
    }
}
