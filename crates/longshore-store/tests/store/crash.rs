//! Processes that work on one store at the same time, and processes that are killed while they do.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use longshore_core::ByteSize;
use longshore_store::{GcOptions, Namespace, OldestFirst, Store};
use proptest::prelude::*;

use crate::image::{Image, at_once, name, noise};

/// How many different images the workers know.
const IMAGES: u64 = 5;
/// Where the worker's instructions are: store, seed, steps.
const INSTRUCTIONS: &str = "LONGSHORE_STORE_TEST_WORKER";

/// A worker: it pulls, removes, collects and recovers at random. It prints a byte before each step.
#[test]
#[ignore = "other tests run this in processes of its own"]
fn worker() {
    let instructions = std::env::var(INSTRUCTIONS).unwrap();
    let mut words = instructions.split(' ');
    let store = Store::open(words.next().unwrap()).unwrap();
    let seed: u64 = words.next().unwrap().parse().unwrap();
    let steps: usize = words.next().unwrap().parse().unwrap();
    for choice in noise(seed, steps * 2).chunks(2) {
        std::io::stdout().write_all(b".").unwrap();
        std::io::stdout().flush().unwrap();
        step(&store, u64::from(choice[0]), choice[1]);
    }
}

fn step(store: &Store, number: u64, action: u8) {
    let number = number % IMAGES;
    match action % 16 {
        0..=7 => {
            let lease = store.lease("worker").unwrap();
            let image = Image::numbered(number);
            image.pull(store, &name(number), &lease).unwrap();
            assert_eq!(image.problems(store), Vec::<String>::new(), "while a lease holds it");
        }
        8..=10 => drop(store.remove_ref(&name(number)).unwrap()),
        11 | 12 => drop(store.collect(&at_once()).unwrap()),
        13 => {
            let policy = OldestFirst(vec![Namespace::Image]);
            let budget = Some(ByteSize(400_000));
            drop(store.collect(&GcOptions { budget, policy: &policy, ..at_once() }).unwrap());
        }
        14 => drop(store.recover().unwrap()),
        _ => drop(store.settle().unwrap()),
    }
}

/// A process that does not outlive its test.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(root: &Path, seed: u64, steps: usize) -> Worker {
    let worker = Command::new(std::env::current_exe().unwrap())
        .args(["crash::worker", "--exact", "--ignored", "--nocapture", "--test-threads=1", "--quiet"])
        .env(INSTRUCTIONS, format!("{} {seed} {steps}", root.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn();
    Worker(worker.unwrap())
}

/// Every ref resolves as far as it goes, every blob is what its name says, and nothing else is left.
fn assert_sound(root: &Path) {
    let store = Store::open(root).unwrap();
    store.recover().unwrap();
    assert!(store.recover().unwrap().is_clean());
    for directory in ["ingests", "leases", "trash", "unpacking"] {
        assert_eq!(fs::read_dir(root.join(directory)).unwrap().count(), 0, "in {directory}");
    }
    for number in 0..IMAGES {
        if store.reference(&name(number)).unwrap().is_some() {
            assert_eq!(Image::numbered(number).problems(&store), Vec::<String>::new());
        }
    }
    for entry in fs::read_dir(root.join("blobs/sha256")).unwrap() {
        let digest = format!("sha256:{}", entry.unwrap().file_name().to_str().unwrap());
        store.read_blob(&digest.parse().unwrap(), u64::MAX).unwrap();
    }
    assert_eq!(fs::read_dir(root.join("quarantine")).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_killed_process_leaves_a_sound_store(
        kills in prop::collection::vec((any::<u32>(), 1..12_usize, 0..400_000_u32), 1..4),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("store");
        for (seed, steps, delay) in kills {
            let mut workers = [start(&root, seed.into(), 10_000), start(&root, u64::from(seed) << 32, 10_000)];
            let mut progress = vec![0; steps];
            workers[0].0.stdout.as_mut().unwrap().read_exact(&mut progress).unwrap();
            // The moment within the step is up to chance.
            (0..delay).for_each(|_| std::hint::spin_loop());
            for worker in &mut workers {
                worker.0.kill().unwrap();
                prop_assert!(worker.0.wait().unwrap().code().is_none(), "it failed before it was killed");
            }
            assert_sound(&root);
        }
        let store = Store::open(&root).unwrap();
        for number in 0..IMAGES {
            store.remove_ref(&name(number)).unwrap();
        }
        store.collect(&at_once()).unwrap();
        prop_assert_eq!(store.usage().unwrap().total(), ByteSize(0));
    }
}

#[test]
fn processes_that_pull_and_collect_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    let workers: Vec<Worker> = (1..=4).map(|seed| start(&root, seed, 60)).collect();
    for mut worker in workers {
        worker.0.stdout.as_mut().unwrap().read_to_end(&mut Vec::new()).unwrap();
        assert!(worker.0.wait().unwrap().success());
    }
    assert_sound(&root);
}

#[test]
fn threads_that_pull_and_collect_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    let store = Store::open(&root).unwrap();
    std::thread::scope(|scope| {
        for seed in 10..14 {
            let store = &store;
            scope.spawn(move || noise(seed, 80).chunks(2).for_each(|c| step(store, c[0].into(), c[1])));
        }
    });
    assert_sound(&root);
}
