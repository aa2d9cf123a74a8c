//! Objects and their attributes.

use std::collections::BTreeMap;

use super::keys::RsaKey;
use super::scp03::StaticKeys;
use super::wire::{Fields, Refusal};

pub(super) const OPAQUE: u8 = 1;
pub(super) const AUTHENTICATION_KEY: u8 = 2;
pub(super) const ASYMMETRIC_KEY: u8 = 3;

pub(super) const GENERATED: u8 = 1;
pub(super) const IMPORTED: u8 = 2;

pub(super) const LABEL: usize = 40;

/// The number of records that a device has.
pub(super) const RECORDS: u16 = 256;

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) attributes: Attributes,
    pub(super) delegated: u64,
    pub(super) sequence: u8,
    pub(super) origin: u8,
    pub(super) content: Content,
}

/// What a command that makes an object says about it.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) id: u16,
    pub(super) label: [u8; LABEL],
    pub(super) domains: u16,
    pub(super) capabilities: u64,
    pub(super) algorithm: u8,
}

/// What is in an object.
#[derive(Debug)]
pub(super) enum Content {
    Opaque(Vec<u8>),
    AuthenticationKey(StaticKeys),
    Asymmetric(Box<RsaKey>),
}

impl Attributes {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            id: fields.u16()?,
            label: fields.array()?,
            domains: fields.u16()?,
            capabilities: fields.u64()?,
            algorithm: fields.u8()?,
        })
    }

    pub(super) fn new(id: u16, label: &str, capabilities: u64, algorithm: u8) -> Self {
        let mut padded = [0; LABEL];
        padded[..label.len()].copy_from_slice(label.as_bytes());
        Self {
            id,
            label: padded,
            domains: 1,
            capabilities,
            algorithm,
        }
    }
}

impl Object {
    pub(super) const fn kind(&self) -> u8 {
        match self.content {
            Content::Opaque(_) => OPAQUE,
            Content::AuthenticationKey(_) => AUTHENTICATION_KEY,
            Content::Asymmetric(_) => ASYMMETRIC_KEY,
        }
    }

    fn length(&self) -> usize {
        match &self.content {
            Content::Opaque(content) => content.len(),
            Content::AuthenticationKey(_) => 40,
            Content::Asymmetric(key) => 7 * key.size() / 2,
        }
    }

    /// The answer to `GetObjectInfo`.
    pub(super) fn info(&self) -> Vec<u8> {
        let it = &self.attributes;
        let length = u16::try_from(self.length()).expect("objects are small");
        let mut info = it.capabilities.to_be_bytes().to_vec();
        info.extend(it.id.to_be_bytes());
        info.extend(length.to_be_bytes());
        info.extend(it.domains.to_be_bytes());
        info.extend([self.kind(), it.algorithm, self.sequence, self.origin]);
        info.extend(it.label);
        info.extend(self.delegated.to_be_bytes());
        info
    }

    /// An entry of the answer to `ListObjects`.
    pub(super) fn entry(&self) -> [u8; 4] {
        let [high, low] = self.attributes.id.to_be_bytes();
        [high, low, self.kind(), self.sequence]
    }
}

/// All objects, by kind and id.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<(u8, u16), Object>,
    sequences: BTreeMap<(u8, u16), u8>,
}

impl Store {
    /// Adds an object; id 0 means "choose one".
    pub(super) fn add(
        &mut self,
        mut attributes: Attributes,
        delegated: u64,
        origin: u8,
        content: Content,
    ) -> Result<u16, Refusal> {
        let mut object = Object {
            attributes: attributes.clone(),
            delegated,
            sequence: 0,
            origin,
            content,
        };
        let kind = object.kind();
        if attributes.id == 0 {
            let free = (1..u16::MAX).find(|id| !self.objects.contains_key(&(kind, *id)));
            attributes.id = free.ok_or(Refusal::InvalidId)?;
        }
        if attributes.id == u16::MAX {
            return Err(Refusal::InvalidId);
        }
        let name = (kind, attributes.id);
        if self.objects.contains_key(&name) {
            return Err(Refusal::ObjectExists);
        }
        let sequence = self
            .sequences
            .entry(name)
            .and_modify(|it| *it = it.wrapping_add(1))
            .or_default();
        object.sequence = *sequence;
        object.attributes = attributes;
        self.objects.insert(name, object);
        Ok(name.1)
    }

    /// The device's own objects, which have id 0.
    pub(super) fn add_at_zero(&mut self, attributes: Attributes, content: Content) {
        let object = Object {
            attributes,
            delegated: 0,
            sequence: 0,
            origin: IMPORTED,
            content,
        };
        self.objects.insert((object.kind(), 0), object);
    }

    /// An object that shares a domain with `domains`.
    pub(super) fn get(&self, kind: u8, id: u16, domains: u16) -> Result<&Object, Refusal> {
        let object = self
            .objects
            .get(&(kind, id))
            .ok_or(Refusal::ObjectNotFound)?;
        if object.attributes.domains & domains == 0 {
            return Err(Refusal::ObjectNotFound);
        }
        Ok(object)
    }

    pub(super) fn get_mut(&mut self, kind: u8, id: u16) -> Option<&mut Object> {
        self.objects.get_mut(&(kind, id))
    }

    pub(super) fn remove(&mut self, kind: u8, id: u16) {
        self.objects.remove(&(kind, id));
    }

    /// Those that share a domain with `domains`. The device's own are not listed.
    pub(super) fn visible(&self, domains: u16) -> impl Iterator<Item = &Object> {
        self.objects
            .values()
            .filter(move |it| it.attributes.domains & domains != 0 && it.attributes.id != 0)
    }

    /// Total and free records, total and free pages, size of a page.
    pub(super) fn storage(&self) -> Vec<u8> {
        let own = self
            .objects
            .values()
            .filter(|it| it.attributes.id == 0)
            .count();
        let used = u16::try_from(self.objects.len() - own).expect("a few objects");
        [RECORDS, RECORDS - used, 1024, 1024 - used, 126]
            .into_iter()
            .flat_map(u16::to_be_bytes)
            .collect()
    }
}
