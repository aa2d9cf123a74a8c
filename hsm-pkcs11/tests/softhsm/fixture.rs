//! SoftHSM tokens in a directory of this test run, made once for the process.
//!
//! SoftHSM reads its configuration from the environment and its list of tokens when it is initialized,
//! and both belong to the process, so every token is made here before the first test goes on. They are
//! made through a context of cryptoki's own, as a host application might have one beside the signer:
//! so every test also shows that a module that somebody else initialized is fine.
//!
//! `unsafe`: only for `std::env::set_var`. It runs once, before the module is loaded; the tests that
//! wait for it read no environment meanwhile.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{
    Attribute, AttributeType, CertificateType, KeyType, ObjectClass, ObjectHandle,
};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, Pkcs11Uri};
use privyseal_test_pki::{Authority, CertificateSpec, test_key};
use privyseal_test_suite::softhsm::{SoftHsmToken, configure};

pub(crate) const PIN: &str = "471147";
const SO_PIN: &str = "12345678";

/// The process's SoftHSM.
pub(crate) struct SoftHsm {
    pub(crate) module: PathBuf,
    context: Pkcs11,
    /// RSA keys by size and number, made once: generating one takes half a second.
    rsa_keys: Mutex<BTreeMap<(u64, usize), Vec<Attribute>>>,
}

/// A token that is being filled.
pub(crate) struct Filling<'s> {
    softhsm: &'s SoftHsm,
    session: Session,
    /// Number of the next RSA key. The first key of every token is the same, and so on.
    next: Cell<usize>,
}

/// SoftHSM with its tokens.
pub(crate) fn softhsm() -> &'static SoftHsm {
    static SOFTHSM: OnceLock<SoftHsm> = OnceLock::new();
    SOFTHSM.get_or_init(|| {
        let softhsm = SoftHsm::start();
        crate::decrypt::fill(&softhsm);
        crate::sign::fill(&softhsm);
        crate::login::fill(&softhsm);
        crate::select::fill(&softhsm);
        crate::chain::fill(&softhsm);
        // SoftHSM adds a slot for the next token when it is asked for its slots, and does not stand threads that ask
        // at once the first time.
        softhsm.free_slot();
        softhsm
    })
}

/// A URI with the module's path.
pub(crate) fn uri(path: &str) -> Pkcs11Uri {
    let module = softhsm().module.display();
    format!("pkcs11:{path}?module-path={module}")
        .parse()
        .expect("a URI of the tests")
}

/// Gives the right PIN.
#[expect(clippy::unnecessary_wraps, reason = "a SecretProvider")]
pub(crate) fn right_pin(_: &SecretRequest) -> Result<Secret, SecretUnavailable> {
    Ok(Secret::new(PIN).expect("a PIN"))
}

/// Opens with the right PIN.
pub(crate) fn open(path: &str) -> Result<Pkcs11Signer, privyseal_pkcs11::Error> {
    Pkcs11Signer::open(&uri(path), &mut right_pin, LoginPolicy::default())
}

impl SoftHsm {
    fn start() -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        remove_old(scratch);
        let directory = scratch.join(format!("softhsm-{}", std::process::id()));
        let configuration = configure(&directory);
        // SAFETY: see the top of the file.
        unsafe { std::env::set_var("SOFTHSM2_CONF", &configuration) };
        let module = SoftHsmToken::module();
        let context = Pkcs11::new(&module).expect("SoftHSM loads");
        context
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .expect("SoftHSM initializes");
        let rsa_keys = Mutex::default();
        Self {
            module,
            context,
            rsa_keys,
        }
    }

    /// A new token, logged in to until the returned value is dropped.
    pub(crate) fn token(&self, label: &str) -> Filling<'_> {
        let (pin, so_pin) = (AuthPin::from(PIN), AuthPin::from(SO_PIN));
        let slot = self.free_slot();
        self.context
            .init_token(slot, &so_pin, label)
            .expect("C_InitToken");
        let session = self.context.open_rw_session(slot).expect("C_OpenSession");
        session
            .login(UserType::So, Some(&so_pin))
            .expect("C_Login as SO");
        session.init_pin(&pin).expect("C_InitPIN");
        session.logout().expect("C_Logout");
        session.login(UserType::User, Some(&pin)).expect("C_Login");
        Filling {
            softhsm: self,
            session,
            next: Cell::new(0),
        }
    }

    /// The slot of the token with this label, as the module numbers it now.
    pub(crate) fn slot_of(&self, label: &str) -> Slot {
        let labelled = |slot: &Slot| {
            self.context
                .get_token_info(*slot)
                .is_ok_and(|info| info.label() == label)
        };
        let slots = self.context.get_slots_with_token().expect("C_GetSlotList");
        slots
            .into_iter()
            .find(labelled)
            .expect("a token with this label")
    }

    fn free_slot(&self) -> Slot {
        let free = |slot: &Slot| {
            self.context
                .get_token_info(*slot)
                .is_ok_and(|info| !info.token_initialized())
        };
        let slots = self.context.get_slots_with_token().expect("C_GetSlotList");
        slots
            .into_iter()
            .find(free)
            .expect("SoftHSM offers a free slot")
    }
}

