//! A terminal with a person before it, who waits for what it shows and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::wait::within;

/// The longest that a program may take to its next question.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal.
#[derive(Debug)]
pub struct Terminal {
    path: String,
    shown: Arc<Mutex<Shown>>,
    typing: File,
    // Without it the terminal is gone when a program closes it.
    _kept_open: File,
}

#[derive(Debug, Default)]
struct Shown {
    bytes: Vec<u8>,
    /// How many of them were waited for already.
    read: usize,
}

fn locked(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    /// A new one.
    ///
    /// # Panics
    /// When the system gives none.
    #[must_use]
    pub fn open() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&controller).expect("an own terminal");
        unlockpt(&controller).expect("an own terminal");
        let path = ptsname(&controller, Vec::new()).expect("the terminal's name");
        let path = path.into_string().expect("a name in UTF-8");
        // Not the terminal of whoever runs the tests.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let kept_open = open(&path, flags, Mode::empty()).expect("an own terminal");
        let typing = File::from(controller);
        let mut reading = typing.try_clone().expect("an own terminal");
        let shown = Arc::new(Mutex::new(Shown::default()));
        let showing = Arc::clone(&shown);
        // It ends with the terminal.
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                let bytes = buffer.iter().take(count);
                locked(&showing).bytes.extend(bytes);
            }
        });
        Self {
            path,
            shown,
            typing,
            _kept_open: kept_open.into(),
        }
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Waits until it shows this, below what was waited for before.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn shows(&self, part: &str) {
        let is_shown = within(PATIENCE, || {
            let mut shown = locked(&self.shown);
            let new = shown.bytes.get(shown.read..).unwrap_or_default();
            let at = new
                .windows(part.len())
                .position(|window| window == part.as_bytes())?;
            shown.read += at + part.len();
            Some(())
        });
        assert!(is_shown.is_some(), "never: {part}\n{}", self.text());
    }

    /// Types a line.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn types(&self, line: &str) {
        let line = format!("{line}\n");
        let mut typing = &self.typing;
        typing.write_all(line.as_bytes()).expect("a terminal");
    }

    /// All that it ever showed.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&locked(&self.shown).bytes).into_owned()
    }
}
