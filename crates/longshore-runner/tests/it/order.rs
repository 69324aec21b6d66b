//! Whatever order jobs end in, each has a result and nothing is left.

use std::collections::BTreeSet;

use longshore_event::{EventKind, StepEvent};
use proptest::prelude::*;

use crate::bench::Bench;

const JOBS: usize = 6;

/// A job with what it needs and how its script ends.
#[derive(Debug, Clone)]
struct Shape {
    needs: BTreeSet<usize>,
    code: u8,
    always: bool,
    cells: usize,
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (prop::collection::btree_set(0..JOBS, 0..3), 0..2_u8, any::<bool>(), 1..3_usize);
    prop::collection::vec(shape, 1..=JOBS).prop_map(|shapes| {
        let shape = |(at, (needs, code, always, cells)): (usize, (BTreeSet<usize>, u8, bool, usize))| Shape {
            needs: needs.into_iter().filter(|need| *need < at).collect(),
            code,
            always,
            cells,
        };
        shapes.into_iter().enumerate().map(shape).collect()
    })
}

fn workflow(shapes: &[Shape]) -> String {
    let mut text = "jobs:\n".to_owned();
    for (at, shape) in shapes.iter().enumerate() {
        let needs: Vec<String> = shape.needs.iter().map(|need| format!("j{need}")).collect();
        let cells: Vec<String> = (0..shape.cells).map(|cell| cell.to_string()).collect();
        text += &format!(
            "  j{at}:\n    runs-on: ubuntu-latest\n    strategy: {{ matrix: {{ n: [{}] }} }}\n",
            cells.join(", ")
        );
        if !needs.is_empty() {
            text += &format!("    needs: [{}]\n", needs.join(", "));
        }
        if shape.always {
            text += "    if: always()\n";
        }
        text += &format!(
            "    steps:\n      - id: g\n        run: |\n          gate j{at}-${{{{ matrix.n }}}}\n          exit {}\n",
            shape.code
        );
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_order_of_ends_ends_everything(
        shapes in shapes(),
        order in any::<prop::sample::Index>(),
        cancel_at in prop::option::of(0..4_usize),
    ) {
        let names: Vec<String> = shapes
            .iter()
            .enumerate()
            .flat_map(|(at, shape)| (0..shape.cells).map(move |cell| format!("j{at}-{cell}")))
            .collect();
        let (bench, gates) = Bench::new(&workflow(&shapes)).slots(3).gates(&names);
        let shutdown = bench.shutdown.clone();
        // Gates open one at a time, from anywhere in the list, whether somebody waits there already or not.
        let mut left: Vec<String> = names.clone();
        let mut begun = 0;
        let outcome = bench.run_with(&mut |event| {
            let kind = event.map(|event| &event.kind);
            if matches!(kind, Some(EventKind::Step(StepEvent::Started { id, .. })) if id == "g") {
                begun += 1;
                if Some(begun) == cancel_at {
                    shutdown.ask();
                }
            }
            let moves = matches!(kind, None | Some(EventKind::Step(StepEvent::Started { .. })));
            if moves && !left.is_empty() {
                let name = left.remove(order.index(left.len()));
                gates[&name].open();
            }
        });
        let jobs = outcome.jobs();
        for (at, _) in shapes.iter().enumerate() {
            let key = format!("j{at}");
            prop_assert!(jobs.keys().any(|told| told.split('/').next() == Some(&key)), "{} in {:?}", key, jobs);
        }
        outcome.is_whole();
    }
}
