use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ISHARE_1, ITSME};
use privyseal_protocol::log::{ENTRY_LEN, first_link, link_after};
use privyseal_protocol::{
    DeviceState, Entry, Event, FrameError, ImageFault, Part, PartFault, Refusal, SchemeId,
};
use sha2::{Digest as _, Sha256};

use crate::{bytes, hex};

/// The version of the log, which goes on when that of the protocol changes.
const VERSION: u8 = 1;

const EVERYTHING: Entry = Entry {
    sequence: 99_999,
    event: Event::Refused,
    code: 7,
    scheme: Some(SchemeId::of(&ITSME)),
    audience: Some(15),
    faulted: true,
    boots: 300,
    counter: 1 << 40,
    time_floor: 1_790_000_000,
    now: 1_790_000_060,
    debt: 60,
    unlogged: 5_000,
    digest: [0xd5; 32],
};

#[track_caller]
fn is_pinned(entry: Entry, vector: &[&str]) -> [u8; ENTRY_LEN] {
    let expected = bytes(vector);
    assert_eq!(hex(&entry.to_bytes()), hex(&expected));
    let expected = expected.try_into().unwrap();
    assert_eq!(Entry::from_bytes(&expected), Some(entry));
    expected
}

/// An entry, the first of its device, and its link.
#[test]
fn an_entry_with_everything() {
    let vector = [
        "9f860100 sequence",
        "05 event",
        "07 code",
        "03 scheme",
        "0f audience",
        "01 faulted",
        "000000 nothing",
        "2c010000 boots",
        "0000000000010000 counter",
        "803bb16a00000000 time_floor",
        "bc3bb16a00000000 now",
        "3c000000 debt",
        "88130000 unlogged",
        "d5*32 digest",
    ];
    let entry = is_pinned(EVERYTHING, &vector);
    let before = first_link(b"simulated 01");
    let start = format!("privyseal-log:v{VERSION}:simulated 01");
    assert_eq!(before[..], Sha256::digest(start)[..], "another version?");
    let link = link_after(&before, &entry);
    assert_eq!(
        link[..],
        Sha256::digest([&before[..], &entry].concat())[..],
        "another chain?"
    );
    let record = [&entry[..], &link].concat();
    assert_eq!(Entry::from_record(&record), Some((EVERYTHING, link)));
}

#[test]
fn an_entry_with_nothing() {
    let entry = Entry {
        sequence: 0,
        ..Entry::BEFORE_THE_FIRST
    };
    let vector = [
        "00000000 sequence",
        "01 event",
        "00 code",
        "ff no scheme",
        "ff no audience",
        "00 faulted",
        "00*3 nothing",
        "00*4 boots",
        "00*8 counter",
        "00*8 time_floor",
        "00*8 now",
        "00*4 debt",
        "00*4 unlogged",
        "00*32 digest",
    ];
    is_pinned(entry, &vector);
}

/// Numbers and words of events, and that there are no others.
#[test]
fn every_event() {
    let events = [
        (Event::Boot, "boot"),
        (Event::ProvisionBegun, "provisioning begun"),
        (Event::Imported, "imported"),
        (Event::Signed, "signed"),
        (Event::Refused, "refused"),
        (Event::TimeSet, "time set"),
        (Event::Wiped, "wiped"),
        (Event::Fault, "fault"),
        (Event::Generated, "generated"),
        (Event::Requested, "csr signed"),
        (Event::Installed, "installed"),
        (Event::UnlockTried, "unlock tried"),
        (Event::Unlocked, "unlocked"),
        (Event::RenewalBegun, "renewal begun"),
        (Event::HintSigned, "login hint signed"),
        (Event::AuthenticationSigned, "authentication signed"),
        (Event::AuthorizationSigned, "authorization signed"),
        (Event::UpdateBegun, "update begun"),
        (Event::UpdateTaken, "update taken"),
        (Event::Unwrapped, "content key unwrapped"),
    ];
    let mut bytes = EVERYTHING.to_bytes();
    for code in 0..=u8::MAX {
        bytes[4] = code;
        let found = Entry::from_bytes(&bytes).map(|entry| (entry.event, entry.event.name()));
        let expected = code
            .checked_sub(1)
            .and_then(|at| events.get(usize::from(at)));
        assert_eq!(found.as_ref(), expected, "{code}");
    }
}

/// Numbers and words of refusals, and that there are no others.
#[test]
fn every_reason() {
    let fault = PartFault::Rule;
    let reasons = [
        (None, "none"),
        (Some(Refusal::Frame(FrameError::Body)), "frame"),
        (Some(Refusal::State(DeviceState::Empty)), "state"),
        (Some(Refusal::NotReadable(Part::Key)), "not readable"),
        (
            Some(Refusal::Part {
                part: Part::Key,
                fault,
            }),
            "part",
        ),
        (Some(Refusal::PairwiseTest), "trial"),
        (Some(Refusal::Scheme), "scheme"),
        (Some(Refusal::Audience), "audience"),
        (Some(Refusal::Lifetime { max: 0 }), "lifetime"),
        (Some(Refusal::Field), "field"),
        (Some(Refusal::Clock), "clock"),
        (Some(Refusal::TimeBack { floor: 0 }), "time back"),
        (Some(Refusal::TimeAhead { ceiling: 0 }), "time ahead"),
        (Some(Refusal::Rate { wait: 0 }), "rate"),
        (Some(Refusal::Presence), "presence"),
        (Some(Refusal::Authority), "authority"),
        (Some(Refusal::Device), "device"),
        (Some(Refusal::Entropy), "entropy"),
        (Some(Refusal::Storage), "storage"),
        (Some(Refusal::Fault), "fault"),
        (Some(Refusal::KeySize), "key size"),
        (Some(Refusal::KeyEntropy), "key entropy"),
        (Some(Refusal::Unlock), "unlock"),
        (Some(Refusal::KeyUnlock), "key unlock"),
        (Some(Refusal::Renewal), "renewal"),
        (Some(Refusal::Statement), "statement"),
        (Some(Refusal::Content), "content"),
        (Some(Refusal::Image(ImageFault::Board)), "image"),
        (Some(Refusal::Unwrap), "unwrap"),
        (Some(Refusal::Ciphertext), "ciphertext"),
    ];
    for code in 0..=u8::MAX {
        let expected = reasons.get(usize::from(code));
        let word = expected.map_or("unknown", |(_, word)| word);
        assert_eq!(Refusal::word(code), word, "{code}");
        if let Some((Some(refusal), _)) = expected {
            assert_eq!(refusal.code(), code);
        }
    }
}

/// Numbers of schemes.
#[test]
fn every_scheme() {
    let schemes = [
        SchemeId::of(&FIAM),
        SchemeId::of(&ISHARE),
        SchemeId::of(&ISHARE_1),
        SchemeId::of(&ITSME),
        SchemeId::of(&EHEALTH),
    ];
    for (code, scheme) in (0..).zip(schemes) {
        assert_eq!(scheme.code(), code);
        assert_eq!(SchemeId::from_code(code), Some(scheme));
    }
    assert_eq!(SchemeId::from_code(u8::MAX), None);
}
