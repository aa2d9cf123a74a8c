//! The log: every event is in it, it is linked from the first to the head, and it survives.

use privyseal_core::scheme::FIAM;
use privyseal_firmware_app::fake::Memory;
use privyseal_protocol::log::{ENTRY_LEN, LINK_LEN, RECORD_LEN, first_link, link_after};
use privyseal_protocol::{Entry, Event, Refusal, Request, Response, SchemeId, SignRequest};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{TestDevice, ask, info, provision, sign};
use sha2::{Digest as _, Sha256};

use crate::fixture::{SCHEME_OWNER, policy, provisioned, restart, start, upload};

#[derive(Default)]
struct Exported {
    records: Vec<Vec<u8>>,
    end: Option<(u32, u32, [u8; LINK_LEN])>,
}

fn export(device: &mut TestDevice, from: u32, max: u16) -> Exported {
    ask(
        device,
        &Request::Log { from, max },
        |log: &mut Exported, response| match response {
            Response::Entry { record } => log.records.push(record.to_vec()),
            Response::LogEnd { first, next, head } => log.end = Some((first, next, head)),
            other => panic!("{other:?}"),
        },
    )
    .expect("a log")
}

/// Takes the whole log and checks every link of it; gives its entries.
pub(crate) fn check(device: &mut TestDevice) -> Vec<Entry> {
    let id = device.board().device;
    let Exported { records, end } = export(device, 0, u16::MAX);
    let (first, next, head) = end.expect("an end");
    let mut link = (first == 0).then(|| first_link(&id));
    let mut entries = Vec::new();
    for (sequence, record) in (first..).zip(&records) {
        let (entry, named) = Entry::from_record(record).expect("an entry");
        assert_eq!(record.len(), RECORD_LEN);
        assert_eq!(entry.sequence, sequence, "none is missing");
        if let Some(before) = link {
            let bytes = record[..ENTRY_LEN].try_into().expect("an entry");
            assert_eq!(link_after(&before, bytes), named, "entry {sequence}");
        }
        link = Some(named);
        entries.push(entry);
    }
    assert_eq!(first + u32::try_from(records.len()).expect("a few"), next);
    assert_eq!(link, Some(head), "the head is the newest entry's link");
    entries
}

/// The link of each entry.
pub(crate) fn links(device: &mut TestDevice) -> Vec<[u8; LINK_LEN]> {
    let records = export(device, 0, u16::MAX).records;
    let read = |record: &Vec<u8>| Entry::from_record(record).expect("an entry").1;
    records.iter().map(read).collect()
}

fn events(entries: &[Entry]) -> Vec<Event> {
    entries.iter().map(|entry| entry.event).collect()
}

#[test]
fn every_event_is_in_it() {
    let mut device = provisioned(&policy());
    let token = sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
    )
    .expect("a token");
    let elsewhere = SignRequest {
        audience: Some("EU.EORI.NLSOMEONEELSE"),
        ..SignRequest::new(SchemeId::of(&FIAM), run_start() + 1)
    };
    assert_eq!(sign(&mut device, elsewhere), Err(Refusal::Audience));
    let mut device = restart(&mut device);
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");

    let entries = check(&mut device);
    let expected = [
        Event::ProvisionBegun,
        Event::Imported,
        Event::Signed,
        Event::Refused,
        Event::Boot,
        Event::Wiped,
    ];
    assert_eq!(events(&entries), expected);
    let [_, _, signed, refused, ..] = &entries[..] else {
        panic!();
    };
    assert_eq!(
        (signed.scheme, signed.audience),
        (Some(SchemeId::of(&FIAM)), Some(0))
    );
    assert_eq!((signed.counter, signed.now), (1, run_start()));
    // The entry names the token: by the digest of what was signed.
    let (input, _) = token.rsplit_once('.').expect("a JWS");
    assert_eq!(signed.digest[..], Sha256::digest(input)[..]);
    assert_eq!(
        (refused.reason(), refused.audience),
        (Some("audience"), None)
    );
    assert_eq!((refused.counter, refused.now), (1, run_start() + 1));
    assert_eq!(refused.time_floor, run_start(), "a refusal moves no time");
}

#[test]
fn a_part_can_be_asked_for() {
    let mut device = provisioned(&policy());
    for later in 0..5 {
        sign(
            &mut device,
            SignRequest::new(SchemeId::of(&FIAM), run_start() + later),
        )
        .expect("a token");
    }
    let part = export(&mut device, 3, 2);
    let numbers: Vec<_> = part
        .records
        .iter()
        .map(|record| Entry::from_record(record).expect("an entry").0.sequence)
        .collect();
    assert_eq!(numbers, [3, 4]);
    assert!(part.end.is_some());
    assert!(export(&mut device, 7, 9).records.is_empty());
}

/// Four records an area: the log is a ring of four to eight, and what is left of it is whole.
#[test]
fn it_is_bounded_and_keeps_the_newest() {
    let mut device = start(Memory::with_journal_sector(512));
    provision(&mut device, &upload(&policy())).expect("a good upload");
    for later in 0..50 {
        sign(
            &mut device,
            SignRequest::new(SchemeId::of(&FIAM), run_start() + later),
        )
        .expect("a token");
        let entries = check(&mut device);
        assert!((1..=8).contains(&entries.len()), "{}", entries.len());
        let newest = entries.last().expect("an entry");
        assert_eq!(
            (newest.counter, newest.now),
            (later + 1, run_start() + later)
        );
        if later % 7 == 0 {
            device = restart(&mut device);
        }
    }
    assert_eq!(info(&mut device).counter, 50);
}

/// What the rate limit leaves no place for is counted, and the next entry says so.
#[test]
fn refusals_cannot_wear_the_flash() {
    let mut policy = policy();
    policy.rate.assertions = 3;
    let mut device = provisioned(&policy);
    let before = device.board().power().operations();
    for _ in 0..100 {
        let unknown = SignRequest {
            audience: Some(SCHEME_OWNER),
            ..SignRequest::new(SchemeId::of(&FIAM), run_start())
        };
        assert!(sign(&mut device, unknown).is_err());
    }
    assert_eq!(device.board().power().operations() - before, 3);
    device.board().time.advance(1_000_000);
    sign(
        &mut device,
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
    )
    .expect("a token");
    let entries = check(&mut device);
    assert_eq!(entries.last().expect("an entry").unlogged, 97);
}
