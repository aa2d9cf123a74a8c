//! What a device has in its flash, byte by byte. A policy, and an entry of the log without the record around it, have
//! their vectors beside the protocol.
//!
//! # The rule
//! Devices in the field have these bytes in their flash, and an update must find its way in them. A change to one
//! of them makes another version: that at the beginning of the manifest (or, for the journal, that in
//! `privyseal-log:v1:`) is counted up, and vectors of the new version stand beside these.
#![allow(clippy::arithmetic_side_effects, clippy::format_collect)]

use privyseal_core::scheme::{EHEALTH, ITSME};
use std::format;
use std::string::String;
use std::vec::Vec;

use privyseal_protocol::{
    AllowedAudience, AtRest, Entry, Event, MAX_POLICY, Origin, Part, Policy, Rate, SchemeId,
    SchemePolicy,
};
use sha2::{Digest as _, Sha256};

use crate::board::Board as _;
use crate::fake::{FakeBoard, Memory, Time, Wire};
use crate::flash::write_padded;
use crate::journal::Journal;
use crate::keyed::encode_headers;
use crate::vault::{self, Contents, KeyRecord, Manifest, Place};

/// The version of the manifest that these vectors are of.
const VERSION: u8 = 4;

/// Pieces, each in hexadecimal (`00*12` is a byte twelve times), and what it stands for.
type Vector<'a> = [(&'a str, &'a str)];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digits(vector: &Vector<'_>) -> String {
    let piece = |(digits, _): &(&str, _)| match digits.split_once('*') {
        Some((byte, times)) => byte.repeat(times.parse().expect("a number")),
        None => String::from(*digits),
    };
    vector.iter().map(piece).collect()
}

fn board() -> FakeBoard<Wire> {
    FakeBoard::new(Wire::default(), Memory::default(), Time::manual())
}

#[test]
fn a_record_of_the_journal() {
    let vector = [
        ("00000000", "sequence"),
        ("04", "event"),
        ("00", "code"),
        ("03", "scheme"),
        ("02", "audience"),
        ("00", "not faulted"),
        ("00*3", "nothing"),
        ("2c010000", "boots"),
        ("0000000000010000", "counter"),
        ("803bb16a00000000", "time floor"),
        ("bc3bb16a00000000", "now"),
        ("3c000000", "debt"),
        ("88130000", "unlogged"),
        ("d5*32", "digest"),
        (
            "53f9cbd2af833a2f70c6c44e2b0dc87b017dfa46715ceec49251651966afb58a",
            "link",
        ),
        ("00*12", "nothing"),
        ("5de8e30b", "CRC-32"),
        ("ff*128", "the next, which is not written"),
    ];
    let entry = Entry {
        sequence: 0,
        event: Event::Signed,
        code: 0,
        scheme: Some(SchemeId::of(&ITSME)),
        audience: Some(2),
        faulted: false,
        boots: 300,
        counter: 1 << 40,
        time_floor: 1_790_000_000,
        now: 1_790_000_060,
        debt: 60,
        unlogged: 5_000,
        digest: [0xd5; 32],
    };
    let mut board = board();
    let device = board.device;
    let mut journal = Journal::open(board.journal(), &device).expect("flash");
    let start = "privyseal-log:v1:fake device!";
    assert_eq!(journal.head()[..], Sha256::digest(start)[..], "a version");
    journal.append(board.journal(), entry).expect("flash");
    assert_eq!(hex(&board.memory().journal[..256]), digits(&vector));
    let found = Journal::open(board.journal(), &device).expect("flash");
    assert_eq!(found.state(), entry);
}

const POLICY: Policy<'_> = Policy {
    schemes: heapless::Vec::new(),
    audiences: heapless::Vec::new(),
    max_lifetime: 60,
    rate: Rate {
        assertions: 100,
        seconds: 100,
    },
    time_floor: 1_790_000_000,
    max_jump: 1_000,
    authority: None,
    presence: None,
    board_entropy: false,
    unlock: false,
};

/// A policy of two schemes with a `kid` each.
fn policy() -> Vec<u8> {
    let named = |scheme, client_id, kid| SchemePolicy {
        scheme,
        client_id,
        kid: Some(kid),
    };
    let policy = Policy {
        schemes: [
            named(SchemeId::of(&ITSME), "partner", "k1"),
            named(SchemeId::of(&EHEALTH), "nihii-12345678", "k2"),
        ]
        .into_iter()
        .collect(),
        audiences: core::iter::once(AllowedAudience::of_assertions(
            SchemeId::of(&ITSME),
            "https://idp.prd.itsme.services/v2/token",
        ))
        .collect(),
        ..POLICY
    };
    let mut buffer = [0; MAX_POLICY];
    policy.to_bytes(&mut buffer).expect("it fits").to_vec()
}

