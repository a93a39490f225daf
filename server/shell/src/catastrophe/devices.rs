//! Raw writes to disks and memory, and new file systems on them.

use camino::Utf8Path;
use countersign_core::command::{Folder, SimpleCommand};
use countersign_core::effect::Touch;

use super::{Case, Found, has_option, literals};

impl Case<'_> {
    /// A disk, or the memory, is overwritten.
    pub(super) fn devices(&self) -> Found {
        for (_, name, command) in self.named() {
            let wipes = match name.as_str() {
                "dd" => literals(command)
                    .filter_map(|word| word.strip_prefix("of="))
                    .find(|device| self.is_raw(device, &command.folder)),
                _ if overwrites(&name, command) => {
                    literals(command).find(|device| self.is_raw(device, &command.folder))
                }
                _ => None,
            };
            if let Some(device) = wipes {
                let reason = format!("`{name}` would overwrite the device {device}");
                return Some((reason, command.span.clone()));
            }
        }
        self.certain().find_map(|(touch, target, effect, _)| {
            if !matches!(touch, Touch::Write | Touch::Edit) {
                return None;
            }
            let places = self.places_of(target, touch);
            let place = places
                .iter()
                .find(|place| is_raw(&place.written) || is_raw(&place.path))?;
            let reason = format!("would overwrite the device {}", place.written);
            Some((reason, effect.span.clone()))
        })
    }

    fn is_raw(&self, text: &str, folder: &Folder) -> bool {
        if !text.contains('/') {
            return false;
        }
        let place = self.world.place(text, folder, Touch::Write);
        is_raw(&place.written) || is_raw(&place.path)
    }
}

/// Whether a program overwrites the devices that its words name: what only
/// shows does not.
fn overwrites(name: &str, command: &SimpleCommand) -> bool {
    let has = |words: &[&str]| literals(command).any(|word| words.contains(&word));
    match name {
        "mkfs" | "mke2fs" | "mkswap" | "mkdosfs" | "mkntfs" | "newfs" => {
            !has(&["-n", "-N", "-V", "--version", "--help"])
        }
        _ if name.starts_with("mkfs.") => !has(&["-n", "-N", "-V", "--version", "--help"]),
        "blkdiscard" | "shred" | "badblocks" => name != "badblocks" || has(&["-w"]),
        "wipefs" => {
            has_option(command, &['a', 'o'], "all") && !has_option(command, &['n'], "no-act")
        }
        "parted" => has(&["mklabel", "mktable", "mkpart", "rm", "resizepart"]),
        "sgdisk" => has(&["-Z", "-z", "-o", "--zap-all", "--zap", "--clear"]),
        "hdparm" => has(&["--security-erase", "--security-erase-enhanced"]),
        "cryptsetup" => has(&["luksFormat", "erase", "luksErase"]),
        "pvcreate" => true,
        "nvme" => has(&["format", "sanitize"]),
        "diskutil" => has(&["eraseDisk", "eraseVolume", "partitionDisk", "zeroDisk"]),
        _ => false,
    }
}

/// Whether a path is a disk, a part of one, or the memory.
fn is_raw(path: &Utf8Path) -> bool {
    let Some(name) = path.as_str().strip_prefix("/dev/") else {
        return false;
    };
    if matches!(name, "mem" | "kmem" | "port") {
        return true;
    }
    if let Some(volume) = name.strip_prefix("mapper/") {
        return volume != "control" && !volume.is_empty();
    }
    if name.starts_with("disk/by-") {
        return true;
    }
    let is_disk = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            let letters = rest.trim_end_matches(|c: char| c.is_ascii_digit());
            matches!(letters.len(), 1 | 2) && letters.chars().all(|c| c.is_ascii_alphabetic())
        })
    };
    let is_numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    ["sd", "hd", "vd", "xvd"].into_iter().any(is_disk)
        || ["nvme", "mmcblk", "dm-", "md", "nbd", "disk", "rdisk"]
            .into_iter()
            .any(is_numbered)
}
