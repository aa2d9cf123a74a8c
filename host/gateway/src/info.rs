//! What a gateway tells of itself.

use core::fmt;

use privyseal_core::UnixTime;
use privyseal_protocol::authority::{CHALLENGE_LEN, set_time_statement};
use privyseal_protocol::{DeviceId, DeviceState, Generation, Info, Origin, ReadOut, Refusal};
use serde_json::{Value, json};

use crate::hex;

/// What a device tells of itself to anyone. It is what it says, and proved by nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The firmware's version.
    pub firmware: String,
    /// SHA-256 of the firmware's image, as the device read it.
    pub image: [u8; 32],
    /// Which device.
    pub device: DeviceId,
    /// Whether the part keeps its flash from a probe; nothing where it cannot say.
    pub read_out: Option<ReadOut>,
    /// What it can do now.
    pub state: DeviceState,
    /// Why it signs no more, if it does not.
    pub fault: Option<Refusal>,
    /// SHA-256 of the key's SubjectPublicKeyInfo, if there is a key.
    pub key: Option<[u8; 32]>,
    /// Assertions signed in the device's life.
    pub counter: u64,
    /// No assertion is made for an earlier time, in seconds since the epoch.
    pub time_floor: u64,
    /// The latest time that it believes now, in seconds since the epoch; 0 without a policy.
    pub time_ceiling: u64,
    /// What the provisioning authority must sign next.
    pub challenge: [u8; CHALLENGE_LEN],
    /// Assertions that the rate limit allows at once now.
    pub rate_left: u16,
    /// Times the device has started with a key.
    pub boots: u32,
    /// Milliseconds since it started.
    pub uptime: u64,
    /// The number that the next entry of its log will have.
    pub log_next: u32,
    /// Frames that it could not read since it started.
    pub bad_frames: u32,
    /// Where the key comes from, if there is a key.
    pub origin: Option<Origin>,
    /// How far a key is that is being made.
    pub generation: Option<Generation>,
}

impl DeviceInfo {
    /// The device's id, 24 hexadecimal digits.
    pub fn device_id(&self) -> String {
        hex::encode(&self.device)
    }

    /// The line that the provisioning authority signs to set the time
    /// ([`privyseal_protocol::authority`]).
    pub fn set_time_statement(&self, now: u64) -> String {
        set_time_statement(&self.device, &self.challenge, now)
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
            // It may be shown on a terminal.
            firmware: info.firmware.escape_default().to_string(),
            image: info.image,
            device: info.device,
            read_out: info.read_out,
            state: info.state,
            fault: info.fault,
            key: info.key,
            counter: info.counter,
            time_floor: info.time_floor,
            time_ceiling: info.time_ceiling,
            challenge: info.challenge,
            rate_left: info.rate_left,
            boots: info.boots,
            uptime: info.uptime,
            log_next: info.log_next,
            bad_frames: info.bad_frames,
            origin: info.origin,
            generation: info.generation,
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
        writeln!(f, "signed        {} in its life", self.counter)?;
        writeln!(f, "rate left     {} at once", self.rate_left)?;
        writeln!(f, "time floor    {}", moment(self.time_floor))?;
        writeln!(f, "time ceiling  {}", moment(self.time_ceiling))?;
        writeln!(f, "log           {} entries written", self.log_next)?;
        writeln!(
            f,
            "up            {} s, start {}",
            self.uptime / 1000,
            self.boots
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

/// A moment that a device names, which may be any number.
pub(crate) fn moment(seconds: u64) -> String {
    match UnixTime::from_secs(seconds) {
        Ok(_) if seconds == 0 => "none".to_owned(),
        Ok(time) => time.to_string(),
        Err(_) => format!("{seconds} s"),
    }
}
