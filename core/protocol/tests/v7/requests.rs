use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ISHARE_1, ITSME};
use privyseal_protocol::{
    CsrRequest, Generate, Part, Provision, Request, SchemeId, SignRequest, SubjectPart, Totals,
    UnlockSecret,
};

use crate::pinned;

const NOW: u64 = 1_790_000_000;

#[test]
fn every_part_and_scheme() {
    pinned! { Part:
        Part::Key => "00";
        Part::Policy => "01";
        Part::Chain => "02";
        Part::Seed => "03";
        Part::PublicKey => "04";
        Part::Unlock => "05";
    }
    pinned! { SchemeId:
        SchemeId::of(&FIAM) => "00";
        SchemeId::of(&ISHARE) => "01";
        SchemeId::of(&ISHARE_1) => "02";
        SchemeId::of(&ITSME) => "03";
        SchemeId::of(&EHEALTH) => "04";
    }
}

#[test]
fn every_step_of_provisioning() {
    pinned! { Provision<'_>:
        Provision::Begin(Totals { key: 1_024, policy: 150, chain: 4_000, seed: 48, unlock: 32 }) =>
            "00 Begin" "8008 key" "9601 policy" "a01f chain" "30 seed" "20 unlock";
        Provision::Chunk { part: Part::Seed, offset: 256, bytes: &[0x0a, 0x00, 0xff] } =>
            "01 Chunk" "03 part" "8002 offset" "03 length" "0a00ff bytes";
        Provision::Commit => "02 Commit";
        Provision::Abort => "03 Abort";
    }
}

#[test]
fn every_request() {
    pinned! { Request<'_>:
        Request::Info => "00 Info";
        Request::Read { part: Part::Chain, offset: 300 } => "01 Read" "02 part" "ac02 offset";
        Request::Provision(Provision::Chunk { part: Part::Policy, offset: 0, bytes: &[7; 256] }) =>
            "02 Provision" "01 Chunk" "01 part" "00 offset" "8002 length" "07*256 bytes";
        Request::Sign(SignRequest::new(SchemeId::of(&FIAM), NOW)) =>
            "03 Sign" "00 scheme" "00 no audience" "80f7c4d506 now" "00 backdate" "00 no lifetime" "00 no nonce";
        Request::Sign(SignRequest {
            scheme: SchemeId::of(&EHEALTH),
            audience: Some("https://a.example"),
            now: NOW,
            backdate: 200,
            lifetime: Some(300),
            nonce: Some([1, 2, 3, 4, 5, 6, 7, 8]),
        }) =>
            "03 Sign"
            "04 scheme"
            "01 an audience" "11 length" "'https://a.example'"
            "80f7c4d506 now"
            "c8 backdate"
            "01 a lifetime" "ac02 seconds"
            "01 a nonce" "0102030405060708";
        Request::Log { from: 300, max: 1_000 } => "04 Log" "ac02 from" "e807 max";
        Request::SetTime { now: NOW, signature: &[0x55; 256] } =>
            "05 SetTime" "80f7c4d506 now" "8002 length" "55*256 signature";
        Request::Wipe { device: *b"this device!" } => "06 Wipe" "'this device!' device";
        Request::Generate(Generate { bits: 3072, board_entropy: true, seed: &[0x77; 48], unlock: None }) =>
            "07 Generate" "8018 bits" "01 board_entropy" "30 length" "77*48 seed" "00 no unlock";
        Request::Generate(Generate {
            bits: 2048,
            board_entropy: false,
            seed: &[0x77; 48],
            unlock: Some(UnlockSecret([0x99; 32])),
        }) =>
            "07 Generate" "8010 bits" "00 board_entropy" "30 length" "77*48 seed" "01 an unlock" "99*32 secret";
        Request::Csr(CsrRequest {
            subject: [("NL", 6), ("A", 3)].into_iter().map(|(value, arc)| SubjectPart { arc, value }).collect(),
            digital_signature: false,
            non_repudiation: true,
        }) =>
            "08 Csr" "02 attributes"
            "06 countryName" "02 length" "'NL'"
            "03 commonName" "01 length" "'A'"
            "00 no digitalSignature" "01 nonRepudiation";
        Request::Unlock(UnlockSecret([0x99; 32])) => "09 Unlock" "99*32 secret";
        Request::Renew { policy: [0xcc; 32], signature: &[0x55; 3] } =>
            "0a Renew" "cc*32 policy" "03 length" "555555 signature";
        Request::Compose { offset: 384, bytes: &[9, 0, 9] } =>
            "0b Compose" "8003 offset" "03 length" "090009 bytes";
        Request::SignComposed(SignRequest::new(SchemeId::of(&ITSME), NOW)) =>
            "0c SignComposed" "03 scheme" "00 no audience" "80f7c4d506 now" "00 backdate" "00 no lifetime" "00 no nonce";
        Request::Update { offset: 256, bytes: &[9, 0, 9] } =>
            "0d Update" "8002 offset" "03 length" "090009 bytes";
        Request::Restart => "0e";
        Request::Unwrap { ciphertext: &[0x55; 512] } => "0f Unwrap" "8004 length" "55*512 ciphertext";
    }
}
