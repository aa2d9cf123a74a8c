use super::*;

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
    let log = AuditLog::open(&path, false).unwrap();
    signed(&log, "b");
    let summary = check(&path).unwrap();
    assert_eq!(summary.entries, 4);

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
