//! A lock that the processes of one user share.

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
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = |folder: PathBuf| folder.join("privyseal");
    set("STATE_DIRECTORY")
        .map(PathBuf::from)
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
}
