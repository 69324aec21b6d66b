//! A table of templates with what Go's `text/template` and Docker's functions make of them.
//!
//! The results in the fixture are what Go 1.26 printed for a program of ours with these types. To add a row, ask Go, not
//! this crate.

use longshore_format::{MissingKey, Template, Value};

#[test]
fn templates_give_what_go_gives() {
    let fixture: serde_json::Value = serde_json::from_str(include_str!("fixtures/go.json")).unwrap();
    let document = &fixture["document"];
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() > 400, "the table is there");
    for case in cases {
        let text = case["template"].as_str().unwrap();
        let (value, missing) = match case["in"].as_str().unwrap() {
            "types" => (Value::document(document), MissingKey::NoValue),
            "maps" => (Value::raw(document), MissingKey::NoValue),
            _ => (Value::raw(document), MissingKey::Error),
        };
        let rendered = Template::parse(text).and_then(|template| template.render(&value, missing));
        let expected = match case["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(case["output"].as_str().unwrap().to_owned()),
        };
        assert_eq!(rendered.map_err(|error| error.to_string()), expected, "{text:?} in {}", case["in"]);
    }
}
