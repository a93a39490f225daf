//! Reading a file at a place, without mapping it: a mapped file that somebody
//! cuts short kills the process.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

pub(super) trait ReadAt: Send + Sync {
    /// Fills as much of the buffer as the file has from there.
    fn read_at_most(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills the buffer.
    fn read_all(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut at = 0;
        while let Some(rest) = buffer.get_mut(at..)
            && !rest.is_empty()
        {
            let read = self.read_at_most(rest, offset.saturating_add(at as u64))?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += read;
        }
        Ok(())
    }
}

impl ReadAt for File {
    fn read_at_most(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

#[cfg(test)]
impl ReadAt for Vec<u8> {
    fn read_at_most(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
