use std::fs;
use std::path::Path;
use std::ptr;

use toml::{Table, Value as Toml};

use super::{Texts, entry, find, model, tables};

// The build script's reader, which says what the files mean.
#[path = "../../knowledge/compile.rs"]
mod compile;
#[path = "../../knowledge/packed.rs"]
mod packed;

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    let files = paths.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path.display().to_string(), text)
    });
    files.collect()
}

#[test]
fn every_entry_is_decoded_as_the_files_say_by_every_name() {
    let written = compile::read(files().into_iter()).unwrap();
    let (entries, index) = compile::write(&written).unwrap();
    assert!(entries == tables::ENTRIES);
    assert!(index == include_str!(concat!(env!("OUT_DIR"), "/knowledge.rs")));
    for (number, written) in (0..).zip(&written.entries) {
        let found = entry(number).unwrap_or_else(|| panic!("{:?}", written.names));
        assert_eq!(format!("{found:?}"), format!("{written:?}"));
        for name in &written.sub {
            let sub = found.sub_command(&name.name).unwrap();
            assert!(sub.names.contains(&name.name.as_str()), "{name:?}");
        }
    }
    for (name, number) in &written.names {
        let found = find(name).unwrap_or_else(|| panic!("`{name}` is not decoded"));
        assert!(ptr::eq(found, entry(*number).unwrap()), "{name}");
    }
    assert!(!written.names.is_empty());
}

#[test]
fn a_sub_command_whose_first_name_is_for_people_is_found_by_the_others_only() {
    let stash = find("git").unwrap().sub_command("stash").unwrap();
    let push = stash.sub_command_by_later_name("push").unwrap();
    assert_eq!(push.names.first(), Some(&"stash push"));
    assert!(ptr::eq(push, stash.sub_command("stash push").unwrap()));
    assert!(stash.sub_command_by_later_name("stash push").is_none());
    assert!(stash.sub_command("pus").is_none());
}

#[test]
fn an_entry_that_is_not_there_is_not_known() {
    assert!(entry(u16::MAX).is_none());
}

#[test]
fn all_names_of_an_entry_and_of_its_versions_find_the_same_one() {
    for (file, text) in files() {
        let table: Table = text.parse().unwrap();
        for command in table.get("command").and_then(Toml::as_array).unwrap() {
            let names = command.get("names").and_then(Toml::as_array).unwrap();
            let found = names
                .iter()
                .map(|name| find(name.as_str().unwrap()).unwrap_or_else(|| panic!("{file}")));
            let found: Vec<_> = found.collect();
            assert!(!found.is_empty());
            let first = found.first().copied().unwrap();
            assert!(found.iter().all(|other| ptr::eq(*other, first)), "{file}");
            assert!(
                names
                    .iter()
                    .map(|name| name.as_str().unwrap())
                    .eq(first.names.iter().copied()),
                "{file}"
            );
        }
    }
    assert!(ptr::eq(find("gcc-12").unwrap(), find("gcc").unwrap()));
}

#[test]
fn a_name_that_stands_nowhere_is_not_known() {
    for name in ["", "0", "~", "l", "lss", "gi", "gitt", "\u{10ffff}", "zzzz"] {
        assert!(find(name).is_none(), "{name}");
    }
}

#[test]
fn texts_are_found_by_number_and_by_content_among_those_that_are_meant() {
    let texts = Texts::new("aabbé", &[1, 1, 4, 6]);
    let all: Vec<_> = (0..texts.count()).map(|number| texts.get(number)).collect();
    assert_eq!(all, [Some("a"), Some(""), Some("abb"), Some("é")]);
    assert_eq!(texts.get(4), None);
    assert_eq!(texts.find(1..4, "abb"), Some(2));
    assert_eq!(texts.find(1..4, "é"), Some(3));
    assert_eq!(texts.find(1..4, "a"), None);
    assert_eq!(texts.find(2..9, "z"), None);
    assert_eq!(texts.find(2..2, "abb"), None);
}

#[test]
fn a_mistake_in_a_file_is_an_error_that_names_it() {
    for (text, expected) in [
        ("flags = '-a=reed'", "unknown variant `reed`"),
        ("flags = 'all'", "`all` is no flag"),
        ("operands = ['reed*']", "unknown variant `reed`"),
        ("effects = ['netwerk']", "unknown variant `netwerk`"),
        ("parser = 'sad'", "unknown variant `sad`"),
        ("behind = '-a'", "`behind` is for tasks"),
        ("names = ['b']", "duplicate key"),
        ("nmes = ['b']", "unknown field `nmes`"),
    ] {
        let text = format!("[[command]]\nnames = ['a']\ndoes = 'x'\n{text}\n");
        let read = compile::read([("some.toml".to_owned(), text)].into_iter());
        let problem = read.err().unwrap();
        assert!(problem.starts_with("some.toml: "), "{problem}");
        assert!(problem.contains(expected), "{problem}");
    }
}
