use super::*;
use privyseal_core::scheme::ITSME;

fn entry() -> Entry {
    Entry {
        sequence: 7,
        event: Event::Refused,
        code: Refusal::Audience.code(),
        scheme: Some(SchemeId::of(&ITSME)),
        audience: Some(3),
        faulted: true,
        boots: 2,
        counter: 1 << 40,
        time_floor: 1_780_000_000,
        now: 1_780_000_001,
        debt: 99,
        unlogged: 5,
        digest: [0xd5; 32],
    }
}

#[test]
fn entries_come_back() {
    let nothing = Entry {
        scheme: None,
        audience: None,
        faulted: false,
        event: Event::Wiped,
        ..entry()
    };
    for entry in [entry(), nothing, Entry::BEFORE_THE_FIRST] {
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
    }
    // Every field of the last one is written, so that none is hashed as zero by mistake.
    assert_eq!(entry().to_bytes()[ENTRY_LEN - 32..], [0xd5; 32]);
    assert_eq!(entry().reason(), Some("audience"));
    assert_eq!(nothing.reason(), None);
}

#[test]
fn what_is_no_entry_is_none() {
    let bytes = entry().to_bytes();
    for (place, value) in [(4, 0), (4, 99), (6, 77), (8, 2), (9, 1)] {
        let mut bytes = bytes;
        bytes[place] = value;
        assert_eq!(Entry::from_bytes(&bytes), None, "{place}");
    }
    assert_eq!(Entry::from_record(&[0; RECORD_LEN - 1]), None);
    assert_eq!(Entry::from_record(&[0; RECORD_LEN + 1]), None);
}

#[test]
fn every_byte_is_linked() {
    let (before, bytes) = (first_link(&[1; 12]), entry().to_bytes());
    let link = link_after(&before, &bytes);
    for place in 0..ENTRY_LEN {
        let mut changed = bytes;
        changed[place] ^= 1;
        assert_ne!(link_after(&before, &changed), link);
    }
    assert_ne!(first_link(&[1; 12]), first_link(&[2; 12]));
    assert_ne!(link_after(&[0; 32], &bytes), link);
}
