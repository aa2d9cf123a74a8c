//! What a gateway tells of itself.

use core::fmt;
use core::ops::Deref;

use privyseal_protocol::authority::{renewal_statement, set_time_statement};
use privyseal_protocol::{Info, Origin, ReadOut, Refusal};
use serde_json::{Value, json};

use crate::error::{DeviceError, untrue};
use crate::hex;
use crate::moment::moment;

/// What a device tells of itself to anyone: the fields of [`Info`]. It is what it says, and proved by nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The firmware's version, escaped: it may be shown on a terminal.
    pub firmware: String,
    info: Info<'static>,
}

impl Deref for DeviceInfo {
    type Target = Info<'static>;

    fn deref(&self) -> &Info<'static> {
        &self.info
    }
}

impl DeviceInfo {
    /// The device's id, 24 hexadecimal digits.
    pub fn device_id(&self) -> String {
        hex::encode(&self.device)
    }

    /// Whether the key is kept under an unlock secret if it was given one, and only then.
    pub(crate) fn check_unlock(&self, is_given: bool) -> Result<(), DeviceError> {
        if self.at_rest.is_some_and(|it| it.unlock_secret == is_given) {
            return Ok(());
        }
        untrue("it keeps its key under another secret than it was given, or under none")
    }

    /// Whether the device says that it runs this image (SHA-256).
    ///
    /// # Errors
    /// [`DeviceError::OtherImage`].
    pub fn check_image(&self, expected: &[u8; 32]) -> Result<(), DeviceError> {
        if self.image == *expected {
            return Ok(());
        }
        let found = hex::encode(&self.image);
        Err(DeviceError::OtherImage { found })
    }

    /// Whether the device says that its flash is kept from a probe.
    ///
    /// # Errors
    /// [`DeviceError::ReadOut`].
    pub fn check_read_out(&self) -> Result<(), DeviceError> {
        match self.read_out {
            Some(ReadOut::Protected | ReadOut::Closed) => Ok(()),
            found => Err(DeviceError::ReadOut {
                found: found.map_or("not known", ReadOut::name),
            }),
        }
    }

    /// The line that the provisioning authority signs to set the time
    /// ([`privyseal_protocol::authority`]).
    pub fn set_time_statement(&self, now: u64) -> String {
        set_time_statement(&self.device, &self.challenge, now)
            .as_str()
            .to_owned()
    }

    /// The line that the authority signs for another policy, which has this fingerprint
    /// ([`Package::fingerprint`](crate::Package::fingerprint)).
    pub fn renewal_statement(&self, policy: &[u8; 32]) -> String {
        renewal_statement(&self.device, &self.challenge, policy)
            .as_str()
            .to_owned()
    }

    /// As JSON; the members have the names of the fields.
    pub fn to_json(&self) -> Value {
        json!({
            "device": self.device_id(),
            "read_out": self.read_out.map(|level| level.to_string()),
            "state": self.state.to_string(),
            "fault": self.fault.map(|fault| Refusal::word(fault.code())),
            "firmware": self.firmware,
            "image": hex::encode(&self.image),
            "key_sha256": self.key.map(|key| hex::encode(&key)),
            "key_origin": self.origin.map(|origin| origin.to_string()),
            "at_rest": self.at_rest.map(|at_rest| json!({
                "device_secret": at_rest.device_secret,
                "unlock_secret": at_rest.unlock_secret,
            })),
            "counter": self.counter,
            "time_floor": self.time_floor,
            "time_ceiling": self.time_ceiling,
            "challenge": hex::encode(&self.challenge),
            "rate_left": self.rate_left,
            "boots": self.boots,
            "uptime_ms": self.uptime,
            "log_next": self.log_next,
            "bad_frames": self.bad_frames,
        })
    }
}

impl From<Info<'_>> for DeviceInfo {
    fn from(info: Info<'_>) -> Self {
        Self {
            firmware: info.firmware.escape_default().to_string(),
            // The only text in it is the firmware's version.
            info: Info {
                firmware: "",
                ..info
            },
        }
    }
}

impl fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "device        {}", self.device_id())?;
        writeln!(f, "state         {}", self.state)?;
        if let Some(fault) = self.fault {
            writeln!(f, "because       {fault}")?;
            writeln!(f, "what to do    {}", way_out(fault))?;
        }
        writeln!(f, "firmware      {}", self.firmware)?;
        writeln!(f, "image         {}", hex::encode(&self.image))?;
        match self.read_out {
            Some(ReadOut::Open) => {
                writeln!(f, "read-out      open: anyone with a probe reads the key")?;
            }
            Some(level) => writeln!(f, "read-out      {level}")?,
            None => writeln!(f, "read-out      not known")?,
        }
        match &self.key {
            Some(key) => writeln!(f, "key sha256    {}", hex::encode(key))?,
            None => writeln!(f, "key sha256    none")?,
        }
        match self.origin {
            Some(Origin::Generated) => writeln!(f, "key origin    generated: made by the device")?,
            Some(origin) => writeln!(f, "key origin    {origin}")?,
            None => {}
        }
        if let Some(at_rest) = self.at_rest {
            writeln!(f, "at rest       {at_rest}")?;
        }
        writeln!(f, "signed        {} in its life", self.counter)?;
        writeln!(f, "rate left     {} at once", self.rate_left)?;
        writeln!(f, "time floor    {}", moment(self.time_floor))?;
        writeln!(f, "time ceiling  {}", moment(self.time_ceiling))?;
        writeln!(f, "log           {} entries written", self.log_next)?;
        let (up, starts) = (self.uptime / 1000, self.boots);
        writeln!(
            f,
            "up            {up} s, {starts} starts with key and policy"
        )?;
        write!(f, "bad frames    {}", self.bad_frames)
    }
}

/// What ends a fault: wiping a device destroys its key, which most of them do not ask for.
const fn way_out(fault: Refusal) -> &'static str {
    match fault {
        Refusal::Entropy | Refusal::Storage => {
            "start it again; if that does not help, its hardware has failed: replace it"
        }
        _ => "read its log, then wipe it and provision it again, or replace it",
    }
}
