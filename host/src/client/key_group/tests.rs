//! Several references to one key, of which some are away.

use core::sync::atomic::AtomicBool;
use std::sync::LazyLock;

use privyseal_core::SignerError;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::EHEALTH;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, hazmat::PrehashSigner as _};
use rsa::traits::PublicKeyParts as _;

use super::*;
use crate::client::failover::in_turn;
use crate::oauth::{AssertionOptions, AssertionSource, OAuthError, SigningClient};
use crate::pki::party_id;

static KEYS: LazyLock<[RsaPrivateKey; 2]> =
    LazyLock::new(|| core::array::from_fn(|_| RsaPrivateKey::new(&mut rng(), 2048).unwrap()));

fn rng() -> impl rsa::rand_core::CryptoRng {
    getrandom::rand_core::UnwrapErr(getrandom::SysRng)
}

/// A token with a key, which can be pulled out and put back.
#[derive(Clone)]
struct Token {
    key: usize,
    public_key: RsaPublicKey,
    is_away: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    kind: SignerErrorKind,
    /// It hangs while somebody has it.
    gate: Arc<Mutex<()>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the token does not answer: {0:?}")]
struct Trouble(SignerErrorKind);

impl SignerError for Trouble {
    fn kind(&self) -> SignerErrorKind {
        self.0
    }
}

impl Token {
    fn new(key: usize) -> Self {
        let public = KEYS[key].to_public_key();
        let (n, e) = (public.n().to_be_bytes(), public.e().to_be_bytes());
        Self {
            key,
            public_key: RsaPublicKey::from_components(&n, &e).unwrap(),
            is_away: Arc::default(),
            asked: Arc::default(),
            kind: SignerErrorKind::Unavailable,
            gate: Arc::default(),
        }
    }

    fn failing_with(kind: SignerErrorKind) -> Self {
        let token = Self {
            kind,
            ..Self::new(0)
        };
        token.is_away(true);
        token
    }

    fn is_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Counts a question, which is not answered while it is away.
    fn ask(&self) -> Result<(), Trouble> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock());
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Trouble(self.kind));
        }
        Ok(())
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }

    fn reference(&self) -> (String, Open<Self>) {
        let token = self.clone();
        let open = move || match token.ask() {
            Ok(()) => Ok(token.clone()),
            Err(error) => Err(SignerFailure::new(error).into()),
        };
        (format!("token-{}", self.key), Arc::new(open))
    }
}

impl Signer for Token {
    type Error = Trouble;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    fn sign(&mut self, input: &SigningInput<'_>, signature: &mut Signature) -> Result<(), Trouble> {
        self.ask()?;
        let key = SigningKey::<Sha256>::new(KEYS[self.key].clone());
        let made = key.sign_prehash(input.digest()).unwrap().to_bytes();
        signature.set(&made).unwrap();
        Ok(())
    }
}

fn group(tokens: &[&Token], cooldown: Duration) -> Result<KeyGroup<Token>, BuildError> {
    let references = tokens.iter().map(|token| token.reference());
    KeyGroup::open(references.collect(), resting(cooldown))
}

fn resting(cooldown: Duration) -> Limits {
    Limits {
        cooldown,
        ..Limits::default()
    }
}

fn client(tokens: &[&Token], cooldown: Duration) -> SigningClient<KeyGroup<Token>> {
    let group = group(tokens, cooldown).unwrap();
    for token in tokens {
        token.asked();
    }
    client_of(group)
}

fn client_of(group: KeyGroup<Token>) -> SigningClient<KeyGroup<Token>> {
    let client_id = party_id::given(&EHEALTH, "nihii-hospital:71022212").unwrap();
    SigningClient::with_kid(&EHEALTH, client_id, Kid::new("k1").unwrap(), group).unwrap()
}

fn sign(client: &impl AssertionSource) -> Result<(), OAuthError> {
    let options =
        AssertionOptions::default().audience("https://api.ehealth.fgov.be/auth/realms/M2M");
    client.assertion(&options).map(drop)
}

#[test]
fn signatures_are_spread() {
    let (one, two) = (Token::new(0), Token::new(0));
    let client = client(&[&one, &two], COOLDOWN);
    for _ in 0..6 {
        sign(&client).unwrap();
    }
    assert_eq!((one.asked(), two.asked()), (3, 3));
}

#[test]
fn one_that_is_away_rests_and_comes_back() {
    let (one, two) = (Token::new(0), Token::new(0));
    let resting = client(&[&one, &two], COOLDOWN);
    one.is_away(true);
    for _ in 0..6 {
        sign(&resting).unwrap();
    }
    assert_eq!(
        (one.asked(), two.asked()),
        (1, 6),
        "asked once, then it rests"
    );
    // Alone it is asked although it rests.
    two.is_away(true);
    one.is_away(false);
    sign(&resting).unwrap();
    assert_eq!((one.asked(), two.asked()), (1, 1));

    two.is_away(false);
    let brief = client(&[&one, &two], Duration::ZERO);
    one.is_away(true);
    sign(&brief).unwrap();
    one.is_away(false);
    let _ = (one.asked(), two.asked());
    for _ in 0..4 {
        sign(&brief).unwrap();
    }
    assert_eq!((one.asked(), two.asked()), (2, 2), "it is back");
}

#[test]
fn all_away_is_the_error_of_the_first() {
    let (one, two) = (Token::new(0), Token::new(0));
    let client = client(&[&one, &two], COOLDOWN);
    one.is_away(true);
    two.is_away(true);
    let error = sign(&client).unwrap_err();
    let OAuthError::Signer(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.kind(), SignerErrorKind::Unavailable);
    assert_eq!((one.asked(), two.asked()), (1, 1));
}

