//! Templates that want too much end with an error, and no template makes the program panic.

use longshore_format::{Filters, Format, Listing, MissingKey, Template, TemplateError, Value, path_match};
use proptest::prelude::*;

fn render(text: &str) -> Result<String, TemplateError> {
    let document = serde_json::json!({
        "A": {"B": [1, 2, {"C": null}], "Labels": {"x": "y"}},
        "T": "text \u{e9}\u{4e16}",
        "N": -7,
    });
    Template::parse(text)?.render(&Value::document(&document), MissingKey::NoValue)
}

#[test]
fn what_is_too_much_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let cases = [
        ("{{range 100000000}}{{end}}".to_owned(), "steps"),
        ("{{range 100000}}{{range 100000}}{{end}}{{end}}".to_owned(), "steps"),
        ("{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}".to_owned(), "maximum template depth"),
        ("{{$x := \"ab\"}}{{range 100}}{{$x = print $x $x}}{{end}}".to_owned(), "64 MiB"),
        ("{{range 1000}}{{printf \"%1000000d\" 1}}{{end}}".to_owned(), "16 MiB"),
        ("{{range 1000}}{{len (printf \"%1000000d\" 1)}}{{end}}".to_owned(), "64 MiB"),
        ("{{pad \"a\" 2000000000 0}}".to_owned(), "blanks"),
        ("{{$s := printf \"%1000000d\" 1}}{{join (split $s \"\") $s}}".to_owned(), "longer than 16 MiB"),
        (deep("{{if 1}}", "{{end}}"), "levels"),
        (format!("{{{{{}}}}}", deep("(", ")")), "levels"),
        (format!("{}{}", "{{if 0}}{{else if 1}}", "{{else if 1}}".repeat(10_000)), "levels"),
        ("{{$x := 1}}".repeat(10_000), "variables"),
        (format!("{{{{{}", "1.1".repeat(100_000)), "in operand"),
        ("x".repeat((1 << 20) + 1), "1 MiB"),
    ];
    for (text, expected) in cases {
        let error = render(&text).expect_err(text.get(..60).unwrap_or(&text)).to_string();
        assert!(error.contains(expected), "{} for {}", error, text.get(..60).unwrap_or(&text));
    }
}

#[test]
fn a_document_as_deep_as_json_may_be_is_printed() {
    let text = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let json = serde_json::from_str(&text).unwrap();
    let template = Template::parse("{{json .}}").unwrap();
    assert_eq!(template.render(&Value::document(&json), MissingKey::NoValue), Ok(text));
}

/// Texts that are nearly templates.
fn nearly() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        ".",
        "$",
        "$x",
        ":=",
        "=",
        "|",
        "(",
        ")",
        "\"",
        "`",
        "'",
        ",",
        "\\",
        "\n",
        "if ",
        "else",
        "end",
        "range ",
        "with ",
        "define ",
        "template ",
        "block ",
        "break",
        "index ",
        "slice ",
        "printf ",
        "\"%*[2].3d%\"",
        "\"%x%q%U%e\"",
        "len ",
        "eq ",
        "json ",
        "truncate ",
        "split ",
        "join ",
        "pad ",
        ".A",
        ".B",
        ".T",
        ".N",
        "nil",
        "true",
        "1",
        "-1",
        "9223372036854775807",
        "1e308",
        "0x1p-2",
        "/*",
        "*/",
        "\u{4e16}",
        "\0",
    ]);
    prop::collection::vec(parts, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_panics(text in nearly(), value in nearly()) {
        let _ = render(&text);
        let _ = render(&format!("{{{{{text}}}}}"));
        let listing = Listing { titles: &[("T", "TEXT")], table: "{{.T}}", raw: "" };
        let rows = [Value::row("row", [("T", Value::text(value.as_str()))])];
        let _ = Format::parse(&text, &listing).and_then(|format| format.render(&rows));
        let _ = path_match(&text, &value);
        if let Ok(filters) = Filters::parse(&[format!("name={text}")], &["name"]) {
            let _ = filters.pattern("name", &[value]);
        }
    }

    #[test]
    fn text_without_actions_is_copied(text in "[^{]*") {
        prop_assert_eq!(render(&text), Ok(text));
    }

    #[test]
    fn json_reads_as_what_it_was(text in ".*", number in any::<i64>()) {
        let document = serde_json::json!({"b": text, "a": [number, null, {"T": text}]});
        let template = Template::parse("{{json .}}").unwrap();
        let written = template.render(&Value::document(&document), MissingKey::NoValue).unwrap();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), document);
    }
}
