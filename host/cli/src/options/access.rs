//! How far to go to use a key, and what it must be.

use clap::Args;
use privyseal::keys::key::{KeySigner, KeyUnwrapper, KeyUri, OpenedKey, SignerOptions};
use privyseal::profile::Value;
use privyseal::{DeviceUri, KeyPolicy, LoginPolicy, PinSources, Prompt};

use crate::error::CliError;
use crate::output::say;

/// How far to go to use a key, and what it must be.
#[derive(Args, Clone, Copy)]
pub(crate) struct AccessOptions {
    /// Give the PIN even if it is the last try before the token locks
    #[arg(long)]
    spend_final_pin_try: bool,
    /// Refuse a PIN file that every user of this machine can read; without it that is a warning
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    key: KeyPolicyOptions,
}

/// [`KeyPolicy`], each field an option.
#[derive(Args, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
struct KeyPolicyOptions {
    /// Refuse a key that can leave the token (CKA_EXTRACTABLE)
    #[arg(long, help_heading = POLICY)]
    refuse_extractable: bool,
    /// Refuse a key that has no certificate on the token
    #[arg(long, help_heading = POLICY)]
    require_certificate: bool,
    /// Refuse a smaller key
    #[arg(long, value_name = "BITS", default_value_t = 2048, help_heading = POLICY)]
    min_key_bits: usize,
    /// Accept a key that can be used without a login (CKA_PRIVATE is false)
    #[arg(long, help_heading = POLICY)]
    allow_public_object: bool,
    /// Accept a key that can be read in clear (CKA_SENSITIVE is false)
    #[arg(long, help_heading = POLICY)]
    allow_not_sensitive: bool,
    /// Accept a key although the certificate with its CKA_ID is another key's
    #[arg(long, help_heading = POLICY)]
    allow_other_certificate: bool,
}

const POLICY: &str = "What a pkcs11: key must be";

impl AccessOptions {
    pub(crate) fn policy(&self) -> SignerOptions {
        let login = LoginPolicy::new(self.spend_final_pin_try);
        SignerOptions::default().login(login).key(self.key.policy())
    }

    /// That a new key of so many bits is what is asked for.
    pub(crate) fn check_new(&self, bits: u32) -> Result<(), CliError> {
        if self.key.require_certificate {
            let reason = "is for a key that is there: a new one has no certificate yet";
            return Err(CliError::option("--require-certificate", reason));
        }
        if u32::try_from(self.key.min_key_bits).is_ok_and(|min| min <= bits) {
            Ok(())
        } else {
            let reason = format!("is more than the {bits} of the new key (--bits)");
            Err(CliError::option("--min-key-bits", reason))
        }
    }

    /// What the key must be, as members of a profile.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let key = &self.key;
        let bits = u64::try_from(key.min_key_bits).unwrap_or(u64::MAX);
        let bits = (bits != 2048).then_some(("min-key-bits", Value::Number(bits)));
        let flags = [
            ("refuse-extractable", key.refuse_extractable),
            ("require-certificate", key.require_certificate),
            ("allow-public-object", key.allow_public_object),
            ("allow-not-sensitive", key.allow_not_sensitive),
            ("allow-other-certificate", key.allow_other_certificate),
        ];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
        let flags = flags.map(|(member, is_set)| (member, Value::Flag(is_set)));
        bits.into_iter().chain(flags)
    }

    /// Where the PIN of `uri` comes from; warnings go to standard error.
    pub(crate) fn pins(&self, uri: &KeyUri) -> PinSources<'static> {
        pins(uri)
            .offer_refused(self.spend_final_pin_try)
            .strict(self.strict)
    }

    /// Opens the key for decryption, asking for its PIN where one is needed.
    pub(crate) fn open_unwrapper(&self, uri: &KeyUri) -> Result<KeyUnwrapper, CliError> {
        Ok(uri.open_unwrapper(&mut self.pins(uri), &self.policy())?)
    }

    /// Opens the key, asking for its PIN where one is needed.
    pub(crate) fn open(&self, uri: &KeyUri) -> Result<KeySigner, CliError> {
        Ok(uri.open(&mut self.pins(uri), &self.policy())?)
    }

    /// Opens a key of any kind, for its public half.
    pub(crate) fn open_any(&self, uri: &KeyUri) -> Result<OpenedKey, CliError> {
        Ok(uri.open_any(&mut self.pins(uri), &self.policy())?)
    }

    pub(super) fn refuse_for_device(&self, uri: &DeviceUri) -> Result<(), CliError> {
        if self.spend_final_pin_try {
            let reason = format!("is for keys with a PIN, and {uri} has none");
            return Err(CliError::option("--spend-final-pin-try", reason));
        }
        Ok(KeyUri::Device(uri.clone()).check_policy(&self.policy())?)
    }
}

/// Where the PIN of `key` comes from; warnings go to standard error.
pub(crate) fn pins(key: &KeyUri) -> PinSources<'static> {
    key.pin_sources(Prompt::OnTerminal, |warning| {
        say!("warning: {warning}");
    })
}

impl KeyPolicyOptions {
    fn policy(&self) -> KeyPolicy {
        KeyPolicy::default()
            .allow_public_object(self.allow_public_object)
            .allow_not_sensitive(self.allow_not_sensitive)
            .refuse_extractable(self.refuse_extractable)
            .allow_other_certificate(self.allow_other_certificate)
            .require_certificate(self.require_certificate)
            .min_bits(self.min_key_bits)
    }
}
