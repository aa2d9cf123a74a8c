//! Generated keys, in the eyes of openssl and of the `rsa` crate.
//!
//! 20 keys of 2048 bits; `PRIVYSEAL_GENERATED=1000x3072 cargo test --release --test generated` does 1,000 of
//! 3072.

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use privyseal_firmware_rsa::{AnyEngine, AnyGenerator, MAX_MODULUS_LEN, Progress};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BoxedUint, RsaPrivateKey};

#[path = "../src/tests.rs"]
#[allow(dead_code, reason = "the judge's keys are not needed here")]
mod tests;

use tests::{Generator, digest, judged};

/// What openssl prints of this input.
fn openssl(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
}

/// The primes of a new key, after both judges have seen it.
fn generated(bits: usize, seed: u64) -> [Vec<u8>; 2] {
    let mut rng = Generator(seed);
    let mut generator = AnyGenerator::new(bits).expect("a size");
    while generator.step(&mut rng) != Ok(Progress::Done) {
        assert!(generator.primes(&mut [0; MAX_MODULUS_LEN]).is_none());
    }
    let (mut primes, mut modulus) = ([0; MAX_MODULUS_LEN], [0; MAX_MODULUS_LEN]);
    let (p, q) = generator.primes(&mut primes).expect("a key");
    let modulus = generator.modulus(&mut modulus).expect("a key");
    assert_eq!((p.len(), modulus.len()), (bits / 16, bits / 8));

    let number = BoxedUint::from_be_slice_vartime;
    let judge = RsaPrivateKey::from_p_q(number(p), number(q), 65_537_u32.into());
    let judge = judge.expect("a key in the eyes of the rsa crate");
    assert_eq!(&*judge.n_bytes(), modulus);
    assert!(judge.d().bits() as usize > bits / 2);
    let der = judge.to_pkcs8_der().expect("PKCS#8");
    let verdict = openssl(
        &["rsa", "-inform", "DER", "-check", "-noout"],
        der.as_bytes(),
    );
    assert_eq!(verdict.trim(), "RSA key ok", "{bits} bits, seed {seed}");
    for prime in [p, q] {
        let hex = number(prime).to_string_radix_vartime(16);
        let verdict = openssl(&["prime", "-hex", &hex], &[]);
        assert!(
            verdict.trim().ends_with("is prime"),
            "seed {seed}: {verdict}"
        );
        assert!(
            prime[..4] >= 0xb504_f333_u32.to_be_bytes()[..],
            "seed {seed}"
        );
    }

    let mut engine = AnyEngine::from_primes(p, q, modulus).expect("it is taken back");
    let mut out = [0; MAX_MODULUS_LEN];
    let signature = engine.sign(&digest(seed), &mut rng, &mut out);
    assert_eq!(
        signature,
        Ok(&*judged(&judge, &digest(seed))),
        "seed {seed}"
    );
    [p.to_vec(), q.to_vec()]
}

/// Pearson's statistic of how evenly values are spread over the classes 0 to `N - 1`.
fn unevenness<const N: usize>(classes: impl Iterator<Item = usize>) -> f64 {
    let mut counts = [0_u32; N];
    classes.for_each(|class| counts[class] += 1);
    let expected =
        counts.map(f64::from).iter().sum::<f64>() / counts.map(|_| 1.0).iter().sum::<f64>();
    let squares = counts
        .iter()
        .map(|&count| (f64::from(count) - expected).powi(2));
    squares.sum::<f64>() / expected
}

#[test]
fn generated_keys_are_good_their_primes_even_spread_and_all_different() {
    let asked = env::var("PRIVYSEAL_GENERATED").unwrap_or("20x2048".to_owned());
    let (keys, bits) = asked.split_once('x').expect("KEYSxBITS");
    let keys: u64 = keys.parse().expect("a number");
    let bits = bits.parse().expect("a size");
    let primes: Vec<_> = (1000..1000 + keys)
        .flat_map(|seed| generated(bits, seed))
        .collect();
    assert_eq!(primes.iter().collect::<BTreeSet<_>>().len(), primes.len());
    // Limits that chance exceeds once in a million times, for 7 and for 3 degrees of freedom.
    let sizes = primes.iter().map(|prime| {
        let highest = usize::from(prime[0]) << 8 | usize::from(prime[1]);
        (highest - 0xb504) * 8 / (0x1_0000 - 0xb504)
    });
    let sizes = unevenness::<8>(sizes);
    let residues = primes
        .iter()
        .map(|prime| usize::from(prime[prime.len() - 1] % 8 / 2));
    let residues = unevenness::<4>(residues);
    assert!(sizes < 40.5 && residues < 30.7, "{sizes} {residues}");
}

#[test]
fn one_key_of_each_larger_size_is_good() {
    for bits in [3072, 4096] {
        generated(bits, 1);
    }
    assert!(AnyGenerator::new(1024).is_none());
}
