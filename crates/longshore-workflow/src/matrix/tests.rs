//! Matrices as GitHub expands them.

use longshore_expr::Value;

use super::{MatrixError, cell_name, expand};

fn cells(json: &str) -> Result<Vec<String>, MatrixError> {
    let cells = expand(&Value::from_json(json).unwrap())?;
    Ok(cells.into_iter().map(|cell| Value::Object(cell).to_json_compact().replace('"', "")).collect())
}

#[test]
fn the_first_axis_is_outermost() {
    let json = r#"{"version": [10, 12], "os": ["ubuntu", "windows"]}"#;
    assert_eq!(
        cells(json).unwrap(),
        [
            "{version:10,os:ubuntu}",
            "{version:10,os:windows}",
            "{version:12,os:ubuntu}",
            "{version:12,os:windows}"
        ]
    );
}

#[test]
fn include_adds_to_cells_or_makes_them() {
    let json = r#"{
        "fruit": ["apple", "pear"], "animal": ["cat", "dog"],
        "include": [
            {"color": "green"}, {"color": "pink", "animal": "cat"}, {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"}
        ]}"#;
    assert_eq!(
        cells(json).unwrap(),
        [
            "{fruit:apple,animal:cat,color:pink,shape:circle}",
            "{fruit:apple,animal:dog,color:green,shape:circle}",
            "{fruit:pear,animal:cat,color:pink}",
            "{fruit:pear,animal:dog,color:green}",
            "{fruit:banana}",
            "{fruit:banana,animal:cat}",
        ]
    );
}

#[test]
fn table() {
    let cases: &[(&str, &str, &str)] = &[
        ("include alone", r#"{"include":[{"a":1},{"a":2,"b":3}]}"#, "{a:1} {a:2,b:3}"),
        ("include that adds nothing", r#"{"a":[1,2],"include":[{"a":1}]}"#, "{a:1} {a:2}"),
        ("exclude by a part", r#"{"a":[1,2],"b":[1,2],"exclude":[{"a":2}]}"#, "{a:1,b:1} {a:1,b:2}"),
        ("exclude nothing known", r#"{"a":[1],"exclude":[{"z":1}]}"#, "{a:1}"),
        ("exclude compares loosely", r#"{"a":["14","16"],"exclude":[{"a":14}]}"#, "{a:16}"),
        (
            "exclude by a part of a mapping",
            r#"{"os":[{"n":"linux","v":1},{"n":"mac","v":2}],"exclude":[{"os":{"n":"mac"}}]}"#,
            "{os:{n:linux,v:1}}",
        ),
        (
            "excluded cells can come back",
            r#"{"a":[1,2],"exclude":[{"a":1}],"include":[{"a":1,"x":9}]}"#,
            "{a:2} {a:1,x:9}",
        ),
        ("all excluded, one included", r#"{"a":[1],"exclude":[{"a":1}],"include":[{"b":1}]}"#, "{b:1}"),
        ("keys ignore case", r#"{"Os":["l","w"],"include":[{"os":"l","x":1}]}"#, "{Os:l,x:1} {Os:w}"),
        ("nested lists are values", r#"{"a":[[1,2],[3]]}"#, "{a:[1,2]} {a:[3]}"),
    ];
    for (name, json, expected) in cases {
        assert_eq!(cells(json).unwrap().join(" "), *expected, "{name}");
    }
}

#[test]
fn refusals_say_why() {
    let cases: &[(&str, &str)] = &[
        ("[]", "a matrix is a mapping, not a list"),
        ("{}", "the matrix names no axis and includes nothing"),
        (r#"{"include":[]}"#, "the matrix names no axis and includes nothing"),
        (r#"{"a":[]}"#, "the axis `a` of the matrix has no values, so there is no job"),
        (r#"{"a":"x"}"#, "`a` of the matrix is a list, not the text `x`"),
        (r#"{"a":[1],"include":[3]}"#, "each entry of `include` is a mapping, not the number `3`"),
        (r#"{"a":[1],"exclude":[{"a":1}]}"#, "`exclude` leaves no cell of the matrix, so there is no job"),
    ];
    for (json, expected) in cases {
        assert_eq!(cells(json).unwrap_err().to_string(), *expected, "{json}");
    }
}

#[test]
fn giant_products_are_refused_before_they_are_made() {
    let axis = format!("[{}]", (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let many: Vec<String> = (0..30).map(|n| format!("\"a{n}\":{axis}")).collect();
    let error = cells(&format!("{{{}}}", many.join(","))).unwrap_err();
    assert!(matches!(error, MatrixError::TooMany { exact: false, .. }), "{error}");
    let error = cells(&format!("{{\"a\":{axis},\"b\":[1,2]}}")).unwrap_err();
    assert_eq!(error.to_string(), "the matrix makes 400 jobs, but at most 256 are allowed");
    let fits = cells(&format!("{{\"a\":{axis},\"b\":[1,2],\"exclude\":[{{\"b\":2}}]}}")).unwrap();
    assert_eq!(fits.len(), 200);
}

#[test]
fn names_list_the_values() {
    let cases: &[(&str, &str)] = &[
        (r#"{"os":"linux","node":20}"#, "test (linux, 20)"),
        (r#"{"v":1.10,"x":true,"y":null,"z":""}"#, "test (1.1, true)"),
        (r#"{"c":{"name":"Linux","os":"ubuntu"},"l":[1,2]}"#, "test (Linux, ubuntu, 1, 2)"),
        ("{}", "test"),
    ];
    for (json, expected) in cases {
        let Value::Object(cell) = Value::from_json(json).unwrap() else { panic!("{json}") };
        assert_eq!(cell_name("test", &cell), *expected);
    }
    let Value::Object(long) = Value::from_json(&format!("{{\"a\":\"{}\"}}", "ä".repeat(200))).unwrap()
    else {
        panic!("an object")
    };
    let name = cell_name("test", &long);
    assert_eq!((name.chars().count(), name.ends_with("ä...")), (100, true));
}
