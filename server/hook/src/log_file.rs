//! Where a hook's log lines go: standard error belongs to the agent there, so
//! they go to a file in the state folder. Nothing is made or opened before
//! there is a line, which nearly every hook ends without.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

/// A file larger than this, in bytes, is begun anew; the one before is kept.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Sends log lines of level warn and above to `<state>/countersign.log`.
pub fn install(state_dir: &Utf8Path) {
    let lines = Lines {
        file: state_dir.join("countersign.log"),
        made: OnceLock::new(),
    };
    // A second subscriber cannot be: the hook is the only one in its process.
    let _ = tracing::subscriber::set_global_default(lines);
}

/// A subscriber that is made for the first line.
struct Lines {
    file: Utf8PathBuf,
    made: OnceLock<Dispatch>,
}

impl Lines {
    fn made(&self) -> &Dispatch {
        self.made.get_or_init(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(Level::WARN)
                .with_ansi(false)
                .with_target(false)
                // They would go to standard error, which is the agent's.
                .log_internal_errors(false)
                .with_writer(LogFile(self.file.clone()))
                .finish();
            Dispatch::new(subscriber)
        })
    }
}

impl Subscriber for Lines {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        self.made().event(event);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.made().new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.made().record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.made().record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.made().enter(span);
    }

    fn exit(&self, span: &Id) {
        self.made().exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.made().clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.made().try_close(id)
    }
}

struct LogFile(Utf8PathBuf);

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.open().ok())
    }
}

impl LogFile {
    fn open(&self) -> io::Result<File> {
        let open = || {
            OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
                .open(&self.0)
        };
        let file = open()?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.nlink() > 1 {
            return Err(io::Error::other("the log is not a file of its own"));
        }
        if metadata.len() > MOST_BYTES {
            std::fs::rename(&self.0, self.0.with_extension("log.1"))?;
            return open();
        }
        Ok(file)
    }
}

/// One line on its way. Without a file it is lost; the journal has the
/// decision all the same.
struct Line(Option<File>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
