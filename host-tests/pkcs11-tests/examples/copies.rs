//! Copies a key on its token until there are as many as that: `copies KEY-URI COUNT`. The copies have other labels and ids.
//! `cargo xtask bench keys` fills a throw-away SoftHSM token with it.

use std::error::Error;
use std::fs;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use privyseal_pkcs11::Pkcs11Uri;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [key, count] = &arguments[..] else {
        return Err("usage: copies KEY-URI COUNT".into());
    };
    let uri: Pkcs11Uri = key.parse()?;
    let source = uri.pin_source().unwrap_or_default();
    let pin = fs::read_to_string(source.strip_prefix("file:").unwrap_or(source))?;
    let module = Pkcs11::new(uri.module_path()?)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let slot = *module
        .get_slots_with_initialized_token()?
        .first()
        .ok_or("there is no token")?;
    let session = module.open_rw_session(slot)?;
    session.login(UserType::User, Some(&AuthPin::new(pin.trim_end().into())))?;
    let label = |label: &str| Attribute::Label(label.as_bytes().to_vec());
    let name = uri.object().ok_or("the URI names no key")?;
    let one = |class| {
        let found = session.find_objects(&[Attribute::Class(class), label(name)])?;
        found
            .first()
            .copied()
            .ok_or_else(|| Box::<dyn Error>::from("no such key"))
    };
    let pair = [
        one(ObjectClass::PRIVATE_KEY)?,
        one(ObjectClass::PUBLIC_KEY)?,
    ];
    let there = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])?;
    for number in there.len()..count.parse()? {
        let id = Attribute::Id(u32::try_from(number)?.to_be_bytes().to_vec());
        let other = [label(&format!("copy {number}")), id, Attribute::Token(true)];
        for object in pair {
            session.copy_object(object, &other)?;
        }
    }
    Ok(())
}
