//! What a token says about itself.

use cryptoki_sys::{
    CK_SLOT_ID, CK_TOKEN_INFO, CKF_LOGIN_REQUIRED, CKF_PROTECTED_AUTHENTICATION_PATH,
    CKF_TOKEN_INITIALIZED, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED,
};
use privyseal_hsm::PinState;

use crate::error::CallError;
use crate::module::{text, wide};
use crate::raw::RawModule;
use crate::uri::{Pkcs11Uri, fits};

/// A token, as `C_GetTokenInfo` describes it, and the slot it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its label, without the padding.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// The number of its slot. Some modules renumber slots with each start.
    pub slot_id: u64,
    /// `CKF_LOGIN_REQUIRED`: keys are usable after a login only.
    pub login_required: bool,
    /// `CKF_PROTECTED_AUTHENTICATION_PATH`: the PIN is typed at a PIN pad, not given by software.
    pub protected_auth_path: bool,
    /// How the tries stand.
    pub pin_state: PinState,
    /// `ulMinPinLen` and `ulMaxPinLen`, where they can be true.
    pub pin_lengths: Option<(usize, usize)>,
    /// `ulMaxSessionCount`: how many sessions one process may have, where the token sets a bound.
    pub max_sessions: Option<u32>,
}

impl TokenInfo {
    /// The token in `slot`, as it is now. An uninitialized one has neither keys nor a name.
    pub(crate) fn of(module: &RawModule, slot: CK_SLOT_ID) -> Result<Self, CallError> {
        Ok(Self::read(slot, &module.token_info(slot)?))
    }

    pub(crate) fn read(slot: CK_SLOT_ID, info: &CK_TOKEN_INFO) -> Self {
        let has = |flag| info.flags & flag != 0;
        Self {
            label: text(&info.label),
            serial: text(&info.serialNumber),
            manufacturer: text(&info.manufacturerID),
            model: text(&info.model),
            slot_id: wide(slot),
            login_required: has(CKF_LOGIN_REQUIRED),
            protected_auth_path: has(CKF_PROTECTED_AUTHENTICATION_PATH),
            pin_state: pin_state(
                has(CKF_USER_PIN_LOCKED),
                has(CKF_USER_PIN_FINAL_TRY),
                has(CKF_USER_PIN_COUNT_LOW),
            ),
            pin_lengths: match (info.ulMinPinLen.try_into(), info.ulMaxPinLen.try_into()) {
                (Ok(min), Ok(max)) if min <= max && max > 0 => Some((min, max)),
                _ => None,
            },
            // Zero is "effectively infinite" and all ones "unavailable" (PKCS #11 3.1 section 3.2).
            max_sessions: u32::try_from(info.ulMaxSessionCount)
                .ok()
                .filter(|&max| max > 0 && max < u32::MAX),
        }
    }

    /// Stands in for a token whose `C_GetTokenInfo` fails: each assumed value is the one that cannot cost a PIN try.
    pub(crate) fn unreadable(slot: CK_SLOT_ID) -> Self {
        Self {
            slot_id: wide(slot),
            login_required: true,
            pin_state: PinState::Unknown,
            ..Self::default()
        }
    }

    /// The token as a URI. The slot's number is left out unless there is nothing else: modules may
    /// renumber.
    pub fn uri(&self) -> Pkcs11Uri {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        Pkcs11Uri {
            token: some(&self.label),
            serial: some(&self.serial),
            manufacturer: some(&self.manufacturer),
            model: some(&self.model),
            slot_id: (!self.has_name()).then_some(self.slot_id),
            ..Pkcs11Uri::default()
        }
    }

    /// Whether label or serial number tell it from others.
    const fn has_name(&self) -> bool {
        !self.label.is_empty() || !self.serial.is_empty()
    }

    /// What to call it in a message.
    pub(crate) fn name(&self) -> String {
        if self.label.is_empty() {
            format!("in slot {}", self.slot_id)
        } else {
            self.label.clone()
        }
    }

    pub(crate) fn fits(&self, uri: &Pkcs11Uri) -> bool {
        fits(uri.token.as_ref(), &self.label)
            && fits(uri.serial.as_ref(), &self.serial)
            && fits(uri.manufacturer.as_ref(), &self.manufacturer)
            && fits(uri.model.as_ref(), &self.model)
            && fits(uri.slot_id.as_ref(), &self.slot_id)
    }
}

/// Whether keys can be on it. SoftHSM always has one more slot with a token that is not.
pub(super) const fn is_initialized(info: &CK_TOKEN_INFO) -> bool {
    info.flags & CKF_TOKEN_INITIALIZED != 0
}

/// The worst flag counts.
const fn pin_state(locked: bool, final_try: bool, count_low: bool) -> PinState {
    match (locked, final_try, count_low) {
        (true, _, _) => PinState::Locked,
        (_, true, _) => PinState::FinalTry,
        (_, _, true) => PinState::CountLow,
        _ => PinState::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_flag_counts() {
        assert_eq!(pin_state(true, true, true), PinState::Locked);
        assert_eq!(pin_state(false, true, true), PinState::FinalTry);
        assert_eq!(pin_state(false, false, true), PinState::CountLow);
        assert_eq!(pin_state(false, false, false), PinState::Ok);
    }

    /// What made cryptoki refuse opencryptoki's answer does not keep the flags from being read.
    #[test]
    fn an_odd_clock_hides_nothing() {
        let mut info = CK_TOKEN_INFO {
            flags: CKF_LOGIN_REQUIRED | CKF_USER_PIN_FINAL_TRY | CKF_TOKEN_INITIALIZED,
            ulMaxSessionCount: 0,
            utcTime: *b"99:99 yesterday ",
            ..CK_TOKEN_INFO::default()
        };
        info.label = [b' '; 32];
        info.label[..5].copy_from_slice(b"e Sig");
        info.serialNumber[..2].copy_from_slice(b"\xff1");
        let token = TokenInfo::read(3, &info);
        assert_eq!((token.label.as_str(), token.slot_id), ("e Sig", 3));
        assert_eq!(token.serial, "\u{fffd}1", "not UTF-8, and still a token");
        assert_eq!(token.pin_state, PinState::FinalTry);
        assert!(token.login_required && !token.protected_auth_path);
        assert_eq!(token.max_sessions, None);
    }

    fn token() -> TokenInfo {
        TokenInfo {
            label: "eSeal; 1".into(),
            serial: "00ff".into(),
            slot_id: 7,
            ..TokenInfo::default()
        }
    }

    #[test]
    fn every_given_attribute_must_fit() {
        for (uri, fits) in [
            ("pkcs11:", true),
            ("pkcs11:token=eSeal%3B%201", true),
            ("pkcs11:token=eseal%3B%201", false),
            ("pkcs11:serial=00ff;slot-id=7", true),
            ("pkcs11:serial=00ff;slot-id=8", false),
            ("pkcs11:serial=", false),
            ("pkcs11:model=", true),
            ("pkcs11:serial=00ff%00%00;token=eSeal%3B%201%20", true),
        ] {
            assert_eq!(token().fits(&uri.parse().unwrap()), fits, "{uri}");
        }
    }

    #[test]
    fn its_uri_finds_it_again() {
        let uri = token().uri();
        assert_eq!(uri.to_string(), "pkcs11:serial=00ff;token=eSeal%3B%201");
        assert!(token().fits(&uri));
        let anonymous = TokenInfo {
            slot_id: 3,
            ..TokenInfo::default()
        };
        assert_eq!(anonymous.uri().to_string(), "pkcs11:slot-id=3");
    }
}
