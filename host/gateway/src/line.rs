//! The line itself: a serial port or a socket, where nothing waits longer than it was told.
//!
//! Not the crate serialport: a socket would need a second type beside its port, its writes wait for each piece and
//! not until one moment, and it takes no lock that also keeps out another process of root.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use rustix::termios::{ControlModes, OptionalActions, QueueSelector};

use crate::error::DeviceError;
use crate::uri::{DeviceUri, Place};

/// An open line. It never blocks.
#[derive(Debug)]
pub(crate) struct Line(OwnedFd);

impl Line {
    /// Opens the port, raw and for this process alone, or connects to the socket.
    pub(crate) fn open(uri: &DeviceUri) -> Result<Self, DeviceError> {
        let place = uri.place();
        let opened = match place {
            Place::Serial { path, baud } => serial(path, *baud),
            Place::Unix(path) => socket(path),
        };
        let place = || place.path().display().to_string();
        opened.map(Self).map_err(|errno| match errno {
            Errno::BUSY | Errno::AGAIN => DeviceError::InUse { place: place() },
            Errno::NOTTY => DeviceError::Open {
                place: place(),
                source: io::Error::other("it is no serial port"),
            },
            errno => DeviceError::Open {
                place: place(),
                source: errno.into(),
            },
        })
    }

    /// A socket that is connected already.
    pub(crate) fn of_stream(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(stream.into()))
    }

    /// Reads what is there, after waiting for it until `end`. `None` if nothing came; 0 if the line was
    /// closed.
    pub(crate) fn read(
        &self,
        buffer: &mut [u8],
        end: Instant,
    ) -> Result<Option<usize>, DeviceError> {
        let failed = |errno: Errno| DeviceError::Line {
            doing: "receive",
            source: errno.into(),
        };
        loop {
            if !self.wait(PollFlags::IN, end).map_err(failed)? {
                return Ok(None);
            }
            match rustix::io::read(&self.0, &mut *buffer) {
                Ok(len) => return Ok(Some(len)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }

    /// Sends all of `bytes`, unless that takes longer than until `end`: then the answer is `false`.
    pub(crate) fn write(&self, mut bytes: &[u8], end: Instant) -> Result<bool, DeviceError> {
        let failed = |errno: Errno| DeviceError::Line {
            doing: "send",
            source: errno.into(),
        };
        while !bytes.is_empty() {
            if !self.wait(PollFlags::OUT, end).map_err(failed)? {
                return Ok(false);
            }
            match rustix::io::write(&self.0, bytes) {
                Ok(len) => bytes = bytes.get(len..).unwrap_or(&[]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(true)
    }

    /// Gives the locks back.
    pub(crate) fn release(&self) {
        // A socket has neither.
        let _ = rustix::termios::ioctl_tiocnxcl(&self.0);
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }

    /// Whether the line is ready before `end`. A line that was closed is ready: reading says so.
    fn wait(&self, what: PollFlags, end: Instant) -> Result<bool, Errno> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.0, what)];
            match poll(&mut fds, Some(&timespec(left))) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Drop for Line {
    /// A process that somebody forked keeps what is open until it runs its program, and with it the locks: they go now.
    fn drop(&mut self) {
        self.release();
    }
}

fn timespec(duration: Duration) -> Timespec {
    // No limit here is near the end of the range.
    Timespec::try_from(duration).unwrap_or(Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    })
}

fn serial(path: &Path, baud: u32) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(path, flags, Mode::empty())?;
    let mut settings = rustix::termios::tcgetattr(&port)?;
    // The lock keeps out another privyseal, also of root; the other keeps out everybody else.
    rustix::fs::flock(&port, FlockOperation::NonBlockingLockExclusive)?;
    rustix::termios::ioctl_tiocexcl(&port)?;
    settings.make_raw();
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    settings.control_modes &= !(ControlModes::CRTSCTS | ControlModes::CSTOPB);
    settings.set_speed(baud)?;
    rustix::termios::tcsetattr(&port, OptionalActions::Now, &settings)?;
    rustix::termios::tcflush(&port, QueueSelector::IOFlush)?;
    Ok(port)
}

fn socket(path: &Path) -> Result<OwnedFd, Errno> {
    // macOS has no flags for this in socket(2).
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    rustix::net::connect(socket.as_fd(), &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}
