//! Starting containers: one, many at once, and a process in one that runs. The program is `/bin/true`.

use std::process::{Command, Stdio};

use crate::Bench;
use crate::engine::{Engine, IMAGE, complete};
use crate::rotation::{Contender, rotate};

const WARM: usize = 2;
const ROUNDS: usize = 20;
const MANY: usize = 20;

pub(crate) fn run(bench: &Bench, network: &str) {
    let mut contenders: Vec<Contender<'_>> = bench
        .engines
        .iter()
        .map(|engine| Contender::new(engine.name, || complete(&mut run_true(engine, network))))
        .collect();
    if network == "none" {
        contenders.extend(
            bench.runtimes.iter().map(|each| Contender::new(each.name, || complete(&mut each.run()))),
        );
    }
    rotate(&format!("run --rm --network {network} /bin/true"), WARM, ROUNDS, contenders);
}

pub(crate) fn exec(bench: &Bench) {
    let started: Vec<String> = bench
        .engines
        .iter()
        .map(|engine| engine.start(&["--network", "none"], &["/bin/sleep", "1000"]))
        .collect();
    let mut contenders: Vec<Contender<'_>> = bench
        .engines
        .iter()
        .zip(&started)
        .map(|(engine, id)| {
            Contender::new(engine.name, || complete(&mut engine.container(&["exec", id, "/bin/true"])))
        })
        .collect();
    for runtime in bench.runtimes.iter().filter(|runtime| runtime.exec().is_some()) {
        contenders.push(Contender::new(runtime.name, || {
            runtime.exec().iter_mut().for_each(complete);
        }));
    }
    rotate("exec /bin/true", WARM, ROUNDS, contenders);
    bench.engines.iter().zip(started).for_each(|(engine, id)| engine.remove(&[id]));
}

pub(crate) fn many(bench: &Bench, network: &str) {
    let mut contenders: Vec<Contender<'_>> = bench
        .engines
        .iter()
        .map(|engine| Contender::new(engine.name, || at_once(|| run_true(engine, network))))
        .collect();
    if network == "none" {
        contenders
            .extend(bench.runtimes.iter().map(|each| Contender::new(each.name, || at_once(|| each.run()))));
    }
    rotate(&format!("{MANY} at once, --network {network}"), 1, 5, contenders);
}

fn run_true(engine: &Engine, network: &str) -> Command {
    let mut command = engine.container(&["run", "--rm"]);
    command.args(["--network", network]).arg(IMAGE).arg("/bin/true");
    command
}

/// Starts several processes and waits for all.
fn at_once(command: impl Fn() -> Command) {
    let quiet = |mut command: Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    };
    let children: Vec<_> = (0..MANY).map(|_| quiet(command()).expect("a program runs")).collect();
    for mut child in children {
        assert!(child.wait().is_ok_and(|status| status.success()), "one of many failed");
    }
}
