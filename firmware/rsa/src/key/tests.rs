use std::format;

use super::*;
use crate::tests::TestKey;

/// A key with something done to its parts first.
fn altered(change: impl FnOnce(&mut TestKey)) -> Result<PrivateKey<32, 64>, KeyError> {
    let mut key = TestKey::new(1);
    change(&mut key);
    PrivateKey::from_primes(&key.p, &key.q, &key.modulus)
}

#[test]
fn a_good_key_is_taken_and_knows_its_modulus() {
    for seed in 1..4 {
        let test = TestKey::new(seed);
        let key = PrivateKey::<32, 64>::from_primes(&test.p, &test.q, &test.modulus);
        let (key, mut out) = (key.expect("a good key"), [0; MAX_MODULUS_LEN]);
        assert_eq!(key.modulus(&mut out), test.modulus);
        assert_eq!(key.primes(&mut out), (&*test.p, &*test.q));
        // The primes in the other order are the same key.
        assert!(PrivateKey::<32, 64>::from_primes(&test.q, &test.p, &test.modulus).is_ok());
    }
}

#[test]
fn each_bad_part_is_named() {
    let refused = |change: fn(&mut TestKey)| altered(change).map(|_| ()).unwrap_err();
    assert_eq!(refused(|key| key.p[0] &= 0x7f), KeyError::Size(Prime::P));
    assert_eq!(refused(|key| key.q[0] &= 0x7f), KeyError::Size(Prime::Q));
    assert_eq!(refused(|key| key.p[127] &= 0xfe), KeyError::Even(Prime::P));
    assert_eq!(refused(|key| key.q[127] &= 0xfe), KeyError::Even(Prime::Q));
    assert_eq!(refused(|key| key.q.clone_from(&key.p)), KeyError::TooClose);
    assert_eq!(refused(|key| key.modulus[128] ^= 1), KeyError::Product);
    assert_eq!(refused(|key| key.p[64] ^= 1), KeyError::Product);
    assert_eq!(
        refused(|key| {
            // Odd, 1024 bits, but their product is below 2^2047.
            key.p.fill(0x80);
            key.q.fill(0x80);
            key.q[1] = 0x81;
            key.p[127] = 1;
            key.q[127] = 1;
        }),
        KeyError::ModulusSize
    );
    assert_eq!(
        refused(|key| {
            // 65537 * (2^1007 + 2^900) + 1, or anything like it: 1 more than a multiple of 65537.
            key.p.fill(0);
            (key.p[0], key.p[1], key.p[2], key.p[127]) = (0x80, 0x00, 0x80, 0x01);
        }),
        KeyError::Exponent(Prime::P)
    );
}

#[test]
fn a_composite_is_named_even_where_the_product_fits() {
    for which in [Prime::P, Prime::Q] {
        let refused = altered(|key| {
            let composite = if which == Prime::P {
                &mut key.p
            } else {
                &mut key.q
            };
            // Odd as before, and for these seeds no prime.
            composite[64] ^= 1;
            let (mut p, mut q, mut n) = ([0; 32], [0; 32], [0; 64]);
            from_bytes(&key.p, &mut p);
            from_bytes(&key.q, &mut q);
            multiply_add(&p, &q, &[0; 32], &mut n);
            to_bytes(&n, &mut key.modulus);
        });
        // A composite p may show itself as either: the test of q to its base still holds.
        assert_eq!(refused.map(|_| ()).unwrap_err(), KeyError::Composite(which));
    }
}

#[test]
fn wiping_leaves_nothing() {
    let mut key = altered(|_| {}).expect("a good key");
    key.zeroize();
    let zero = [0; 32];
    assert_eq!(key.p.modulus.limbs(), &zero);
    assert_eq!(key.q.modulus.limbs(), &zero);
    assert_eq!([key.p.exponent, key.q.exponent, key.q_inverse], [zero; 3]);
    assert_eq!(key.n.limbs(), &[0; 64]);
}

#[test]
fn debugging_shows_no_part_of_the_key() {
    let key = altered(|_| {}).expect("a good key");
    assert_eq!(format!("{key:?}"), "PrivateKey { RSA-2048, .. }");
}
