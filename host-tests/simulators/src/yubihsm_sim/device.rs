//! The device: from a frame of the connector to the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attestation::Attester;
use super::capability::{ALL, SIGN_PKCS};
use super::command;
use super::keys::{self, RsaKey};
use super::log::{CAPACITY, Event, Log};
use super::misbehaviour::Misbehaviour;
use super::object::{
    ASYMMETRIC_KEY, AUTHENTICATION_KEY, Attributes, Content, IMPORTED, Object, Store,
};
use super::options;
use super::scp03::{Channel, StaticKeys};
use super::session::Sessions;
use super::wire::{Cmd, Fields, Outcome, Refusal, answer, frame};
use privyseal_test_pki::TestKey;

const AES_AUTHENTICATION: u8 = 38;
const X509_CERTIFICATE: u8 = 31;

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) store: Store,
    pub(super) log: Log,
    pub(super) audited: BTreeMap<Cmd, bool>,
    pub(super) attester: Attester,
    pub(super) signatures: u64,
    /// Major, minor, patch.
    pub(super) firmware: [u8; 3],
    sessions: Sessions,
}

/// Asks what goes wrong with a command.
pub(super) type Due<'a> = &'a mut dyn FnMut(Cmd) -> Vec<Misbehaviour>;

impl Device {
    pub(super) fn from_factory(idle: Duration) -> Self {
        let mut device = Self {
            store: Store::default(),
            log: Log::new(),
            audited: BTreeMap::new(),
            attester: Attester::new(),
            signatures: 0,
            firmware: [2, 4, 0],
            sessions: Sessions::new(idle),
        };
        device.add_auth_key(1, super::FACTORY_PASSWORD, ALL, u16::MAX);
        let attributes = Attributes {
            domains: u16::MAX,
            ..Attributes::new(0, "", 0, X509_CERTIFICATE)
        };
        let certificate = device.attester.certificate();
        device
            .store
            .add_at_zero(attributes, Content::Opaque(certificate));
        device
    }

    /// Answers a message of the connector.
    pub(super) fn message(&mut self, message: &[u8], due: Due<'_>) -> Vec<u8> {
        let max_message = if self.firmware >= [2, 4, 0] {
            3136
        } else {
            2048
        };
        let outcome = if message.len() > max_message {
            Err(Refusal::WrongLength)
        } else {
            Fields::of_frame(message)
        };
        let (command, mut fields) = match outcome {
            Ok(parts) => parts,
            Err(refusal) => return answer(0, &Err(refusal)),
        };
        let outcome = match Cmd::from_u8(command) {
            Some(Cmd::Echo) => Ok(fields.rest().to_vec()),
            Some(Cmd::DeviceInfo) => command::device_info(self, fields),
            Some(Cmd::CreateSession) => self.create_session(fields, due),
            Some(Cmd::AuthenticateSession) => self.authenticate(message, fields, due),
            Some(Cmd::SessionMessage) => match self.session_message(message, fields, due) {
                Ok(answer) => return answer,
                Err(refusal) => Err(refusal),
            },
            _ => Err(Refusal::InvalidCommand),
        };
        answer(command, &outcome)
    }

    fn create_session(&mut self, mut fields: Fields<'_>, due: Due<'_>) -> Outcome {
        let (auth_key, host) = (fields.u16()?, fields.array()?);
        fields.end()?;
        if due(Cmd::CreateSession).contains(&Misbehaviour::SessionsFull) {
            return Err(Refusal::SessionsFull);
        }
        let key = self.store.get(AUTHENTICATION_KEY, auth_key, u16::MAX)?;
        let Content::AuthenticationKey(keys) = &key.content else {
            return Err(Refusal::ObjectNotFound);
        };
        let mut card = [0; 8];
        getrandom::fill(&mut card).expect("the system has entropy");
        let channel = Channel::new(keys, host, card);
        let cryptogram = channel.card_cryptogram();
        let id = self
            .sessions
            .open(channel, auth_key)
            .ok_or(Refusal::SessionsFull)?;
        Ok([&[id][..], &card, &cryptogram].concat())
    }

    fn authenticate(&mut self, message: &[u8], mut fields: Fields<'_>, due: Due<'_>) -> Outcome {
        let (id, cryptogram) = (fields.u8()?, fields.array::<8>()?);
        let _mac: [u8; 8] = fields.array()?;
        fields.end()?;
        if due(Cmd::AuthenticateSession).contains(&Misbehaviour::DropSession) {
            self.sessions.close(id);
        }
        let session = self.sessions.get(id).ok_or(Refusal::InvalidSession)?;
        let right = !session.authenticated
            && session.channel.host_cryptogram() == cryptogram
            && session.channel.accept(message);
        let auth_key = session.auth_key;
        if right {
            session.authenticated = true;
            session.channel.start_counting();
        } else {
            self.sessions.close(id);
        }
        let result = if right {
            Cmd::AuthenticateSession.byte() | 0x80
        } else {
            0x7f
        };
        let command = Cmd::AuthenticateSession.byte();
        let event = Event {
            target: auth_key,
            ..Event::plain(command, 17, 0xffff, result)
        };
        self.log.push_login(event);
        if right {
            Ok(Vec::new())
        } else {
            Err(Refusal::AuthenticationFailed)
        }
    }