impl Filling<'_> {
    /// A sensitive RSA key that cannot be extracted; `extra` overrides.
    pub(crate) fn rsa_key(&self, label: &str, id: &[u8], bits: u64, extra: &[Attribute]) -> Key {
        let components = self.components(bits);
        let mut template = vec![
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(KeyType::RSA),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
            Attribute::Sign(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ];
        let overridden = |it: &Attribute| {
            extra
                .iter()
                .any(|extra| extra.attribute_type() == it.attribute_type())
        };
        template.retain(|it| !overridden(it));
        template.extend_from_slice(extra);
        template.extend_from_slice(&components);
        self.session
            .create_object(&template)
            .expect("C_CreateObject");
        match components.first() {
            Some(Attribute::Modulus(modulus)) => Key {
                modulus: modulus.clone(),
            },
            other => panic!("no modulus: {other:?}"),
        }
    }

    /// Leaves a number out, so that the next key is one that other tokens do not have.
    pub(crate) fn skip_key(&self) {
        self.next.set(self.next.get() + 1);
    }

    /// A sensitive RSA-2048 key pair that was generated on the token and never left it.
    pub(crate) fn generated_key(&self, label: &str, id: &[u8]) -> Key {
        let public = [
            Attribute::ModulusBits(2048.into()),
            Attribute::PublicExponent(vec![1, 0, 1]),
        ];
        let private = [
            Attribute::Sign(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ];
        let (public, _) = self.pair(&Mechanism::RsaPkcsKeyPairGen, label, id, &public, &private);
        let modulus = self
            .session
            .get_attributes(public, &[AttributeType::Modulus]);
        match modulus.expect("C_GetAttributeValue").pop() {
            Some(Attribute::Modulus(modulus)) => Key { modulus },
            other => panic!("no modulus: {other:?}"),
        }
    }

    /// The numbers of an RSA key, the modulus first.
    fn components(&self, bits: u64) -> Vec<Attribute> {
        let number = self.next.replace(self.next.get() + 1);
        let mut keys = self.softhsm.rsa_keys.lock().expect("no test panicked here");
        let generate = || {
            let mechanism = Mechanism::RsaPkcsKeyPairGen;
            let public = [
                Attribute::ModulusBits(bits.into()),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ];
            let private = [Attribute::Sensitive(false), Attribute::Extractable(true)];
            let pair = self
                .session
                .generate_key_pair(&mechanism, &public, &private);
            let kinds = [
                AttributeType::Modulus,
                AttributeType::PublicExponent,
                AttributeType::PrivateExponent,
                AttributeType::Prime1,
                AttributeType::Prime2,
                AttributeType::Exponent1,
                AttributeType::Exponent2,
                AttributeType::Coefficient,
            ];
            let private = pair.expect("C_GenerateKeyPair").1;
            self.session
                .get_attributes(private, &kinds)
                .expect("C_GetAttributeValue")
        };
        keys.entry((bits, number)).or_insert_with(generate).clone()
    }

    /// A P-256 key.
    pub(crate) fn ec_key(&self, label: &str, id: &[u8]) {
        // OBJECT IDENTIFIER 1.2.840.10045.3.1.7
        let p256 = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let mechanism = Mechanism::EccKeyPairGen;
        self.pair(
            &mechanism,
            label,
            id,
            &[Attribute::EcParams(p256)],
            &[Attribute::Sign(true)],
        );
    }

    /// A certificate.
    pub(crate) fn certificate(&self, label: &str, id: &[u8], der: &[u8]) {
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
            Attribute::Subject(vec![0x30, 0]),
            Attribute::Value(der.to_vec()),
        ];
        self.session
            .create_object(&template)
            .expect("C_CreateObject");
    }

    fn pair(
        &self,
        mechanism: &Mechanism<'_>,
        label: &str,
        id: &[u8],
        public: &[Attribute],
        private: &[Attribute],
    ) -> (ObjectHandle, ObjectHandle) {
        let common = [
            Attribute::Token(true),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
        ];
        let public = [&common[..], &[Attribute::Private(false)], public].concat();
        let private = [&common[..], &[Attribute::Private(true)], private].concat();
        let pair = self.session.generate_key_pair(mechanism, &public, &private);
        pair.expect("C_GenerateKeyPair")
    }
}

/// A self-signed CA; the same `key` name is the same key.
pub(crate) fn ca(name: &str, key: &str) -> Authority {
    let key = test_key(&format!("pkcs11-{key}"), 2048);
    Authority::root(key, CertificateSpec::authority(name, None))
}

/// An eSeal-like certificate for a key on a token.
pub(crate) fn leaf(name: &str, key: &Key, issuer: &Authority) -> Vec<u8> {
    let subject = format!("CN={name},O=Privyseal tests,C=NL");
    let seal = CertificateSpec::seal();
    issuer.issue(&key.spki(), &CertificateSpec { subject, ..seal })
}

/// The public half of a key that was made on a token.
pub(crate) struct Key {
    modulus: Vec<u8>,
}

impl Key {
    /// SubjectPublicKeyInfo of an RSA-2048 key with exponent 65537: everything but the modulus is
    /// constant.
    pub(crate) fn spki(&self) -> Vec<u8> {
        assert_eq!(self.modulus.len(), 256, "RSA-2048");
        let head = [
            0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1,
            1, 1, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82,
            0x01, 1, 0x00,
        ];
        [&head[..], &self.modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat()
    }
}

/// `CKA_ALLOWED_MECHANISMS` with one mechanism.
pub(crate) fn only(mechanism: MechanismType) -> Attribute {
    Attribute::AllowedMechanisms(vec![mechanism])
}

/// Removes what runs of more than an hour ago left behind.
fn remove_old(scratch: &Path) {
    let an_hour = std::time::Duration::from_secs(3600);
    let is_old = |entry: &std::fs::DirEntry| {
        let age = entry
            .metadata()
            .and_then(|it| it.modified())
            .map(|it| it.elapsed());
        age.is_ok_and(|age| age.is_ok_and(|age| age > an_hour))
            && entry.file_name().to_string_lossy().starts_with("softhsm-")
    };
    for entry in scratch
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter(is_old)
    {
        let _ = std::fs::remove_dir_all(entry.path());
    }
}
