use super::*;
use crate::kernel::Workspace;
use crate::tests::{TestKey, digest};

/// Whether any limb of the scratch is not zero.
fn is_dirty(scratch: &Scratch<32>) -> bool {
    scratch.limbs().any(|&limb| limb != 0)
}

#[test]
fn the_scratch_is_full_of_secrets_and_wiped() {
    let test = TestKey::new(1);
    let key =
        PrivateKey::<32, 64>::from_primes(&test.p, &test.q, &test.modulus).expect("a good key");
    let exponents = Exponents {
        p: &key.p.exponent,
        q: &key.q.exponent,
    };
    let mut number = [0; 64];
    crate::encoding::encode(&digest(2), &mut number);
    let (chunks, _) = number.as_chunks::<32>();
    let (low, high) = (chunks[0], chunks[1]);
    let mut scratch = Scratch::new();
    // One share leaves it dirty: the wiping below has something to wipe.
    let mut out = [0; 32];
    share(&key.p, exponents.p, &number, &mut out, &mut scratch);
    assert!(is_dirty(&scratch));
    // The number in Montgomery form is the table's second entry.
    let mut workspace = Workspace::new();
    key.p
        .modulus
        .enter_wide(&mut out, &low, &high, &mut workspace);
    assert!(scratch.limbs().any(|limb| *limb == out[7]));

    private_power(&key, &exponents, &mut number, &mut scratch);
    assert!(!is_dirty(&scratch));
    let mut signature = [0; 256];
    crate::limbs::to_bytes(&number, &mut signature);
    assert_eq!(signature[..], test.judged(&digest(2)));
}