/// Both pieces, from their parts to the mark of wiping.
#[test]
#[allow(clippy::too_many_lines)] // Two tables.
fn the_provisioned_pieces() {
    let manifest_vector = [
        ("505345414c207634", "PSEAL v4"),
        ("07000000", "sequence"),
        ("5a000000", "bytes of the policy"),
        ("00000000", "bytes of the chain"),
        ("00520000", "the first header's place"),
        ("33000000", "its bytes"),
        ("40520000", "the second header's place"),
        ("33000000", "its bytes"),
        ("00*24", "no third, fourth and fifth"),
        (
            "1ea585a80f70f3a0035d8c207cb11bcbb56a2e612c6df47412c49cd321327172",
            "SHA-256 of parts and headers",
        ),
        ("ee*32", "proof"),
        ("b4e8b29a", "CRC-32"),
    ];
    let record_vector = [
        ("50534b4559207634", "PSKEY v4"),
        ("06000000", "sequence"),
        ("01000000", "generated"),
        (
            "05000000",
            "the board's random generator had part, and it is kept under an unlock secret",
        ),
        ("00020000", "bytes of the key"),
        (
            "5aef92f3fb94aa632f9dbdc4ad552ae7f773bfe66898a032b59ebdb79ce17196",
            "SHA-256 of salt, modulus and encrypted secret",
        ),
        ("00*68", "nothing"),
        ("0923ae3f", "CRC-32"),
    ];
    let policy = policy();
    let mut board = board();
    let policy_at = vault::start(Part::Policy).expect("a place");
    write_padded(board.provision(), policy_at, &policy).expect("flash");
    vault::write_key(board.secrets(), &[7; 32], &[1; 256], &[2; 336]).expect("flash");
    let mut manifest = Manifest {
        sequence: 7,
        policy: u32::try_from(policy.len()).expect("a length"),
        chain: 0,
        headers: [Place::default(); _],
        digest: [0; 32],
        proof: [0xee; 32],
    };
    encode_headers(&mut board, &mut manifest).expect("a good policy");
    manifest.digest = manifest.digest(&board).expect("places");
    let mut record = KeyRecord {
        sequence: 6,
        origin: Origin::Generated,
        board_entropy: true,
        at_rest: AtRest {
            device_secret: false,
            unlock_secret: true,
        },
        key: 512,
        digest: [0; 32],
    };
    record.digest = record.digest(&board).expect("places");
    vault::write_record(board.secrets(), &record).expect("flash");
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Born(it) if it == record));
    vault::commit(board.provision(), &manifest).expect("flash");

    let Memory {
        provision, secrets, ..
    } = board.memory();
    assert_eq!(hex(&provision[..128]), digits(&manifest_vector));
    assert_eq!(provision[..8], *format!("PSEAL v{VERSION}").as_bytes());
    assert_eq!(hex(&secrets[..128]), digits(&record_vector));
    assert_eq!(secrets[..8], *format!("PSKEY v{VERSION}").as_bytes());
    assert!(provision[128..512].iter().all(|&byte| byte == 0xff));
    assert_eq!(provision[512..512 + policy.len()], policy);
    assert_eq!(secrets[128..160], [7; 32]);
    assert_eq!(secrets[160..416], [1; 256]);
    assert_eq!(secrets[672..1008], [2; 336]);
    for (header, at) in [
        (
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0",
            20_992,
        ),
        (
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0",
            21_056,
        ),
    ] {
        assert_eq!(
            provision[at..at + header.len()],
            *header.as_bytes(),
            "{header}"
        );
    }

    let whole = FakeBoard::new(Wire::default(), board.memory(), Time::manual());
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Whole(it, key) if it == manifest && key == record));
    vault::erase_upload(&mut board).expect("flash");
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Born(it) if it == record));
    board = whole;
    vault::mark(&mut board).expect("flash");
    let provision = board.memory().provision;
    assert_eq!(hex(&provision[256..288]), digits(&[("00*32", "the mark")]));
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Marked));
}

/// The newest fingerprint that is whole counts, and not twice what is there.
#[test]
fn a_fingerprint_of_a_renewal() {
    let mut board = board();
    let (first, next) = ([0xcc; 32], [0xdd; 32]);
    for policy in [first, first] {
        assert_eq!(vault::renew(&mut board, &policy), Ok(true));
    }
    let vector = [
        ("cc*32", "fingerprint"),
        ("00*28", "nothing"),
        ("a3fbcc72", "CRC-32"),
        ("ff*64", "erased"),
    ];
    assert_eq!(
        hex(&board.memory().secrets[1280..1408]),
        digits(&vector),
        "another version?"
    );
    write_padded(board.secrets(), 1344, &next).expect("flash");
    assert_eq!(vault::renewal(&mut board), Ok((Some(first), 1408)));
    assert_eq!(vault::renew(&mut board, &next), Ok(true));
    assert_eq!(vault::renewal(&mut board), Ok((Some(next), 1472)));
}

/// What firmware of another version has left is wiped and not misread.
#[test]
fn a_manifest_of_another_version_is_wiped() {
    for version in [b"PSEAL v3", b"PSEAL v5"] {
        let mut board = board();
        write_padded(board.provision(), 0, version).expect("flash");
        let found = vault::inspect(&mut board).expect("flash");
        assert!(matches!(found, Contents::Marked));
    }
    let mut board = board();
    write_padded(board.secrets(), 0, b"PSKEY v3").expect("flash");
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Marked));
}
