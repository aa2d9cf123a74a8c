//! A lock that the processes of one user share.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// How often it is looked whether the lock is free.
const POLL: Duration = Duration::from_millis(5);

/// Held by one process, and one thread of it, at a time: until it is dropped or the process ends.
#[derive(Debug)]
pub struct ProcessLock(File);

impl ProcessLock {
    /// Takes the lock that stands for `of`, in `$STATE_DIRECTORY` or the user's folder for state; without such a folder, as in
    /// many containers, `of` itself is locked, which is only opened. None if others hold it for longer than `wait`, or if
    /// neither can be opened: it is for what is better done alone and can be done all the same.
    pub fn take(of: &Path, wait: Duration) -> Option<Self> {
        match state_folder() {
            Some(folder) => Self::take_in(&folder, &of.to_string_lossy(), wait),
            None => Self::of_file(File::open(of).ok()?, wait),
        }
    }

    fn take_in(folder: &Path, name: &str, wait: Duration) -> Option<Self> {
        let hash: [u8; 32] = Sha256::digest(name).into();
        let hash = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
        let path = folder.join(format!("lock-{hash:016x}"));
        fs::create_dir_all(folder).ok()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::of_file(options.open(path).ok()?, wait)
    }

    fn of_file(file: File, wait: Duration) -> Option<Self> {
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Self(file)),
                Err(fs::TryLockError::WouldBlock) if start.elapsed() < wait => thread::sleep(POLL),
                Err(_) => return None,
            }
        }
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // A process that was forked meanwhile has the file open, too.
        let _ = self.0.unlock();
    }
}

/// Where this user's programs keep what they must remember; systemd says where a service does.
pub(crate) fn state_folder() -> Option<PathBuf> {
    folder_of(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn folder_of(set: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let own = |folder: PathBuf| folder.join("privyseal");
    // A service may have several.
    let first = |folders: OsString| std::env::split_paths(&folders).next();
    set("STATE_DIRECTORY")
        .and_then(first)
        .or_else(|| set("XDG_STATE_HOME").map(PathBuf::from).map(own))
        .or_else(|| set("HOME").map(|home| own(PathBuf::from(home).join(".local/state"))))
        .filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_for_each_name() {
        let folder = std::env::temp_dir().join(format!("privyseal-lock-{}", std::process::id()));
        let take = |name, wait| ProcessLock::take_in(&folder, name, wait);
        let first = take("a", Duration::ZERO).unwrap();
        assert!(take("a", Duration::from_millis(20)).is_none());
        assert!(take("b", Duration::ZERO).is_some());
        thread::scope(|scope| {
            let waits = scope.spawn(|| take("a", Duration::from_secs(600)).is_some());
            drop(first);
            assert!(waits.join().unwrap());
        });
        assert!(ProcessLock::take_in(Path::new("/dev/null"), "a", Duration::ZERO).is_none());
        let read_only = |wait| ProcessLock::of_file(File::open(folder.join("a")).ok()?, wait);
        assert!(read_only(Duration::ZERO).is_none(), "no such file");
        fs::write(folder.join("a"), "").unwrap();
        let first = read_only(Duration::ZERO).unwrap();
        assert!(read_only(Duration::from_millis(20)).is_none());
        drop(first);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_service_with_several_folders_has_the_first() {
        let folder =
            |name: &'static str, value: &str| folder_of(|it| (it == name).then(|| value.into()));
        for (name, value, folder_of_it) in [
            ("STATE_DIRECTORY", "/a/sd1:/a/sd2", Some("/a/sd1")),
            ("STATE_DIRECTORY", "/a", Some("/a")),
            ("STATE_DIRECTORY", "a", None),
            ("XDG_STATE_HOME", "/x", Some("/x/privyseal")),
            ("HOME", "/h", Some("/h/.local/state/privyseal")),
        ] {
            assert_eq!(
                folder(name, value).as_deref(),
                folder_of_it.map(Path::new),
                "{name} {value}"
            );
        }
    }
}
