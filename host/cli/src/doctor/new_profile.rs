//! What was found good, as a profile.

use std::path::Path;

use clap::Args;
use privyseal::keys::key::KeyUri;
use privyseal::profile::{NewProfile, Value, user_file};

use super::super::options::{KidOptions, OWN_CERTIFICATE};
use super::{Doctor, DoctorReport};
use crate::error::CliError;

/// What a profile says beside the key.
#[derive(Args)]
pub(super) struct ProfileOptions {
    /// If nothing is broken, add a profile of this name to the user's file: the key, and what is said here of
    /// scheme, client and server (--server is its base URL)
    #[arg(long, value_name = "NAME", requires_all = ["key", "scheme"], conflicts_with = OWN_CERTIFICATE)]
    pub(super) write_profile: Option<String>,
    /// For the profile: the client id, or party id, where the leaf certificate does not say it
    #[arg(long, value_name = "ID", requires = "write_profile")]
    client_id: Option<String>,
    /// For the profile: the realm (eHealth)
    #[arg(long, value_name = "REALM", requires = "write_profile")]
    realm: Option<String>,
    #[command(flatten)]
    kid: KidOptions,
}

/// Opens the client that the profile describes, and writes the profile if that works.
pub(super) fn write(
    doctor: &Doctor,
    name: &str,
    uri: &KeyUri,
    report: &mut DoctorReport,
) -> Result<(), CliError> {
    if report.broken() > 0 {
        let next = format!("the profile {name} is written once nothing is broken");
        report.next.push(next);
        return Ok(());
    }
    let path = user_file().ok_or_else(|| {
        let reason =
            "is for a user's file, and neither XDG_CONFIG_HOME nor HOME says where that is";
        CliError::option("--write-profile", reason)
    })?;
    let new = NewProfile::new(&path, name, members(doctor, uri)?)?;
    let profile = new.profile();
    profile.check()?;
    let mut builder = profile.client_builder()?;
    if let Some(signer) = report.signer.take() {
        builder = builder.opened(signer);
    }
    builder.open()?;
    new.write()?;
    report.next = vec![format!(
        "nothing is broken, and the profile {name} is in {}: ask for a token (privyseal token --profile {name})",
        path.display()
    )];
    if uri.pin_value().is_some() {
        let no_pin = "the profile has no PIN, pin-value stays out of it: give its key a pin-source, or set PRIVYSEAL_PIN";
        report.next.push(no_pin.to_owned());
    }
    Ok(())
}

fn members(doctor: &Doctor, uri: &KeyUri) -> Result<Vec<(&'static str, Value)>, CliError> {
    let options = &doctor.profile;
    let scheme = doctor.scheme.map(|scheme| scheme.name().to_owned());
    let chain = super::chain_file(&doctor.chain);
    let chain = chain.as_deref().map(|path| absolute("--chain", path));
    let cacert = doctor.way.cacert();
    let cacert = cacert.map(|path| absolute("--cacert", path));
    let key = uri
        .absolute()
        .map_err(|error| CliError::option("--key", error))?;
    let texts = [
        ("scheme", scheme),
        ("key", Some(key.to_string())),
        ("chain", chain.transpose()?),
        ("client-id", options.client_id.clone()),
        ("realm", options.realm.clone()),
        ("base-url", doctor.server.clone()),
        ("cacert", cacert.transpose()?),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(member, text)| Some((member, Value::Text(text?))));
    Ok(texts
        .chain(options.kid.members())
        .chain(doctor.key.access.members())
        .collect())
}

/// A profile lies elsewhere.
fn absolute(option: &'static str, path: &Path) -> Result<String, CliError> {
    let path = path
        .canonicalize()
        .map_err(|error| CliError::option(option, error))?;
    path.into_os_string()
        .into_string()
        .map_err(|_| CliError::option(option, "has a path that is not UTF-8"))
}
