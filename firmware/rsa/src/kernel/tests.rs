use crypto_bigint::{NonZero, U1024, U1536, U2048, U3072, U4096};
use proptest::prelude::*;

use super::*;
use crate::limbs::{from_bytes, to_bytes};
use crate::modulus::Modulus;

/// Numbers as they come, and those at the edges of their range.
fn number<const L: usize>() -> impl Strategy<Value = [Limb; L]> {
    let limb = prop_oneof![Just(0), Just(Limb::MAX), Just(1), any::<Limb>()];
    prop_oneof![
        proptest::collection::vec(any::<Limb>(), L),
        proptest::collection::vec(limb, L),
    ]
    .prop_map(|limbs| limbs.try_into().expect("L limbs"))
}

/// Odd numbers with their top bit set.
fn modulus<const L: usize>() -> impl Strategy<Value = [Limb; L]> {
    number().prop_map(|mut limbs| {
        limbs[0] |= 1;
        *limbs.last_mut().expect("L limbs") |= 1 << 31;
        limbs
    })
}

/// One property for all sizes: `a b = out R mod m`, and nothing comes out above R.
macro_rules! agrees_with_crypto_bigint {
    ($name:ident, $limbs:literal, $judge:ident) => {
        mod $name {
            use super::*;

            fn judged(limbs: &[Limb; $limbs]) -> $judge {
                let mut bytes = [0; $limbs * 4];
                to_bytes(limbs, &mut bytes);
                $judge::from_be_slice(&bytes)
            }

            proptest! {
                #[test]
                fn product_and_square(a in number(), b in number(), limbs in modulus()) {
                    let m = NonZero::new(judged(&limbs)).expect("odd");
                    // R mod m, as m is above R / 2.
                    let r = m.wrapping_neg();
                    let mut modulus = Modulus::<$limbs>::EMPTY;
                    modulus.set(&limbs);
                    let mut workspace = Workspace::new();
                    let mut out = [1; $limbs];
                    modulus.multiply(&mut out, &a, &b, &mut workspace);
                    prop_assert_eq!(
                        judged(&out).mul_mod(&r, &m),
                        judged(&a).mul_mod(&judged(&b), &m)
                    );
                    modulus.square(&mut out, &a, &mut workspace);
                    prop_assert_eq!(
                        judged(&out).mul_mod(&r, &m),
                        judged(&a).mul_mod(&judged(&a), &m)
                    );
                }

                #[test]
                fn r_squared_is_reduced(limbs in modulus()) {
                    let m = NonZero::new(judged(&limbs)).expect("odd");
                    let r = m.wrapping_neg();
                    let mut modulus = Modulus::<$limbs>::EMPTY;
                    modulus.set(&limbs);
                    prop_assert_eq!(judged(modulus.r_squared()), r.mul_mod(&r, &m));
                }

                #[test]
                fn in_and_out_of_montgomery_form(a in number(), limbs in modulus()) {
                    let m = NonZero::new(judged(&limbs)).expect("odd");
                    let mut modulus = Modulus::<$limbs>::EMPTY;
                    modulus.set(&limbs);
                    let mut workspace = Workspace::new();
                    let (mut inside, mut out) = ([0; $limbs], [0; $limbs]);
                    modulus.enter(&mut inside, &a, &mut workspace);
                    modulus.leave(&mut out, &inside, &mut workspace);
                    prop_assert_eq!(judged(&out), judged(&a).rem(&m));
                }

                #[test]
                fn a_number_of_twice_the_length(
                    low in number(),
                    high in number(),
                    limbs in modulus(),
                ) {
                    let m = NonZero::new(judged(&limbs)).expect("odd");
                    let mut modulus = Modulus::<$limbs>::EMPTY;
                    modulus.set(&limbs);
                    let mut workspace = Workspace::new();
                    let (mut inside, mut out) = ([0; $limbs], [0; $limbs]);
                    modulus.enter_wide(&mut inside, &low, &high, &mut workspace);
                    prop_assert!(judged(&inside) < *m);
                    modulus.leave(&mut out, &inside, &mut workspace);
                    let wide = judged(&high).mul_mod(&m.wrapping_neg(), &m);
                    prop_assert_eq!(judged(&out), wide.add_mod(&judged(&low).rem(&m), &m));
                }

                #[test]
                fn a_difference(a in number(), b in number(), limbs in modulus()) {
                    let m = NonZero::new(judged(&limbs)).expect("odd");
                    let mut modulus = Modulus::<$limbs>::EMPTY;
                    modulus.set(&limbs);
                    let (mut a_reduced, mut b_reduced) = (a, b);
                    modulus.reduce(&mut a_reduced);
                    modulus.reduce(&mut b_reduced);
                    prop_assert_eq!(judged(&a_reduced), judged(&a).rem(&m));
                    modulus.subtract(&mut a_reduced, &b_reduced);
                    let expected = judged(&a).rem(&m).sub_mod(&judged(&b).rem(&m), &m);
                    prop_assert_eq!(judged(&a_reduced), expected);
                }
            }
        }
    };
}

agrees_with_crypto_bigint!(of_1024_bits, 32, U1024);
agrees_with_crypto_bigint!(of_1536_bits, 48, U1536);
agrees_with_crypto_bigint!(of_2048_bits, 64, U2048);
agrees_with_crypto_bigint!(of_3072_bits, 96, U3072);
agrees_with_crypto_bigint!(of_4096_bits, 128, U4096);

proptest! {
    #[test]
    fn a_full_product(x in number(), y in number(), z in number()) {
        let judged = |limbs: &[Limb; 32]| {
            let mut bytes = [0; 128];
            to_bytes(limbs, &mut bytes);
            U1024::from_be_slice(&bytes)
        };
        let mut out = [0; 64];
        crate::limbs::multiply_add(&x, &y, &z, &mut out);
        let product: U2048 = judged(&x).concatenating_mul(&judged(&y));
        let mut bytes = [0; 256];
        to_bytes(&out, &mut bytes);
        let expected = product.wrapping_add(&judged(&z).resize());
        prop_assert_eq!(U2048::from_be_slice(&bytes), expected);
    }

    #[test]
    fn bytes_and_limbs(bytes in proptest::collection::vec(any::<u8>(), 128)) {
        let mut limbs = [0; 32];
        from_bytes(&bytes, &mut limbs);
        let mut back = [0; 128];
        to_bytes(&limbs, &mut back);
        prop_assert_eq!(&bytes, &back);
    }
}
