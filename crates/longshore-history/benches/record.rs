//! How fast a run is written down and read again.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use longshore_event::{
    Event, EventKind, JobKey, LogChunk, RunEvent, RunId, RunOutline, RunSink as _, StepNumber, Timestamp,
};
use longshore_history::{History, RunRecorder};

fn main() {
    divan::main();
}

/// Lines in all.
const LINES: usize = 1_000_000;

fn event(seq: u64, kind: EventKind) -> Event {
    Event {
        seq,
        at: Timestamp(1_700_000_000_000 + seq),
        run: RunId(1),
        job: Some(JobKey::from("test/1")),
        step: Some(StepNumber(2)),
        kind,
    }
}

/// A million lines of 80 bytes, in chunks of so many.
#[divan::bench(args = [1, 16, 256, 4096], sample_count = 3)]
fn log(bencher: divan::Bencher<'_, '_>, chunk: usize) {
    let line = "x".repeat(80);
    let kind = LogChunk { lines: vec![line; chunk] };
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    bencher
        .counter(divan::counter::ItemsCount::new(LINES))
        .with_inputs(|| history.begin("/src", "ci.yml").unwrap())
        .bench_local_refs(|recorder: &mut RunRecorder| {
            let mut event = event(1, kind.clone().into());
            for seq in 1..=(LINES / chunk) as u64 {
                event.seq = seq;
                event.at = Timestamp(1_700_000_000_000 + seq);
                recorder.take(&event);
            }
        });
}

/// The newest twenty of a thousand runs.
#[divan::bench]
fn list(bencher: divan::Bencher<'_, '_>) {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    for _ in 0..1000 {
        let mut recorder = history.begin("/src", "ci.yml").unwrap();
        let outline = RunOutline { schema: "1.0".into(), directory: "/src".into(), ..RunOutline::default() };
        recorder.take(&event(1, RunEvent::Started(Box::new(outline)).into()));
    }
    bencher.bench_local(|| assert_eq!(history.runs().unwrap().take(20).count(), 20));
}
