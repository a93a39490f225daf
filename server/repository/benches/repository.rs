//! What a question about a repository costs: for the first time, as a hook asks
//! it, and again, as a server does. The repository is this one.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_repository::{FileHashes, Repositories, Repository};
use criterion::{Criterion, criterion_group, criterion_main};

const FILE: &str = "server/core/src/lib.rs";

fn root() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize_utf8()
        .unwrap()
}

/// A repository without a commit, some folders below the root. What was made
/// just now is not kept.
fn plain(folder: &Utf8Path) -> Utf8PathBuf {
    let root = folder.join("a/b/c");
    for folder in [".git/objects", ".git/refs", "src"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    root.join("src")
}

fn questions(criterion: &mut Criterion) {
    let root = root();
    let home = Utf8Path::new("/");
    let mut group = criterion.benchmark_group("repository");
    group.bench_function("first/one path at HEAD", |bencher| {
        bencher.iter(|| {
            let repository = Repository::discover(&root, home).unwrap().unwrap();
            let head = repository.head().unwrap().unwrap();
            black_box(repository.tree(head).unwrap().blob(FILE.into()).unwrap())
        });
    });
    group.bench_function("first/all paths at HEAD", |bencher| {
        bencher.iter(|| {
            let repository = Repository::discover(&root, home).unwrap().unwrap();
            let head = repository.head().unwrap().unwrap();
            black_box(
                repository
                    .tree(head)
                    .unwrap()
                    .entries_below("".into())
                    .unwrap(),
            )
        });
    });
    let kept = Repositories::default();
    group.bench_function("again/find the repository", |bencher| {
        bencher.iter(|| black_box(kept.discover(&root, home).unwrap().unwrap()));
    });
    let repository = kept.discover(&root, home).unwrap().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(Utf8Path::from_path(folder.path()).unwrap());
    group.bench_function("again/find a plain repository", |bencher| {
        bencher.iter(|| black_box(kept.discover(&plain, home).unwrap().unwrap()));
    });
    group.bench_function("again/HEAD", |bencher| {
        bencher.iter(|| black_box(repository.head().unwrap()));
    });
    let head = repository.head().unwrap().unwrap();
    let tree = repository.tree(head).unwrap();
    group.bench_function("again/one path", |bencher| {
        bencher.iter(|| black_box(tree.blob(FILE.into()).unwrap()));
    });
    group.bench_function("again/is it ignored", |bencher| {
        bencher.iter(|| {
            black_box(
                tree.is_ignored("server/core/src/x/y.o".into(), false)
                    .unwrap(),
            )
        });
    });
    let path = root.join(FILE);
    group.bench_function("first/hash of a file", |bencher| {
        bencher.iter(|| black_box(FileHashes::default().blob_id_of_file(&path).unwrap()));
    });
    group.bench_function("again/hash of a file", |bencher| {
        bencher.iter(|| black_box(kept.blob_id_of_file(&path).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
