//! Values, objects and JSON as other crates use them.

use longshore_expr::{Array, Object, Value};

#[test]
fn objects_keep_order_and_ignore_case_at_any_size() {
    for size in [3_usize, 8, 9, 100] {
        let object: Object =
            (0..size).map(|n| (format!("Key{n}"), Value::from(f64::from(n as u32)))).collect();
        assert_eq!(object.len(), size);
        let keys: Vec<String> = object.iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, (0..size).map(|n| format!("Key{n}")).collect::<Vec<_>>());
        for n in 0..size {
            assert_eq!(object.get(&format!("kEY{n}")), Some(&Value::from(f64::from(n as u32))));
        }
        assert_eq!(object.get("Key"), None);
        assert_eq!(object.get("É"), None);
    }
}

#[test]
fn equal_keys_merge_at_any_size() {
    for filler in [0, 20] {
        let mut entries: Vec<(String, Value)> = [("a", 1.0), ("É", 2.0), ("A", 3.0), ("a", 4.0), ("é", 5.0)]
            .map(|(k, v)| (k.to_owned(), v.into()))
            .into();
        entries.extend((0..filler).map(|n| (format!("k{n}"), Value::Null)));
        let object: Object = entries.into_iter().collect();
        assert_eq!(object.len(), 2 + filler);
        assert_eq!(object.get("A"), Some(&Value::from(4.0)));
        assert_eq!(object.get("é"), Some(&Value::from(2.0)));
        assert_eq!(object.iter().next().unwrap().0.as_ref(), "a");
    }
}

#[test]
fn with_replaces_or_appends() {
    let object: Object = [("a", Value::Null), ("b", Value::Null)].into_iter().collect();
    let object = object.with("A", 1.0.into()).with("c", 2.0.into());
    assert_eq!(Value::from(object).to_json_compact(), r#"{"a":1,"b":null,"c":2}"#);
}

#[test]
fn json_round_trips() {
    for text in
        ["null", "[]", "{}", r#"{"b":[1,-2.5,"x\n"],"a":{"c":true}}"#, r#""é\u0001""#, "1e+30", "1e-7"]
    {
        assert_eq!(Value::from_json(text).unwrap().to_json_compact(), text);
    }
    let value = Value::from_json(r#"{"b":[1,{}],"a":[]}"#).unwrap();
    assert_eq!(value.to_json(), "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": []\n}");
}

#[test]
fn json_errors_name_the_offset() {
    for (text, message) in [
        ("", "unexpected end at offset 0"),
        ("[1 2]", "expected `,` or `]` at offset 3"),
        ("{\"a\" 1}", "expected `:` at offset 5"),
        ("{1:2}", "expected a key in double quotes at offset 1"),
        ("{\"a\":1,}", "expected a key in double quotes at offset 7"),
        ("\"abc", "unterminated string at offset 4"),
        ("\"\\q\"", "unknown escape at offset 2"),
        ("\"\\u12é\"", "expected four hexadecimal digits at offset 3"),
        ("nul", "unexpected character at offset 0"),
        ("1.", "expected a digit at offset 2"),
        ("[] x", "unexpected text after the value at offset 3"),
        ("\u{feff}1", "unexpected character at offset 0"),
    ] {
        assert_eq!(Value::from_json(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn serde_json_both_ways() {
    let tree = serde_json::json!({"a": [1, 2.5, null, true, "x"], "b": {}});
    let value = Value::from(&tree);
    assert_eq!(serde_json::Value::from(&value), tree);
    assert_eq!(serde_json::Value::from(&Value::from(f64::NAN)), serde_json::Value::Null);
}

#[test]
fn identity_and_equality_differ() {
    let array = Value::from(Array::from(vec![Value::from("a")]).to_vec());
    let other = Value::from(vec![Value::from("a")]);
    assert_eq!(array, other);
    assert!(!array.loosely_equals(&other));
    assert!(array.loosely_equals(&array.clone()));
}
