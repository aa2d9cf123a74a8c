//! What a token says about itself.

use cryptoki::slot;

use crate::uri::Pkcs11Uri;

/// A token, as `C_GetTokenInfo` describes it, and the slot it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its label, without the padding.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// The number of its slot. Some modules number slots anew with each start.
    pub slot_id: u64,
    /// `CKF_LOGIN_REQUIRED`: keys are usable after a login only.
    pub login_required: bool,
    /// `CKF_PROTECTED_AUTHENTICATION_PATH`: the PIN is typed at a PIN pad, not given by software.
    pub protected_auth_path: bool,
    /// How the tries stand.
    pub pin_state: PinState,
}

/// What the token's flags say about the tries that are left, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinState {
    /// `CKF_USER_PIN_LOCKED`: no try is left.
    Locked,
    /// `CKF_USER_PIN_FINAL_TRY`: one try is left.
    FinalTry,
    /// The flags cannot be read: perhaps one try is left.
    #[default]
    Unknown,
    /// `CKF_USER_PIN_COUNT_LOW`: a wrong PIN was given since the last right one.
    CountLow,
    /// None of these flags. Tokens that do not count, such as SoftHSM, always say so.
    Ok,
}

impl TokenInfo {
    pub(crate) fn read(slot: slot::Slot, info: &slot::TokenInfo) -> Self {
        Self {
            label: info.label().to_owned(),
            serial: info.serial_number().to_owned(),
            manufacturer: info.manufacturer_id().to_owned(),
            model: info.model().to_owned(),
            slot_id: slot.id(),
            login_required: info.login_required(),
            protected_auth_path: info.protected_authentication_path(),
            pin_state: PinState::from_flags(
                info.user_pin_locked(),
                info.user_pin_final_try(),
                info.user_pin_count_low(),
            ),
        }
    }

    /// A token that does not say what it is: assumed is what costs nothing if it is wrong.
    pub(crate) fn unreadable(slot: slot::Slot) -> Self {
        Self {
            slot_id: slot.id(),
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
        let fits = |wanted: &Option<String>, is: &String| wanted.as_ref().is_none_or(|it| it == is);
        fits(&uri.token, &self.label)
            && fits(&uri.serial, &self.serial)
            && fits(&uri.manufacturer, &self.manufacturer)
            && fits(&uri.model, &self.model)
            && uri.slot_id.is_none_or(|wanted| wanted == self.slot_id)
    }
}

impl PinState {
    const fn from_flags(locked: bool, final_try: bool, count_low: bool) -> Self {
        match (locked, final_try, count_low) {
            (true, _, _) => Self::Locked,
            (_, true, _) => Self::FinalTry,
            (_, _, true) => Self::CountLow,
            _ => Self::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_flag_counts() {
        assert_eq!(PinState::from_flags(true, true, true), PinState::Locked);
        assert_eq!(PinState::from_flags(false, true, true), PinState::FinalTry);
        assert_eq!(PinState::from_flags(false, false, true), PinState::CountLow);
        assert_eq!(PinState::from_flags(false, false, false), PinState::Ok);
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
