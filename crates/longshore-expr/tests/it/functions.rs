//! The functions of the language and those of the surroundings.

use crate::check;

#[test]
fn contains() {
    check(&[
        ("contains('Hello world', 'LLO')", "true"),
        ("contains('abc', '')", "true"),
        ("contains('', '')", "true"),
        ("contains('', 'a')", "false"),
        ("contains(null, '')", "true"),
        ("contains(1234, 23)", "true"),
        ("contains(true, 'RU')", "true"),
        ("contains('ΑΣ', 'ας')", "true"),
        ("contains('ß', 'SS')", "false"),
        ("contains(arr, 'b')", "true"),
        ("contains(arr, '1')", "true"),
        ("contains(arr, '')", "true"),
        ("contains(arr, 'c')", "false"),
        ("contains(arr, arr[7])", "true"),
        ("contains(arr, fromJSON('[1,2]'))", "false"),
        ("contains(fromJSON('[]'), null)", "false"),
        ("contains(github, 'Ada')", "false"),
        ("contains('Object', github)", "false"),
        ("contains(github.items.*.name, 'TWO')", "true"),
        ("CONTAINS('a', 'a')", "true"),
    ]);
}

#[test]
fn starts_with_and_ends_with() {
    check(&[
        ("startsWith(github.ref, 'REFS/heads/')", "true"),
        ("startsWith('a', 'ab')", "false"),
        ("startsWith('abc', '')", "true"),
        ("startsWith(123, 12)", "true"),
        ("startsWith('ß', 's')", "true"),
        ("startsWith(null, '')", "true"),
        ("startsWith(arr, 'A')", "false"),
        ("startsWith('Array', arr)", "false"),
        ("endsWith('main.RS', '.rs')", "true"),
        ("endsWith('a', 'ba')", "false"),
        ("endsWith('é', 'É')", "true"),
        ("endsWith(1.50, '.5')", "true"),
        ("endswith(github, '')", "false"),
    ]);
}

