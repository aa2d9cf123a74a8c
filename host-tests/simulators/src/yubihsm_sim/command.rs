//! Commands inside a session: who may, what happens, what the log says.

use super::capability as may;
use super::device::Device;
use super::keys::{self, RsaKey};
use super::log::{CAPACITY, Event};
use super::misbehaviour::{Misbehaviour, spoil};
use super::object::{
    ASYMMETRIC_KEY, AUTHENTICATION_KEY, Attributes, Content, GENERATED, IMPORTED, LABEL, OPAQUE,
    Object,
};
use super::options;
use super::scp03::StaticKeys;
use super::wire::{Cmd, Fields, Outcome, Refusal, answer, frame};

/// Does a command and gives the inner answer.
pub(super) fn run(
    device: &mut Device,
    known: Option<Cmd>,
    code: u8,
    auth_key: u16,
    fields: Fields<'_>,
    wrong: &[Misbehaviour],
) -> Vec<u8> {
    let Some(command) = known else {
        return answer(code, &Err(Refusal::InvalidCommand));
    };
    for what in wrong {
        if let Misbehaviour::Refuse(refusal) = what {
            return frame(0x7f, &[*refusal]);
        }
    }
    // Draining must go on.
    let drains = matches!(
        command,
        Cmd::GetLogEntries | Cmd::SetLogIndex | Cmd::CloseSession
    );
    if device.log.blocks() && options::is_logged(device, command) && !drains {
        return answer(code, &Err(Refusal::LogFull));
    }
    let length = u16::try_from(fields.0.len()).expect("messages are small");
    let target = target(command, &fields);
    let mut outcome = dispatch(device, command, auth_key, fields);
    let result = if outcome.is_ok() { code | 0x80 } else { 0x7f };
    let event = Event {
        target,
        ..Event::plain(code, length, auth_key, result)
    };
    device.log_event(command, event);
    if let Ok(data) = &mut outcome {
        for what in wrong {
            spoil(*what, data);
        }
    }
    answer(code, &outcome)
}

