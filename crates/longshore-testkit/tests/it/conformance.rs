//! The fake engine against the contract of all engines.

use std::sync::Arc;

use longshore_engine::ImageSource;
use longshore_testkit::conformance::Subject;
use longshore_testkit::fake::{FakeEngine, FakeImage};

fn fake() -> Subject {
    let engine = FakeEngine::new();
    engine.add_image(FakeImage::new("conformance"));
    Subject::new(Arc::new(engine), ImageSource::Image("conformance".to_owned()))
}

longshore_testkit::engine_conformance!(engine, || Ok(crate::conformance::fake()));
