//! What a device says about itself.

use crate::device::Device;
use crate::error::Error;

/// What a device says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// Serial number, ten digits.
    pub serial: String,
    /// Firmware: major, minor, patch.
    pub firmware: (u8, u8, u8),
    /// Entries that the log holds and can hold.
    pub log_used: (u8, u8),
    /// Objects that the device holds and can hold, of all domains.
    pub objects: (u16, u16),
}

impl Device {
    /// What the device says about itself.
    ///
    /// # Errors
    /// A call of the device fails.
    pub fn info(&self) -> Result<DeviceInfo, Error> {
        let info = self.call("DeviceInfo", yubihsm::Client::device_info)?;
        let storage = self.call("GetStorageInfo", yubihsm::Client::get_storage_info)?;
        Ok(DeviceInfo {
            serial: info.serial_number.to_string(),
            firmware: (info.major_version, info.minor_version, info.build_version),
            log_used: (info.log_store_used, info.log_store_capacity),
            objects: (
                storage.total_records.saturating_sub(storage.free_records),
                storage.total_records,
            ),
        })
    }
}