fn dispatch(device: &mut Device, command: Cmd, auth_key: u16, mut fields: Fields<'_>) -> Outcome {
    let session = Rights::of(device.auth_key(auth_key)?);
    session.need(capability(command))?;
    match command {
        Cmd::Echo => Ok(fields.rest().to_vec()),
        Cmd::DeviceInfo => device_info(device, fields),
        Cmd::GetStorageInfo => Ok(device.store.storage()),
        Cmd::CloseSession | Cmd::BlinkDevice => Ok(Vec::new()),
        Cmd::PutOpaque => {
            let attributes = Attributes::read(&mut fields)?;
            let content = Content::Opaque(fields.rest().to_vec());
            session.put(device, attributes, 0, IMPORTED, content)
        }
        Cmd::GetOpaque => {
            match &device
                .store
                .get(OPAQUE, last_u16(fields)?, session.domains)?
                .content
            {
                Content::Opaque(content) => Ok(content.clone()),
                _ => Err(Refusal::ObjectNotFound),
            }
        }
        Cmd::PutAuthenticationKey => {
            let attributes = Attributes::read(&mut fields)?;
            let delegated = fields.u64()?;
            let keys = StaticKeys::from_bytes(&fields.array()?);
            fields.end()?;
            session.may_give(delegated)?;
            let content = Content::AuthenticationKey(keys);
            session.put(device, attributes, delegated, IMPORTED, content)
        }
        Cmd::PutAsymmetricKey => {
            let attributes = Attributes::read(&mut fields)?;
            let size = keys::size(attributes.algorithm).ok_or(Refusal::InvalidData)?;
            let key = RsaKey::from_primes(fields.take(size)?)?;
            fields.end()?;
            session.put(
                device,
                attributes,
                0,
                IMPORTED,
                Content::Asymmetric(Box::new(key)),
            )
        }
        Cmd::GenerateAsymmetricKey => {
            let attributes = Attributes::read(&mut fields)?;
            fields.end()?;
            let size = keys::size(attributes.algorithm).ok_or(Refusal::InvalidData)?;
            let key = RsaKey::generate(size);
            session.put(
                device,
                attributes,
                0,
                GENERATED,
                Content::Asymmetric(Box::new(key)),
            )
        }
        Cmd::SignPkcs1 => {
            let (object, key) = session.key(device, fields.u16()?)?;
            Rights::of(object).need(may::SIGN_PKCS)?;
            let signature = key.sign(fields.rest())?;
            device.signatures += 1;
            Ok(signature)
        }
        Cmd::DecryptOaep => {
            let (object, key) = session.key(device, fields.u16()?)?;
            Rights::of(object).need(may::DECRYPT_OAEP)?;
            let mgf = fields.u8()?;
            key.decrypt_oaep(mgf, fields.rest())
        }
        Cmd::ListObjects => list(device, session.domains, fields),
        Cmd::GetObjectInfo => {
            let (id, kind) = (fields.u16()?, fields.u8()?);
            fields.end()?;
            device
                .store
                .get(kind, id, session.domains)
                .map(Object::info)
        }
        Cmd::GetPublicKey => {
            let (object, key) = session.key(device, last_u16(fields)?)?;
            Ok([&[object.attributes.algorithm][..], &key.modulus()].concat())
        }
        Cmd::SignAttestationCertificate => {
            let (id, by) = (fields.u16()?, last_u16(fields)?);
            if by != 0 {
                return Err(Refusal::ObjectNotFound);
            }
            let (object, key) = session.key(device, id)?;
            Ok(device.attester.attest(object, &key.spki_der()))
        }
        Cmd::DeleteObject => {
            let (id, kind) = (fields.u16()?, fields.u8()?);
            fields.end()?;
            device.store.get(kind, id, session.domains)?;
            session.need(match kind {
                OPAQUE => may::DELETE_OPAQUE,
                AUTHENTICATION_KEY => may::DELETE_AUTHENTICATION_KEY,
                _ => may::DELETE_ASYMMETRIC_KEY,
            })?;
            device.store.remove(kind, id);
            Ok(Vec::new())
        }
        Cmd::GetLogEntries => Ok(device.log.read()),
        Cmd::SetLogIndex => {
            let number = last_u16(fields)?;
            if device.log.forget_to(number) {
                Ok(Vec::new())
            } else {
                Err(Refusal::InvalidData)
            }
        }
        Cmd::SetOption => options::set(device, fields),
        Cmd::GetOption => options::get(device, fields),
        Cmd::GetPseudoRandom => {
            let mut random = vec![0; usize::from(last_u16(fields)?).min(2021)];
            getrandom::fill(&mut random).expect("the system has entropy");
            Ok(random)
        }
        Cmd::CreateSession | Cmd::AuthenticateSession | Cmd::SessionMessage => {
            Err(Refusal::InvalidCommand)
        }
    }
}

/// Its second page is the part number.
pub(super) fn device_info(device: &Device, mut fields: Fields<'_>) -> Outcome {
    if fields.rest() == [1] {
        return Ok(b"SIMULATOR".to_vec());
    }
    let capacity = u8::try_from(CAPACITY).expect("62");
    let mut info = device.firmware.to_vec();
    info.extend(12_345_678_u32.to_be_bytes());
    info.extend([capacity, device.log.used()]);
    info.extend([2, 9, 10, 11, 30, 31, 38]);
    Ok(info)
}

/// What a session needs for a command.
const fn capability(command: Cmd) -> u64 {
    match command {
        Cmd::PutOpaque => may::PUT_OPAQUE,
        Cmd::GetOpaque => may::GET_OPAQUE,
        Cmd::PutAuthenticationKey => may::PUT_AUTHENTICATION_KEY,
        Cmd::PutAsymmetricKey => may::PUT_ASYMMETRIC,
        Cmd::GenerateAsymmetricKey => may::GENERATE_ASYMMETRIC_KEY,
        Cmd::SignPkcs1 => may::SIGN_PKCS,
        Cmd::DecryptOaep => may::DECRYPT_OAEP,
        Cmd::GetLogEntries | Cmd::SetLogIndex => may::GET_LOG_ENTRIES,
        Cmd::SetOption => may::SET_OPTION,
        Cmd::GetOption => may::GET_OPTION,
        Cmd::GetPseudoRandom => may::GET_PSEUDO_RANDOM,
        Cmd::SignAttestationCertificate => may::SIGN_ATTESTATION_CERTIFICATE,
        _ => 0,
    }
}

