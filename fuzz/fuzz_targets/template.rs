//! Any text is a template that renders within limits, or a refusal; the same for tables, filters and patterns.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_format::{Filters, Format, Inspection, Listing, MissingKey, Template, Value, path_match};

fuzz_target!(|text: &str| {
    let document = serde_json::json!({
        "Id": "0123456789abcdef",
        "State": {"Running": true, "ExitCode": 0, "Health": null},
        "Config": {"Labels": {"a": "1"}, "Cmd": ["sh", "-c"]},
        "Ports": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": null},
        "Ratio": 1.5,
    });
    if let Ok(template) = Template::parse(text) {
        for value in [Value::document(&document), Value::raw(&document), Value::Absent] {
            let strict = template.render(&value, MissingKey::Error);
            let lenient = template.render(&value, MissingKey::NoValue);
            if let Ok(strict) = strict {
                assert_eq!(lenient, Ok(strict), "a missing key can only be the difference between text and error");
            }
        }
    }
    if let Ok(inspection) = Inspection::parse(text) {
        let _ = inspection.render(std::slice::from_ref(&document));
    }
    let listing = Listing { titles: &[("Id", "ID")], table: "{{.Id}}", raw: "" };
    if let Ok(format) = Format::parse(text, &listing) {
        let _ = format.render(&[Value::row("row", [("Id", Value::text(text)), ("Label", Value::lookup([("a", "b")]))])]);
    }
    if let Ok(filters) = Filters::parse(&[text], &["name", "reference", "dangling"]) {
        let _ = (filters.pattern("name", &[text]), filters.glob("reference", &[text]), filters.flag("dangling"));
    }
    let _ = path_match(text, text);
});
