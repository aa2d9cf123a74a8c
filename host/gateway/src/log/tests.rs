use privyseal_protocol::log::ENTRY_LEN;

use super::*;

const DEVICE: DeviceId = [7; 12];

/// A log as a device keeps it.
fn records(count: u32) -> (Vec<Vec<u8>>, [u8; LINK_LEN]) {
    let mut link = first_link(&DEVICE);
    let records = (0..count).map(|sequence| {
        let entry = Entry {
            sequence,
            event: Event::Signed,
            counter: u64::from(sequence) + 1,
            now: 1_790_000_000 + u64::from(sequence),
            ..Entry::BEFORE_THE_FIRST
        };
        link = link_after(&link, &entry.to_bytes());
        [entry.to_bytes().as_slice(), &link].concat()
    });
    let records = records.collect();
    (records, link)
}

fn read(
    records: &[Vec<u8>],
    from: u32,
    end: (u32, u32, [u8; LINK_LEN]),
) -> Result<DeviceLog, String> {
    let mut builder = LogBuilder::new(DEVICE, from);
    let log = records
        .iter()
        .try_for_each(|record| builder.add(record))
        .and_then(|()| builder.finish(end.0, end.1, end.2));
    log.map_err(|error| error.to_string())
}

#[test]
fn a_whole_log_is_proved() {
    let (records, head) = records(5);
    let log = read(&records, 0, (0, 5, head)).unwrap();
    assert!(log.is_rooted && log.entries.len() == 5);
    let since = |head: &[u8; 32]| log.clone().since(head).map(|new| new.entries);
    assert_eq!(since(&head), Some(Vec::new()));
    assert_eq!(since(&log.entries[0].1).as_deref(), Some(&log.entries[1..]));
    assert_eq!(since(&[0; 32]), None);
    assert!(
        log.to_string().contains("chain proved from the first"),
        "{log}"
    );
    assert_eq!(log.to_json()["entries"][4]["counter"], 5);

    let later = read(&records[2..], 2, (0, 5, head)).unwrap();
    assert!(!later.is_rooted);
    assert!(later.to_string().contains("behind entry 2"), "{later}");
    assert!(
        read(&records[3..], 0, (3, 5, head)).is_ok(),
        "old ones are gone"
    );
    let nothing = first_link(&DEVICE);
    assert!(read(&[], 0, (0, 0, nothing)).is_ok());
    assert!(read(&[], 5, (0, 5, head)).is_ok(), "nothing new");
}

/// Each change that someone between device and host could make.
#[test]
fn a_log_that_was_changed_is_not_believed() {
    let (good, head) = records(5);
    let change = |f: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut records = good.clone();
        f(&mut records);
        read(&records, 0, (0, 5, head)).unwrap_err()
    };
    for (record, place) in [(0, 30), (2, 24), (4, 8)] {
        let error = change(&|records| records[record][place] ^= 1);
        assert!(error.contains("not linked"), "{error}");
    }
    let error = change(&|records| records[3][ENTRY_LEN] ^= 1);
    assert!(error.contains("not linked"), "{error}");
    let error = change(&|records| drop(records.remove(2)));
    assert!(error.contains("stands behind"), "{error}");
    let error = change(&|records| records.swap(1, 2));
    assert!(error.contains("stands behind"), "{error}");
    let error = change(&|records| drop(records.remove(0)));
    assert!(error.contains("beginning"), "{error}");
    let error = change(&|records| drop(records.pop()));
    assert!(error.contains("newest"), "{error}");
    let error = change(&Vec::clear);
    assert!(error.contains("beginning"), "{error}");
    let error = change(&|records| records[1].truncate(50));
    assert!(error.contains("cannot be read"), "{error}");
    let error = read(&good, 0, (0, 5, [0; 32])).unwrap_err();
    assert!(error.contains("head"), "{error}");
    // Heads that nothing proves: they are what users are told to keep.
    let error = read(&[], 9, (0, 5, [0; 32])).unwrap_err();
    assert!(error.contains("its next one will be 5"), "{error}");
    let error = read(&[], 0, (0, 0, [0; 32])).unwrap_err();
    assert!(error.contains("empty log"), "{error}");
    let error = read(&good, 3, (0, 5, head)).unwrap_err();
    assert!(error.contains("begins with 0"), "{error}");
}
