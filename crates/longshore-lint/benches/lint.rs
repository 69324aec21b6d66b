//! All rules over one workflow.
fn main() {
    divan::main();
}
