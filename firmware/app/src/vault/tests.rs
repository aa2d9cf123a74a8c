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
    AllowedAudience, Entry, Event, MAX_POLICY, Part, Policy, Rate, SchemeId, SchemePolicy, Totals,
};
use sha2::{Digest as _, Sha256};

use crate::board::Board as _;
use crate::fake::{FakeBoard, Memory, Time, Wire};
use crate::flash::write_padded;
use crate::journal::Journal;
use crate::keyed::encode_headers;
use crate::vault::{self, Contents, Manifest, Place};

/// The version of the manifest that these vectors are of.
const VERSION: u8 = 2;

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
        audiences: core::iter::once(AllowedAudience {
            scheme: SchemeId::of(&ITSME),
            audience: "https://idp.prd.itsme.services/v2/token",
        })
        .collect(),
        ..POLICY
    };
    let mut buffer = [0; MAX_POLICY];
    policy.to_bytes(&mut buffer).expect("it fits").to_vec()
}

/// The region of key, policy and chain, from its parts to the mark of wiping.
#[test]
fn the_provisioned_region() {
    let manifest_vector = [
        ("505345414c207632", "PSEAL v2"),
        ("07000000", "sequence"),
        ("03000000", "bytes of the key"),
        ("59000000", "bytes of the policy"),
        ("00000000", "bytes of the chain"),
        ("30000000", "bytes of the seed"),
        ("00520000", "the first header's place"),
        ("33000000", "its bytes"),
        ("40520000", "the second header's place"),
        ("33000000", "its bytes"),
        ("00*24", "no third, fourth and fifth"),
        (
            "9ee205a7a01f6ff0c015a0e5c9b6fbb3e2acabd024407e5e82a7557cf05f532f",
            "SHA-256 of parts and headers",
        ),
        ("00*24", "nothing"),
        ("314bddda", "CRC-32"),
    ];
    let policy = policy();
    let parts: [(Part, &[u8], usize); 4] = [
        (Part::Seed, &[7; 48], 61_440),
        (Part::Key, b"key", 61_504),
        (Part::Policy, &policy, 512),
        (Part::Chain, b"", 4_608),
    ];
    let mut board = board();
    let mut manifest = Manifest {
        sequence: 7,
        totals: Totals {
            key: 3,
            policy: u32::try_from(policy.len()).expect("a length"),
            chain: 0,
            seed: 48,
        },
        headers: [Place::default(); _],
        digest: [0; 32],
    };
    for (part, bytes, _) in parts {
        let at = vault::start(part).expect("a place");
        write_padded(board.provision(), at, bytes).expect("flash");
    }
    encode_headers(&mut board, &mut manifest).expect("a good policy");
    manifest.digest = vault::digest(&board, &manifest).expect("places");
    vault::commit(board.provision(), &manifest).expect("flash");

    let flash = board.memory().provision;
    assert_eq!(hex(&flash[..128]), digits(&manifest_vector));
    assert_eq!(flash[..8], *format!("PSEAL v{VERSION}").as_bytes());
    assert!(flash[128..512].iter().all(|&byte| byte == 0xff));
    for (part, bytes, at) in parts {
        assert_eq!(flash[at..at + bytes.len()], *bytes, "{part:?}");
    }
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
        assert_eq!(flash[at..at + header.len()], *header.as_bytes(), "{header}");
    }

    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Whole(it) if it == manifest));
    vault::mark(board.provision()).expect("flash");
    let flash = board.memory().provision;
    assert_eq!(hex(&flash[256..288]), digits(&[("00*32", "the mark")]));
    let found = vault::inspect(&mut board).expect("flash");
    assert!(matches!(found, Contents::Marked));
}
