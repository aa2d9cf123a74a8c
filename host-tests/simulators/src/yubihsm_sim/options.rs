//! Device options: force-audit, and which commands are logged.

use super::device::Device;
use super::wire::{Cmd, Fields, Outcome, Refusal};

const FORCE_AUDIT: u8 = 1;
const COMMAND_AUDIT: u8 = 3;

/// What is not logged unless somebody asks for it. The two commands that drain the log never are.
pub(super) const SILENT: [Cmd; 11] = [
    Cmd::Echo,
    Cmd::DeviceInfo,
    Cmd::GetStorageInfo,
    Cmd::ListObjects,
    Cmd::GetObjectInfo,
    Cmd::GetPublicKey,
    Cmd::GetOption,
    Cmd::GetPseudoRandom,
    Cmd::GetLogEntries,
    Cmd::SetLogIndex,
    Cmd::BlinkDevice,
];

/// Whether a command is logged.
pub(super) fn is_logged(device: &Device, command: Cmd) -> bool {
    device
        .audited
        .get(&command)
        .copied()
        .unwrap_or(!SILENT.contains(&command))
}

pub(super) fn set(device: &mut Device, mut fields: Fields<'_>) -> Outcome {
    let (option, len) = (fields.u8()?, fields.u16()?);
    let value = fields.take(len.into())?;
    fields.end()?;
    match (option, value) {
        (FORCE_AUDIT, &[value @ 0..=2]) => device.log.force = value != 0,
        (COMMAND_AUDIT, pairs) if pairs.len().is_multiple_of(2) => {
            for pair in pairs.chunks_exact(2) {
                let command = Cmd::from_u8(pair[0]).ok_or(Refusal::InvalidData)?;
                if !matches!(command, Cmd::GetLogEntries | Cmd::SetLogIndex) {
                    device.audited.insert(command, pair[1] != 0);
                }
            }
        }
        _ => return Err(Refusal::InvalidData),
    }
    Ok(Vec::new())
}

pub(super) fn get(device: &Device, mut fields: Fields<'_>) -> Outcome {
    let option = fields.u8()?;
    fields.end()?;
    match option {
        FORCE_AUDIT => Ok(vec![u8::from(device.log.force)]),
        COMMAND_AUDIT => {
            let pair = |command: Cmd| [command.byte(), u8::from(is_logged(device, command))];
            Ok(Cmd::ALL.into_iter().flat_map(pair).collect())
        }
        _ => Err(Refusal::InvalidData),
    }
}
