use std::vec::Vec;

use privyseal_protocol::Event;

use super::*;
use crate::board::Board as _;
use crate::fake::{Cells, Cut, FakeBoard, Memory, Moment, Time, Wire};

const DEVICE: DeviceId = *b"a journal's.";

fn board(memory: Memory) -> FakeBoard<Wire> {
    FakeBoard::new(Wire::default(), memory, Time::manual())
}

fn event(counter: u64) -> Entry {
    Entry {
        event: Event::Signed,
        counter,
        ..Entry::BEFORE_THE_FIRST
    }
}

fn sequences(journal: &Journal, board: &mut FakeBoard<Wire>) -> Vec<u32> {
    let places = Journal::places(board.journal());
    (0..places)
        .filter_map(|place| journal.at(board.journal(), place).expect("flash"))
        .map(|(entry, _)| entry.sequence)
        .collect()
}

#[test]
fn a_new_one_is_empty() {
    let mut board = board(Memory::default());
    let journal = Journal::open(board.journal(), &DEVICE).expect("flash");
    assert_eq!(journal.state(), Entry::BEFORE_THE_FIRST);
    assert_eq!(journal.next_sequence(), 0);
    assert_eq!(journal.head(), &first_link(&DEVICE));
    assert_eq!(journal.oldest(board.journal()), Ok(0));
}

/// Areas of four records: what is there is always the newest, in order, and is found again.
#[test]
fn it_goes_round() {
    let mut board = board(Memory::with_journal_sector(512));
    let mut journal = Journal::open(board.journal(), &DEVICE).expect("flash");
    for number in 0..30_u32 {
        journal
            .append(board.journal(), event(number.into()))
            .expect("flash");
        let found = sequences(&journal, &mut board);
        let newest: Vec<_> = (0..=number).collect();
        assert!(newest.ends_with(&found), "{number}: {found:?}");
        assert!(found.len() >= 4.min(newest.len()), "{number}: {found:?}");
        let again = Journal::open(board.journal(), &DEVICE).expect("flash");
        assert_eq!(again.state(), journal.state());
        assert_eq!(again.head(), journal.head());
        assert_eq!((again.area, again.free), (journal.area, journal.free));
        assert_eq!(Ok(found[0]), journal.oldest(board.journal()));
    }
}

/// A cut anywhere leaves the state before or after, and the next record is written all the same.
#[test]
fn a_cut_leaves_the_old_or_the_new() {
    let mut memory = Memory::with_journal_sector(512);
    for number in 0..20_u64 {
        for operation in 0..2 {
            for moment in Moment::ALL {
                let mut first = board(memory.clone());
                let mut journal = Journal::open(first.journal(), &DEVICE).expect("flash");
                let before = journal.state();
                first.power().cut(Cut { operation, moment });
                let outcome = journal.append(first.journal(), event(number));
                assert_eq!(outcome.is_err(), first.power().is_off());
                if outcome.is_err() {
                    assert_eq!(
                        journal.append(first.journal(), event(99)),
                        Err(StorageError)
                    );
                }
                let mut second = board(first.memory());
                let mut journal = Journal::open(second.journal(), &DEVICE).expect("flash");
                let state = journal.state();
                assert!(
                    state == before || state.counter == number,
                    "{number} {moment:?}"
                );
                journal
                    .append(second.journal(), event(1_000))
                    .expect("it goes on");
                let again = Journal::open(second.journal(), &DEVICE).expect("flash");
                assert_eq!(again.state().counter, 1_000);

                let mut memory = second.memory();
                memory.journal.settle();
                let mut third = board(memory);
                let journal = Journal::open(third.journal(), &DEVICE).expect("flash");
                assert_eq!(journal.state(), again.state(), "{number} {moment:?}");
                assert_eq!(
                    sequences(&journal, &mut third),
                    sequences(&again, &mut second)
                );
            }
        }
        let mut board = board(memory);
        let mut journal = Journal::open(board.journal(), &DEVICE).expect("flash");
        journal
            .append(board.journal(), event(number))
            .expect("flash");
        memory = board.memory();
    }
}

/// Every bit of a record is watched over.
#[test]
fn a_damaged_record_does_not_count() {
    let mut first = board(Memory::default());
    let mut journal = Journal::open(first.journal(), &DEVICE).expect("flash");
    journal.append(first.journal(), event(1)).expect("flash");
    journal.append(first.journal(), event(2)).expect("flash");
    for bit in SLOT * 8..2 * SLOT * 8 {
        let mut memory = first.memory();
        memory.journal[bit / 8] ^= 1 << (bit % 8);
        let mut damaged = board(memory);
        let found = Journal::open(damaged.journal(), &DEVICE).expect("flash");
        assert_eq!(found.state().counter, 1, "{bit}");
    }
}

#[test]
fn no_flash_no_journal() {
    let mut board = board(Memory {
        journal: Cells::blank(0),
        ..Memory::default()
    });
    assert!(Journal::open(board.journal(), &DEVICE).is_err());
}
