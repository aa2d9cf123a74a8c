use std::sync::Arc;

use super::*;
use crate::agent::Agent;
use crate::routes::ready;
use crate::served::Shared;

fn path(name: &str) -> PathBuf {
    let name = format!("privyseal-audit-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn signed(log: &AuditLog, jti: &str) {
    let entry = AuditEntry {
        jti: Some(jti),
        ..AuditEntry::new("signed")
    };
    log.append(entry).unwrap();
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let path = path("on");
    let log = AuditLog::open(&path, true).unwrap();
    signed(&log, "a");
    assert!(matches!(
        AuditLog::open(&path, true),
        Err(AuditError::Locked { .. })
    ));
    drop(log);
    // The power was lost within a line.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{{\"sequence\":2,")).unwrap();
    assert_eq!(check(&path).unwrap().torn, 14);
    let log = AuditLog::open(&path, false).unwrap();
    signed(&log, "b");
    let summary = check(&path).unwrap();
    assert_eq!((summary.entries, summary.torn), (4, 0));
    let text = std::fs::read_to_string(&path).unwrap();
    let said = r#""reason":"cut off a last line without its end: {\"sequence\":2,""#;
    assert!(text.lines().nth(2).unwrap().contains(said), "{text}");

    // It is moved away; what follows is linked to it.
    let moved = path.with_extension("1");
    std::fs::rename(&path, &moved).unwrap();
    signed(&log, "c");
    log.reopen().unwrap();
    signed(&log, "d");
    let (old, new) = (check(&moved).unwrap(), check(&path).unwrap());
    assert_eq!((old.entries, new.entries), (5, 2));
    assert_eq!(old.head, new.before);
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&moved).unwrap();
}

#[test]
fn threads_share_a_sync_and_each_line_is_there() {
    let path = path("threads");
    let log = AuditLog::open(&path, true).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    signed(&log, "a");
                    let file = Arc::clone(&log.state().log);
                    let synced = *file.synced.lock().unwrap();
                    // What is on the disk is never more than what was written.
                    assert!(synced.is_some_and(|synced| synced <= log.state().len));
                }
            });
        }
    });
    assert_eq!(check(&path).unwrap().entries, 161);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_taken_from_an_open_log_is_noticed() {
    let path = path("taken");
    let log = AuditLog::open(&path, false).unwrap();
    signed(&log, "a");
    let whole = std::fs::read(&path).unwrap();
    let lost = |text: &str| {
        let error = log.append(AuditEntry::new("signed")).unwrap_err();
        assert!(matches!(error, AuditError::Lost { .. }), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(log.test().unwrap_err().to_string(), error.to_string());
    };
    // Shorter by a line, or longer by somebody else's.
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for other in [&whole[..first], &[&whole[..], b"{}\n"].concat()] {
        std::fs::write(&path, other).unwrap();
        lost("were written");
        log.reopen().unwrap_err();
        lost("were written");
    }
    std::fs::write(&path, &whole).unwrap();
    log.test().unwrap();
    // Another log in its place is not gone on with.
    let moved = path.with_extension("1");
    std::fs::rename(&path, &moved).unwrap();
    std::fs::write(&path, &whole[..first]).unwrap();
    let error = log.reopen().unwrap_err();
    assert!(error.to_string().contains("does not end with"), "{error}");
    signed(&log, "b");
    std::fs::remove_file(&moved).unwrap();
    lost("was removed");
    // What comes after it says what is missing.
    std::fs::remove_file(&path).unwrap();
    log.reopen().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"sequence\":3,"), "{text}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn any_change_is_found_and_named() {
    let path = path("changed");
    let log = AuditLog::open(&path, false).unwrap();
    for jti in ["a", "b", "c"] {
        signed(&log, jti);
    }
    drop(log);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let without = |place: usize| {
        let left = lines.iter().enumerate().filter(|(at, _)| *at != place);
        let left: Vec<_> = left.map(|(_, line)| *line).collect();
        left.join("\n") + "\n"
    };
    let last = lines.len() - 1;
    for (text, line) in [
        (text.replace("\"jti\":\"b\"", "\"jti\":\"x\""), 3),
        (
            text.replace("\"jti\":\"b\"", "\"jti\":\"b\",\"link\":\"\""),
            3,
        ),
        (without(1), 2),
        (without(0), 1),
        (
            format!(
                "{}\n",
                lines.iter().rev().copied().collect::<Vec<_>>().join("\n")
            ),
            1,
        ),
        (text.replace("opened", "opene."), 1),
        (format!("{text}{}\n", lines[last]), 5),
        (format!("{text}\n"), 5),
        (format!("{text}{}\n", "x".repeat(20_000)), 5),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = check(&path).unwrap_err();
        assert!(
            matches!(error, AuditError::Changed { line: found, .. } if found == line),
            "{error}"
        );
        assert!(AuditLog::open(&path, false).is_err());
    }
    std::fs::remove_file(&path).unwrap();
}

/// However many ask, and however long it hangs.
#[test]
fn a_disk_that_hangs_has_one_thread_of_those_who_ask_whether_it_is_ready() {
    let log = AuditLog::open(&path("hangs"), false).unwrap();
    let agent = Arc::new(Agent::new(Arc::new(Shared::new(log))));
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let before = threads();
    let hangs = agent.shared.audit.state();
    for _ in 0..100 {
        let agent = Arc::clone(&agent);
        runtime.spawn(async move { ready(&agent).await.is_ok() });
    }
    // Behind them.
    runtime.block_on(runtime.spawn(async {})).unwrap();
    // Other tests have some, too.
    assert!(threads() < before + 50);
    drop(hangs);
    assert!(runtime.block_on(ready(&agent)).is_ok());
}
