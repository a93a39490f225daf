//! Compiles the knowledge base: `knowledge/*.toml` become bytes and tables without
//! addresses, so that nothing is read, parsed or relocated when the guard starts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a build that cannot read the knowledge base must fail, and say why"
)]

#[path = "knowledge/compile.rs"]
mod compile;

#[path = "knowledge/python/compile.rs"]
mod compile_python;

#[path = "src/knowledge/model.rs"]
mod model;

#[path = "knowledge/packed.rs"]
mod packed;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let folder = PathBuf::from("knowledge");
    println!("cargo::rerun-if-changed=knowledge");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("server/shell/knowledge can be read")
        .map(|entry| entry.expect("a file of the knowledge base").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    let sources = files.iter().map(|path| {
        let text = fs::read_to_string(path).expect("a file of the knowledge base can be read");
        (path.display().to_string(), text)
    });
    let compiled = compile::read(sources).and_then(|knowledge| compile::write(&knowledge));
    let (entries, tables) = match compiled {
        Ok(compiled) => compiled,
        Err(problem) => panic!("{problem}"),
    };
    #[allow(clippy::disallowed_methods, reason = "cargo says where to write")]
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = PathBuf::from(out);
    fs::write(out.join("knowledge.postcard"), entries).expect("the entries can be written");
    fs::write(out.join("knowledge.rs"), tables).expect("the tables can be written");

    let file = folder.join("python/library.toml");
    let text = fs::read_to_string(&file).expect("what Python may use can be read");
    let tables = match compile_python::compile(&file.display().to_string(), &text) {
        Ok(tables) => tables,
        Err(problem) => panic!("{problem}"),
    };
    fs::write(out.join("python.rs"), tables).expect("the tables can be written");
}
