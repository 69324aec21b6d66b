//! Nothing is unbounded.

use longshore_expr::{MapContexts, ParseErrorKind, Template, Value, eval, json, parse};

/// `open` and `close` around `1`, `levels` times.
fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn depth_is_counted_as_the_published_parser_counts_it() {
    for (deepest, open, close) in
        [(49, "(", ")"), (49, "!", ""), (49, "join(", ")"), (49, "a[", "]"), (24, "1 || (", ")")]
    {
        assert!(parse(&nested(open, close, deepest)).is_ok(), "{open}");
        let error = parse(&nested(open, close, deepest + 1)).unwrap_err();
        assert_eq!(error.kind, ParseErrorKind::TooDeep, "{open}");
        assert_eq!(error.to_string(), "Exceeded max expression depth 50");
        assert_eq!(error.code().0, "expr/too-deep");
    }
    assert!(parse(&format!("a{}", ".b".repeat(49))).is_ok());
    assert_eq!(parse(&format!("a{}", ".b".repeat(50))).unwrap_err().kind, ParseErrorKind::TooDeep);
}

#[test]
fn length_is_counted_in_utf16_units() {
    let text = |filler: &str, count: usize| format!("'{}'", filler.repeat(count));
    assert!(parse(&text("a", 20_998)).is_ok());
    assert!(parse(&text("é", 20_998)).is_ok());
    assert!(parse(&text("😀", 10_499)).is_ok());
    for long in [text("a", 20_999), text("😀", 10_500)] {
        let error = parse(&long).unwrap_err();
        assert_eq!(error.to_string(), "Exceeded max expression length 21000");
        assert_eq!(error.code().0, "expr/too-long");
    }
}

#[test]
fn long_chains_are_evaluated_without_recursion() {
    for operator in ["==", "!=", "<", ">=", "&&", "||"] {
        let text = vec!["1"; 5_000].join(operator);
        let expr = parse(&text).unwrap();
        assert!(eval(&expr, &MapContexts::default()).is_ok());
        assert!(expr.to_string().len() > text.len());
    }
}

#[test]
fn texts_that_double_at_every_level_are_refused() {
    let too_large = "The maximum allowed memory size was exceeded";
    let mut format = "'0123456789'".to_owned();
    let mut json = "'\"\"'".to_owned();
    for _ in 0..40 {
        format = format!("format('{{0}}{{0}}', {format})");
        json = format!("toJSON({json})");
    }
    for text in [format, json] {
        let error = eval(&parse(&text).unwrap(), &MapContexts::default()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.code().0), (too_large, "expr/too-large"));
    }
}

#[test]
fn a_template_shares_one_limit() {
    let mut contexts = MapContexts::default();
    contexts.set("a", Value::from("x".repeat(1 << 20)));
    let template = Template::parse(&"${{ a }}".repeat(64), None).unwrap();
    let error = template.eval(&contexts).unwrap_err();
    assert_eq!(error.code().0, "expr/too-large");
}

#[test]
fn values_that_share_parts_do_not_explode() {
    let mut value = Value::from("x".repeat(100));
    for _ in 0..60 {
        value = Value::from(vec![value.clone(), value]);
    }
    let mut contexts = MapContexts::default();
    contexts.set("a", value);
    let run = |text: &str| eval(&parse(text).unwrap(), &contexts).map(|_| ()).map_err(|error| error.code().0);
    assert_eq!(run("toJSON(a)"), Err("expr/too-large"));
    assert_eq!(run(&format!("a{}", ".*".repeat(40))), Err("expr/too-large"));
    assert_eq!(run("join(a)"), Ok(()));
}

#[test]
fn work_over_long_texts_is_bounded() {
    let mut contexts = MapContexts::default();
    contexts.set("a", Value::from("x".repeat(8 << 20)));
    let expr = parse(&vec!["a == a"; 2_000].join(" && ")).unwrap();
    assert_eq!(eval(&expr, &contexts).unwrap_err().code().0, "expr/too-large");
}

#[test]
fn json_is_nested_at_most_a_hundred_deep() {
    let text = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let value = Value::from_json(&text(json::MAX_DEPTH)).unwrap();
    assert_eq!(value.to_json_compact(), text(json::MAX_DEPTH));
    let error = Value::from_json(&text(json::MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.to_string(), "nested too deep at offset 100");
    assert!(Value::from_json(&text(1_000_000)).is_err());

    let deeper = Value::from(vec![value]);
    assert!(deeper.to_json_compact().ends_with(&format!("[null{}", "]".repeat(100))));
    let mut contexts = MapContexts::default();
    contexts.set("a", deeper);
    let error = eval(&parse("toJSON(a)").unwrap(), &contexts).unwrap_err();
    assert_eq!(error.to_string(), "the value is nested deeper than 100 levels");
}

#[test]
fn many_values_in_json_are_refused_before_they_fill_memory() {
    let mut contexts = MapContexts::default();
    contexts.set("a", Value::from(format!("[{}1]", "1,".repeat(2_000_000))));
    let error = eval(&parse("fromJSON(a)").unwrap(), &contexts).unwrap_err();
    assert_eq!(error.code().0, "expr/too-large");
}
