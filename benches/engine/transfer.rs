//! Large images: pulled from a registry on this machine and unpacked, saved to an archive, loaded from one.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::engine::{Engine, complete, output};
use crate::registry::Registry;
use crate::rotation::{Contender, rotate};
use crate::{Bench, content};

const ROUNDS: usize = 3;

/// Homes of this engine that were never used, since it keeps what was removed for a while.
struct Homes {
    directory: PathBuf,
    count: Cell<u32>,
}

impl Homes {
    fn below(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), count: Cell::new(0) }
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("home-{}", self.count.get()))
    }

    fn engine(&self) -> Engine {
        Engine::longshore(&self.path())
    }

    /// The former one stays until the end, since file systems are slow to use again what was freed a moment ago.
    fn renew(&self) {
        self.count.set(self.count.get() + 1);
        settle();
    }
}

pub(crate) fn pull(bench: &Bench) {
    let directory = bench.directory.path();
    let Some(registry) = Registry::start(&directory.join("registry")).expect("a registry") else {
        println!("\npull: skipped, docker-registry is absent");
        return;
    };
    let name = registry.name("large:1");
    let homes = Homes::below(directory);
    let large = content::large(&directory.join("large"));
    output(homes.engine().image(&["import", "--no-unpack"]).arg(&large).arg(&name));
    output(&mut homes.engine().image(&["push", &name]));
    fs::remove_dir_all(large).expect("what was made can be removed");
    homes.renew();
    let pull = |engine: &Engine| complete(&mut engine.image(&["pull", &name]));
    let contenders = bench.engines.iter().map(|engine| match engine.name {
        "longshore" => Contender::new(engine.name, || pull(&homes.engine())).after(|| homes.renew()),
        _ => Contender::new(engine.name, || pull(engine)).after(|| {
            output(&mut engine.image(&["rm", &name]));
            settle();
        }),
    });
    rotate("pull of 1 GiB, unpacked", 0, ROUNDS, contenders.collect());
    pull(&homes.engine());
    let before = registry.blobs_sent();
    pull(&homes.engine());
    println!("  blobs sent: {before} until now, {} to a second pull", registry.blobs_sent() - before);
    homes.renew();
}

pub(crate) fn save(bench: &Bench) {
    let directory = bench.directory.path();
    let large = content::large(&directory.join("large"));
    let archive = directory.join("large.tar");
    output(Command::new("tar").arg("-C").arg(&large).arg("-cf").arg(&archive).arg("."));
    fs::remove_dir_all(large).expect("what was made can be removed");
    // Podman writes each image to a temporary directory first, and is left out.
    let engines = || bench.engines.iter().filter(|engine| engine.name != "podman");
    for engine in engines() {
        output(engine.image(&["import"]).arg(&archive).arg("large:1"));
    }
    fs::remove_file(&archive).expect("what was made can be removed");
    let saved = |engine: &Engine| directory.join(format!("{}.saved", engine.name));
    let contenders = engines().map(|engine| {
        Contender::new(engine.name, move || {
            complete(engine.image(&["save", "--output"]).arg(saved(engine)).arg("large:1"));
        })
        .after(settle)
    });
    rotate("save of 1 GiB", 0, ROUNDS, contenders.collect());
    let homes = Homes::below(directory);
    for engine in engines() {
        output(&mut engine.image(&["rm", "large:1"]));
    }
    let load = |engine: &Engine, name: &Engine| {
        complete(engine.image(&["load", "--input"]).arg(saved(name)));
    };
    let contenders = engines().map(|engine| match engine.name {
        "longshore" => Contender::new(engine.name, || load(&homes.engine(), engine)).after(|| homes.renew()),
        _ => Contender::new(engine.name, || load(engine, engine)).after(|| {
            output(&mut engine.image(&["rm", "large:1"]));
            settle();
        }),
    });
    rotate("load of 1 GiB, unpacked", 0, ROUNDS, contenders.collect());
}

/// Has the disk do what it was left to do, so that nobody pays for who came before.
fn settle() {
    complete(&mut Command::new("sync"));
}