/// The key that the log names.
fn target(command: Cmd, fields: &Fields<'_>) -> u16 {
    let names_one = matches!(
        command,
        Cmd::SignPkcs1
            | Cmd::DecryptOaep
            | Cmd::GetPublicKey
            | Cmd::GetOpaque
            | Cmd::PutOpaque
            | Cmd::PutAsymmetricKey
            | Cmd::PutAuthenticationKey
            | Cmd::GenerateAsymmetricKey
            | Cmd::DeleteObject
            | Cmd::GetObjectInfo
            | Cmd::SignAttestationCertificate
    );
    let id = Fields(fields.0).u16().unwrap_or(0xffff);
    if names_one { id } else { 0xffff }
}

/// What a session, or an object, may do and reach.
#[derive(Clone, Copy)]
struct Rights {
    capabilities: u64,
    delegated: u64,
    domains: u16,
}

impl Rights {
    const fn of(object: &Object) -> Self {
        Self {
            capabilities: object.attributes.capabilities,
            delegated: object.delegated,
            domains: object.attributes.domains,
        }
    }

    const fn need(self, capability: u64) -> Result<(), Refusal> {
        if self.capabilities & capability == capability {
            Ok(())
        } else {
            Err(Refusal::InsufficientPermissions)
        }
    }

    /// New objects get at most what the session may delegate.
    const fn may_give(self, capabilities: u64) -> Result<(), Refusal> {
        if capabilities & !self.delegated == 0 {
            Ok(())
        } else {
            Err(Refusal::InsufficientPermissions)
        }
    }

    fn put(
        self,
        device: &mut Device,
        attributes: Attributes,
        delegated: u64,
        origin: u8,
        content: Content,
    ) -> Outcome {
        self.may_give(attributes.capabilities)?;
        if attributes.domains == 0 || attributes.domains & !self.domains != 0 {
            return Err(Refusal::InsufficientPermissions);
        }
        let id = device.store.add(attributes, delegated, origin, content)?;
        Ok(id.to_be_bytes().to_vec())
    }

    fn key(self, device: &Device, id: u16) -> Result<(&Object, &RsaKey), Refusal> {
        let object = device.store.get(ASYMMETRIC_KEY, id, self.domains)?;
        match &object.content {
            Content::Asymmetric(key) => Ok((object, key)),
            _ => Err(Refusal::ObjectNotFound),
        }
    }
}

fn last_u16(mut fields: Fields<'_>) -> Result<u16, Refusal> {
    let number = fields.u16()?;
    fields.end()?;
    Ok(number)
}

fn list(device: &Device, domains: u16, mut fields: Fields<'_>) -> Outcome {
    let mut objects: Vec<&Object> = device.store.visible(domains).collect();
    while !fields.0.is_empty() {
        let filter = fields.u8()?;
        match filter {
            1 => {
                let id = fields.u16()?;
                objects.retain(|it| it.attributes.id == id);
            }
            2 => {
                let kind = fields.u8()?;
                objects.retain(|it| it.kind() == kind);
            }
            3 => {
                let domains = fields.u16()?;
                objects.retain(|it| it.attributes.domains & domains != 0);
            }
            4 => {
                let capabilities = fields.u64()?;
                objects.retain(|it| it.attributes.capabilities & capabilities != 0);
            }
            5 => {
                let algorithm = fields.u8()?;
                objects.retain(|it| it.attributes.algorithm == algorithm);
            }
            6 => {
                let label: [u8; LABEL] = fields.array()?;
                objects.retain(|it| it.attributes.label == label);
            }
            _ => return Err(Refusal::InvalidData),
        }
    }
    Ok(objects.iter().flat_map(|it| it.entry()).collect())
}