#[test]
fn format() {
    let invalid = |text: &str| format!("error: The following format string is invalid: {text}");
    let missing = |text: &str| {
        format!("error: The following format string references more arguments than were supplied: {text}")
    };
    check(&[
        ("format('plain')", r#""plain""#),
        ("format('')", r#""""#),
        ("format('{0}, {1}!', 'Hello', 'Mona')", r#""Hello, Mona!""#),
        ("format('{1}{0}{1}', 'a', 'b')", r#""bab""#),
        ("format('{{{0}}}', 1)", r#""{1}""#),
        ("format('{{0}}', 1)", r#""{0}""#),
        ("format('}}{{')", r#""}{""#),
        ("format('{00}', 'x')", r#""x""#),
        ("format('{0}{1}{2}', null, true, false)", r#""truefalse""#),
        ("format('{0} {1}', arr, github)", r#""Array Object""#),
        ("format('{0}', -0)", r#""0""#),
        ("format('{0}', 1e21)", r#""1e+21""#),
        ("format('{0}', 0.1234567890123456789)", r#""0.123456789012346""#),
        ("format('{0}', 1e-16)", r#""0""#),
        ("format('{0}', 0.0000152587890625)", r#""0.000015258789063""#),
        ("format('{0}', -0.0000152587890625)", r#""-0.000015258789063""#),
        ("format('{0}', NaN)", r#""NaN""#),
        ("format(1)", r#""1""#),
        ("format('{0}', '{0}')", r#""{0}""#),
        ("format('{')", &invalid("{")),
        ("format('}')", &invalid("}")),
        ("format('{}', 1)", &invalid("{}")),
        ("format('{a}', 1)", &invalid("{a}")),
        ("format('{0', 1)", &invalid("{0")),
        ("format('{0:x}', 1)", &invalid("{0:x}")),
        ("format('{0 }', 1)", &invalid("{0 }")),
        ("format('{0}')", &missing("{0}")),
        ("format('{99999999999999999999999}', 1)", &missing("{99999999999999999999999}")),
        ("format('a{1}', 1)", &missing("a{1}")),
    ]);
}

#[test]
fn join() {
    check(&[
        ("join(arr)", r#""0,1,a,B,,true,1.5,Array,Object""#),
        ("join(arr[7], ' | ')", r#""1 | 2""#),
        ("join(arr[7], '')", r#""12""#),
        ("join(arr[7], 0)", r#""102""#),
        ("join(arr[7], null)", r#""12""#),
        ("join(arr[7], arr)", r#""1,2""#),
        ("join('text', '-')", r#""text""#),
        ("join(null)", r#""""#),
        ("join(1.0)", r#""1""#),
        ("join(github)", r#""""#),
        ("join(fromJSON('[]'))", r#""""#),
        ("join(github.items.*.name, '+')", r#""one+two""#),
    ]);
}

#[test]
fn json() {
    let broken = "error: Error parsing JSON when evaluating fromJson";
    check(&[
        ("fromJSON('{\"b\":1,\"a\":[null,true,\"x\"]}')", r#"{b:1,a:[null,true,"x"]}"#),
        ("fromJSON('{\"a\":1,\"A\":2,\"a\":3}')", "{a:3}"),
        ("fromJSON('{\"b\":1,\"1\":2}')", "{b:1,1:2}"),
        (r#"fromJSON('"\u00e9\ud83d\ude00\n\/"')"#, r#""é😀\n/""#),
        ("fromJSON(' 1.50 ')", "1.5"),
        ("fromJSON('-0')", "-0"),
        ("fromJSON('1e999')", "Infinity"),
        ("fromJSON(1)", "1"),
        ("fromJSON(true)", "true"),
        ("fromJSON(env.A)", "1"),
        ("fromJSON('')", "error: empty input"),
        ("fromJSON(null)", "error: empty input"),
        ("fromJSON(' \n')", "error: empty input"),
        ("fromJSON('[1,]')", broken),
        ("fromJSON('{a:1}')", broken),
        ("fromJSON('01')", broken),
        ("fromJSON('1 2')", broken),
        ("fromJSON('\"\n\"')", broken),
        ("fromJSON('+1')", broken),
        ("fromJSON('True')", broken),
        ("fromJSON(arr)", broken),
        ("toJSON(null)", r#""null""#),
        ("toJSON('a\"b\\\n')", r#""\"a\\\"b\\\\\\n\"""#),
        ("toJSON(NaN)", r#""null""#),
        ("toJSON(-0)", r#""0""#),
        ("toJSON(1e21)", r#""1e+21""#),
        ("toJSON(0.1234567890123456789)", r#""0.12345678901234568""#),
        ("toJSON(arr[7])", r#""[\n  1,\n  2\n]""#),
        ("toJSON(fromJSON('[]'))", r#""[]""#),
        ("toJSON(fromJSON('{}'))", r#""{}""#),
        (
            "toJSON(fromJSON('{\"a\":{\"b\":[]},\"c\":[{}]}'))",
            r#""{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": [\n    {}\n  ]\n}""#,
        ),
        (r#"toJSON(fromJSON('"\u0001\u007f\u2028\b\f"'))"#, "\"\\\"\\\\u0001\u{7f}\u{2028}\\\\b\\\\f\\\"\""),
    ]);
}

#[test]
fn case_takes_the_first_that_is_true() {
    check(&[
        ("case(true, 'a', 'b')", r#""a""#),
        ("case(false, 'a', 'b')", r#""b""#),
        ("case(1 == 2, 'a', github.name == 'ada', 'b', 'c')", r#""b""#),
        ("case(1, 'a', 'b')", "error: case predicate must evaluate to a boolean value"),
        ("case('true', 'a', 'b')", "error: case predicate must evaluate to a boolean value"),
        ("case(true, 'a', 1, 'b', 'c')", r#""a""#),
        ("case(true, 'a', fromJSON(''))", r#""a""#),
        (
            "case(true, 'a')",
            "error: Too few parameters supplied: 'case'. Located at position 1 within expression: case(true, 'a')",
        ),
        (
            "case(true, 1, 2, 3)",
            "error: Even number of parameters supplied, requires an odd number of parameters: 'case'. Located at \
             position 1 within expression: case(true, 1, 2, 3)",
        ),
    ]);
}

#[test]
fn functions_of_the_surroundings() {
    check(&[
        ("hashFiles('a', 'b')", r#""hash of 2""#),
        ("HASHFILES('a')", r#""hash of 1""#),
        ("always() && 1", "1"),
        ("fail()", "error: the disk is gone"),
        ("arr[fail()]", "error: could not evaluate index for index access: the disk is gone"),
    ]);
}

#[test]
fn status_functions_follow_the_status_of_the_job() {
    use longshore_expr::{MapContexts, eval, parse};
    for (status, success, failure, cancelled) in
        [("success", true, false, false), ("failure", false, true, false), ("cancelled", false, false, true)]
    {
        let contexts = MapContexts::from_json(&format!(r#"{{"job":{{"status":"{status}"}}}}"#)).unwrap();
        for (text, expected) in
            [("success()", success), ("failure()", failure), ("cancelled()", cancelled), ("always()", true)]
        {
            let value = eval(&parse(text).unwrap(), &contexts).unwrap();
            assert_eq!(value, expected.into(), "{text} after {status}");
        }
    }
}

#[test]
fn a_function_nobody_provides_is_an_error_with_its_place() {
    use longshore_expr::{MapContexts, eval, parse};
    let error = eval(&parse("1 && nothing()").unwrap(), &MapContexts::default()).unwrap_err();
    assert_eq!(error.to_string(), "Unrecognized function: 'nothing'");
    assert_eq!(error.span.range(), 5..14);
}

#[test]
fn format_calls_that_cannot_work_are_found_without_evaluating() {
    use longshore_expr::{format_string::failing_calls, parse};
    for (text, expected) in [
        ("format('{0}{1}', 'a', 'b')", vec![]),
        ("format(env.A)", vec![]),
        ("format('{0')", vec![(7..11, None)]),
        ("contains(format('{2}', 1), FORMAT('{}'))", vec![(16..21, Some((3, 1))), (34..38, None)]),
    ] {
        let found: Vec<_> =
            failing_calls(&parse(text).unwrap()).iter().map(|c| (c.span.range(), c.arguments)).collect();
        assert_eq!(found, expected, "{text}");
    }
}