#[test]
fn one_that_is_away_at_the_start_is_opened_later() {
    let (one, two) = (Token::new(0), Token::new(0));
    two.is_away(true);
    let client = client(&[&one, &two], Duration::ZERO);
    sign(&client).unwrap();
    two.is_away(false);
    two.asked();
    for _ in 0..4 {
        sign(&client).unwrap();
    }
    // Opened once, and two signatures.
    assert_eq!(two.asked(), 3);
}

/// A PIN that is wrong is not tried again, and the others sign.
#[test]
fn one_that_cannot_be_used_later_is_left_alone() {
    let (one, mut two) = (Token::new(0), Token::new(0));
    two.is_away(true);
    let away = two.reference();
    two.kind = SignerErrorKind::PinIncorrect;
    let wrong_pin = two.reference();
    let first = AtomicBool::new(true);
    let open: Open<Token> = Arc::new(move || {
        if first.swap(false, Ordering::SeqCst) {
            (away.1)()
        } else {
            (wrong_pin.1)()
        }
    });
    let references = vec![one.reference(), ("two".to_owned(), open)];
    let client = client_of(KeyGroup::open(references, resting(Duration::ZERO)).unwrap());
    two.asked();
    for _ in 0..6 {
        sign(&client).unwrap();
    }
    assert_eq!(two.asked(), 1);
    client.signer().try_again();
    for _ in 0..6 {
        sign(&client).unwrap();
    }
    assert_eq!(
        two.asked(),
        1,
        "once for each time that it is said to be repaired"
    );
}

#[test]
fn what_is_wrong_at_the_start_is_said() {
    assert!(matches!(group(&[], COOLDOWN), Err(BuildError::NoKey)));
    let (one, other) = (Token::new(0), Token::new(1));
    let error = group(&[&one, &other], COOLDOWN).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("token-1 is another key than token-0"),
        "{error}"
    );
    for kind in [
        SignerErrorKind::PinIncorrect,
        SignerErrorKind::Configuration,
    ] {
        let error = group(&[&one, &Token::failing_with(kind)], COOLDOWN).unwrap_err();
        assert!(matches!(error, BuildError::Key(error) if kind_of(&error) == kind));
    }
    // No try was spent, and the other one signs.
    for kind in [
        SignerErrorKind::NotLoggedIn,
        SignerErrorKind::PinLocked,
        SignerErrorKind::PinFinalTry,
    ] {
        sign(&client(&[&Token::failing_with(kind), &one], COOLDOWN)).unwrap();
    }
    let away = Token::failing_with(SignerErrorKind::NotFound);
    let error = group(&[&away, &away], COOLDOWN).unwrap_err();
    assert!(
        matches!(error, BuildError::Key(error) if kind_of(&error) == SignerErrorKind::NotFound)
    );
}

#[test]
fn threads_share_a_group() {
    let (one, two) = (Token::new(0), Token::new(0));
    let client = client(&[&one, &two], COOLDOWN);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| sign(&client).unwrap());
        }
    });
    assert_eq!(one.asked() + two.asked(), 4);
}

/// Who asked it waits there, and nobody else until it answers again.
#[test]
fn one_that_hangs_is_passed_over() {
    let (one, two) = (Token::new(0), Token::new(0));
    let limits = Limits {
        signing: Duration::ZERO,
        ..Limits::default()
    };
    let references = vec![one.reference(), two.reference()];
    let client = client_of(KeyGroup::open(references, limits).unwrap());
    let hanging = one.gate.lock().unwrap();
    let _ = (one.asked(), two.asked());
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| sign(&client));
        let is_asked = || {
            std::thread::sleep(Duration::from_millis(2));
            one.asked.load(Ordering::SeqCst) > 0
        };
        assert!((0..30_000).any(|_| is_asked()), "the first is not asked");
        for _ in 0..6 {
            sign(&client).unwrap();
        }
        assert_eq!((one.asked(), two.asked()), (1, 6));
        drop(hanging);
        asked.join().unwrap().unwrap();
    });
    sign(&client).unwrap();
    sign(&client).unwrap();
    assert_eq!((one.asked(), two.asked()), (1, 1));
}

#[test]
fn who_waits_for_one_that_hangs_asks_another() {
    let (gate, calls) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
    let hanging = gate.lock().unwrap();
    let limit = Duration::from_millis(50);
    let first_hangs = {
        let (gate, calls) = (Arc::clone(&gate), Arc::clone(&calls));
        move || {
            if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                drop(gate.lock());
            }
            Ok(())
        }
    };
    // Of so many one has the processor in time.
    in_turn(1000, limit, first_hangs).unwrap();
    assert!(calls.load(Ordering::SeqCst) > 1);
    let all_hang = {
        let gate = Arc::clone(&gate);
        move || {
            drop(gate.lock());
            Ok(())
        }
    };
    let error = in_turn(2, limit, all_hang).unwrap_err();
    let OAuthError::Signer(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.kind(), SignerErrorKind::Timeout);
    drop(hanging);
}

/// The others are used meanwhile.
#[test]
fn one_that_hangs_when_it_is_opened_is_away() {
    let (one, two) = (Token::new(0), Token::new(0));
    let limits = Limits {
        opening: Duration::from_millis(100),
        ..Limits::default()
    };
    let hanging = one.gate.lock().unwrap();
    let open = || KeyGroup::open(vec![one.reference(), two.reference()], limits);
    // One of the tries has the processor in time.
    let group = (0..100).find_map(|_| open().ok());
    sign(&client_of(group.unwrap())).unwrap();
    let both = two.gate.lock().unwrap();
    let error = open().unwrap_err();
    let is_timeout = |error: &KeyError| kind_of(error) == SignerErrorKind::Timeout;
    assert!(matches!(error, BuildError::Key(error) if is_timeout(&error)));
    drop((hanging, both));
}
