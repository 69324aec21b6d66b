//! Any text is an expression that prints to itself and evaluates within limits, or a located refusal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_expr::{MapContexts, Template, Value, eval, parse};

fuzz_target!(|text: &str| {
    let contexts = MapContexts::from_json(
        r#"{"github":{"ref":"refs/heads/main","event":{"a":[1,"x",{"b":null}]}},"matrix":{"os":["a",2]},"env":{"A":"1"}}"#,
    );
    if let Ok(expr) = parse(text) {
        let printed = expr.to_string();
        let again = parse(&printed).expect("what is printed parses");
        assert_eq!(printed, again.to_string());
        if let Ok(contexts) = &contexts {
            let _ = eval(&expr, contexts);
        }
    }
    if let (Ok(template), Ok(contexts)) = (Template::parse(text, None), &contexts) {
        let _ = template.eval(contexts);
    }
    if let Ok(value) = Value::from_json(text) {
        let _ = value.to_json();
    }
});