    /// Decrypts, does, encrypts. An error here is one outside of the session.
    fn session_message(
        &mut self,
        message: &[u8],
        mut fields: Fields<'_>,
        due: Due<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let id = fields.u8()?;
        let (ciphertext, _mac) = fields
            .rest()
            .split_last_chunk::<8>()
            .ok_or(Refusal::WrongLength)?;
        let session = self.sessions.get(id).ok_or(Refusal::InvalidSession)?;
        if !session.authenticated || !session.channel.accept(message) {
            self.sessions.close(id);
            return Err(Refusal::AuthenticationFailed);
        }
        let auth_key = session.auth_key;
        let inner = session
            .channel
            .decrypt(ciphertext)
            .ok_or(Refusal::InvalidData)?;
        let (code, fields) = Fields::of_frame(&inner)?;
        let known = Cmd::from_u8(code);
        let wrong = known.map(&mut *due).unwrap_or_default();
        if wrong.contains(&Misbehaviour::DropSession) {
            self.sessions.close(id);
            return Err(Refusal::InvalidSession);
        }
        let mut inner = command::run(self, known, code, auth_key, fields, &wrong);
        if wrong.contains(&Misbehaviour::WrongCommand) {
            inner[0] = Cmd::GetPseudoRandom.byte() | 0x80;
        }
        let session = self.sessions.get(id).ok_or(Refusal::InvalidSession)?;
        let encrypted = session.channel.encrypt(&inner);
        // The length counts the MAC, which is over everything before it.
        let body = [&[id][..], &encrypted, &[0; 8]].concat();
        let mut answer = frame(Cmd::SessionMessage.byte() | 0x80, &body);
        answer.truncate(answer.len() - 8);
        let mut mac = session.channel.finish(&answer);
        if wrong.contains(&Misbehaviour::BadMac) {
            mac[7] ^= 1;
        }
        answer.extend(mac);
        if known == Some(Cmd::CloseSession) {
            self.sessions.close(id);
        }
        Ok(answer)
    }

    pub(super) fn auth_key(&self, id: u16) -> Result<&Object, Refusal> {
        self.store.get(AUTHENTICATION_KEY, id, u16::MAX)
    }

    pub(super) fn import(&mut self, id: u16, label: &str, key: &TestKey) {
        self.import_for(id, label, SIGN_PKCS, key);
    }

    pub(super) fn import_for(&mut self, id: u16, label: &str, capabilities: u64, key: &TestKey) {
        let key = RsaKey::from_test(key);
        let attributes = Attributes::new(id, label, capabilities, keys::algorithm(key.size()));
        self.put(attributes, 0, Content::Asymmetric(Box::new(key)));
    }

    pub(super) fn store_opaque(&mut self, id: u16, label: &str, content: Vec<u8>) {
        self.put(
            Attributes::new(id, label, 0, X509_CERTIFICATE),
            0,
            Content::Opaque(content),
        );
    }

    pub(super) fn add_auth_key(
        &mut self,
        id: u16,
        password: &str,
        capabilities: u64,
        domains: u16,
    ) {
        let attributes = Attributes {
            domains,
            ..Attributes::new(id, "", capabilities, AES_AUTHENTICATION)
        };
        let keys = StaticKeys::from_password(password);
        let delegated = if capabilities == ALL { ALL } else { 0 };
        self.put(attributes, delegated, Content::AuthenticationKey(keys));
    }

    fn put(&mut self, attributes: Attributes, delegated: u64, content: Content) {
        self.store
            .add(attributes, delegated, IMPORTED, content)
            .expect("the id is free");
    }

    pub(super) fn revoke_sign(&mut self, id: u16) {
        let kinds = [ASYMMETRIC_KEY, AUTHENTICATION_KEY];
        let found = kinds
            .into_iter()
            .find(|kind| self.store.get_mut(*kind, id).is_some());
        let object = found
            .and_then(|kind| self.store.get_mut(kind, id))
            .expect("there is such a key");
        object.attributes.capabilities &= !SIGN_PKCS;
    }

    pub(super) fn delete_asymmetric(&mut self, id: u16) {
        self.store.remove(ASYMMETRIC_KEY, id);
    }

    pub(super) fn drop_sessions(&mut self) {
        self.sessions.close_all();
    }

    pub(super) fn open_sessions(&mut self) -> usize {
        self.sessions.count()
    }

    pub(super) const fn sessions_opened(&self) -> u64 {
        self.sessions.opened
    }

    pub(super) const fn force_audit(&mut self, on: bool) {
        self.log.force = on;
    }

    pub(super) fn fill_log(&mut self) {
        while usize::from(self.log.used()) < CAPACITY {
            self.log
                .push(Event::plain(Cmd::BlinkDevice.byte(), 1, 1, 0xeb));
        }
    }

    pub(super) fn log_event(&mut self, command: Cmd, event: Event) {
        if options::is_logged(self, command) {
            self.log.push(event);
        }
    }
}
