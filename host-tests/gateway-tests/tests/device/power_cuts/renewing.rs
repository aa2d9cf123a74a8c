//! The power goes while policy and chain are renewed.

use privyseal_protocol::{DeviceState, Part, Refusal};
use privyseal_test_base::clock::run_start;
use privyseal_test_pki::test_key;
use privyseal_test_simulators::device_host::{info, provision, sign};

use super::{cut_everywhere, request, settled, small};
use crate::fixture::{start, upload};
use crate::log;
use crate::provisioning::read;
use crate::renewing::{other, renew, under, without_key, word};

/// The key is never lost, and never signs under a policy that is neither the old nor the agreed one.
#[test]
fn renewing() {
    let authority = test_key("device-authority", 2048);
    let spki = authority.spki_der();
    let (old, new) = (under(&spki), other(&under(&spki)));
    let mut device = start(small());
    provision(&mut device, &upload(&old)).expect("a good upload");
    let (memory, key) = (device.board().memory(), info(&mut device).key);
    let good = without_key(&new, run_start() + 400 * 86_400);
    let strange = without_key(&crate::fixture::policy(), run_start() + 400 * 86_400);
    let mut seen = [0; 3];
    cut_everywhere(
        &memory,
        |device| {
            let given = word(&authority, device, &new);
            renew(device, &new, &given).and_then(|()| provision(device, &good))
        },
        |memory, done, cut| {
            assert!(done.is_err(), "{cut:?}");
            let mut device = settled(&memory);
            let account = info(&mut device);
            assert_eq!(account.key, key, "{cut:?}");
            let has = match account.state {
                DeviceState::Uncertified => {
                    seen[0] += 1;
                    let refused = provision(&mut device, &strange);
                    assert_eq!(refused, Err(Refusal::Renewal), "{cut:?}");
                    if seen[0] % 8 == 0 {
                        // Once in a while is enough for what comes next: it takes its time.
                        provision(&mut device, &good).expect("it can be installed again");
                        sign(&mut device, request(0)).expect("a whole device signs");
                    }
                    return;
                }
                _ => read(&mut device, Part::Policy).expect("its policy"),
            };
            seen[if has == good.policy { 2 } else { 1 }] += 1;
            sign(&mut device, request(0)).expect("a whole device signs");
            log::check(&mut device);
        },
    );
    assert!(seen[0] > 40 && seen[1] > 3 && seen[2] > 1, "{seen:?}");
}
