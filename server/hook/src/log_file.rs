//! Where a hook's log lines go: standard error belongs to the agent there, so
//! they go to a file in the state folder, opened only when there is a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use tracing_subscriber::fmt::MakeWriter;

/// A file larger than this, in bytes, is begun anew; the one before is kept.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Sends log lines of level warn and above to `<state>/countersign.log`.
pub fn install(state_dir: &Utf8Path) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_target(false)
        // They would go to standard error, which is the agent's.
        .log_internal_errors(false)
        .with_writer(LogFile(state_dir.join("countersign.log")))
        .finish();
    // A second subscriber cannot be: the hook is the only one in its process.
    let _ = tracing::subscriber::set_global_default(subscriber);
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
