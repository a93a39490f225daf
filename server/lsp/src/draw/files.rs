//! Reading the files that something is drawn in, as a port: bounded, regular
//! files only, each read once in a drawing.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;

/// Largest file that is read, in bytes. In a larger one, what is drawn stands
/// at its beginning.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Most bytes that are kept for one drawing; files beyond are not read.
const MOST: usize = 32 * 1024 * 1024;

/// Most files that are looked at for one drawing.
const MOST_FILES: usize = 1_024;

type Read = dyn Fn(&Utf8Path) -> Option<String> + Send;

/// The files of one drawing. Make a new one for the next: what was read once
/// is not read again.
pub(crate) struct Files {
    read: Box<Read>,
    known: HashMap<Utf8PathBuf, Option<Arc<str>>>,
    bytes: usize,
}

impl Files {
    /// The files on disk. Reading may wait for the disk, and for nothing else.
    pub(crate) fn real() -> Self {
        Self::from(Box::new(|path| read(path).ok()))
    }

    /// Files that somebody else reads.
    pub(crate) fn from(read: Box<Read>) -> Self {
        Self {
            read,
            known: HashMap::new(),
            bytes: 0,
        }
    }

    /// The text of a file; none where it is not there, no regular file, too
    /// large or not UTF-8.
    pub(crate) fn text(&mut self, path: &Utf8Path) -> Option<Arc<str>> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        if self.known.len() >= MOST_FILES || self.bytes >= MOST {
            return None;
        }
        let text: Option<Arc<str>> = (self.read)(path)
            .filter(|text| text.len() as u64 <= LARGEST)
            .map(Arc::from);
        self.bytes += text.as_ref().map_or(0, |text| text.len());
        self.known.insert(path.to_owned(), text.clone());
        text
    }
}

fn read(path: &Utf8Path) -> std::io::Result<String> {
    let no_file = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
    if !path.symlink_metadata()?.is_file() {
        return Err(no_file());
    }
    // In between it may have become a FIFO or a link.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(no_file());
    }
    let mut text = String::new();
    let read = file
        .take(LARGEST.saturating_add(1))
        .read_to_string(&mut text)?;
    if read as u64 > LARGEST {
        return Err(no_file());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_file_is_read_once_in_a_drawing() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let mut files = Files::from(Box::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Some("text".to_owned())
        }));
        for _ in 0..3 {
            assert_eq!(files.text(Utf8Path::new("/f")).as_deref(), Some("text"));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_drawing_looks_at_a_bounded_number_of_bytes() {
        let mut files = Files::from(Box::new(|_| Some("x".repeat(4 * 1024 * 1024))));
        let read = (0..100)
            .filter(|n| files.text(Utf8Path::new(&format!("/{n}"))).is_some())
            .count();
        assert_eq!(read, 8);
    }

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let mut files = Files::real();
        std::fs::write(folder.join("small"), "ü\n").unwrap();
        assert_eq!(files.text(&folder.join("small")).as_deref(), Some("ü\n"));
        std::fs::write(folder.join("huge"), "x".repeat(4 * 1024 * 1024 + 1)).unwrap();
        assert_eq!(files.text(&folder.join("huge")), None);
        std::fs::write(folder.join("binary"), [0xff, 0xfe]).unwrap();
        assert_eq!(files.text(&folder.join("binary")), None);
        std::os::unix::fs::symlink(folder.join("small"), folder.join("link")).unwrap();
        assert_eq!(files.text(&folder.join("link")), None);
        assert_eq!(files.text(folder), None);
        let fifo = folder.join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            fifo.as_std_path(),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(files.text(&fifo), None);
        assert_eq!(files.text(&folder.join("missing")), None);
    }
}
