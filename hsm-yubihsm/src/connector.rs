//! The way to the device: HTTP to a connector process, or USB.

use yubihsm::{Connector, HttpConfig};

use crate::error::Error;
use crate::uri::Endpoint;

/// A connector for `endpoint`. Nothing is connected yet.
pub(crate) fn connector(endpoint: &Endpoint) -> Result<Connector, Error> {
    match endpoint {
        Endpoint::Http { host, port } => {
            let config = HttpConfig {
                addr: host.clone(),
                port: *port,
                ..HttpConfig::default()
            };
            Ok(Connector::http(&config))
        }
        Endpoint::Usb { serial } => usb(serial.as_deref()),
    }
}

#[cfg(feature = "usb")]
fn usb(serial: Option<&str>) -> Result<Connector, Error> {
    let serial = serial
        .map(str::parse)
        .transpose()
        .map_err(|error: yubihsm::device::Error| Error::Connector {
            device: "usb".into(),
            function: "serial number",
            reason: error.to_string(),
        })?;
    Ok(Connector::usb(&yubihsm::UsbConfig {
        serial,
        ..yubihsm::UsbConfig::default()
    }))
}

#[cfg(not(feature = "usb"))]
fn usb(_serial: Option<&str>) -> Result<Connector, Error> {
    Err(Error::UsbNotBuiltIn)
}
