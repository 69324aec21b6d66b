//! What holds for every input.

use longshore_expr::{Expr, ExprKind, MapContexts, Template, Value, eval, parse};
use proptest::prelude::*;

/// Texts of expressions that parse.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<f64>().prop_map(|number| Value::from(number).to_text().into_owned()),
        "[0-9]{1,20}(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?",
        "0x[0-9a-fA-F]{1,20}",
        "\\PC{0,8}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        Just("true".to_owned()),
        Just("null".to_owned()),
        "[a-zA-Z_][a-zA-Z0-9_-]{0,4}",
    ];
    leaf.prop_recursive(5, 60, 4, |inner| {
        let base = prop_oneof!["[a-z]{1,3}", inner.clone().prop_map(|text| format!("({text})"))];
        prop_oneof![
            inner.clone().prop_map(|text| format!("( {text})")),
            inner.clone().prop_map(|text| format!("!({text})")),
            (inner.clone(), "(==|!=|<|<=|>|>=|&&|\\|\\|)", inner.clone())
                .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
            (base.clone(), "[a-z]{1,3}").prop_map(|(base, name)| format!("{base}.{name}")),
            (base.clone(), inner.clone()).prop_map(|(base, index)| format!("{base}[ {index} ]")),
            base.prop_map(|base| format!("{base}[*]")),
            ("(f|toJSON|fromJSON|join)", inner.clone()).prop_map(|(name, arg)| format!("{name}({arg})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("contains({a},{b})")),
        ]
    })
}

/// The tree without places.
fn shape(expr: &Expr) -> String {
    let mut parts = Vec::new();
    expr.for_each_part(&mut |part| parts.push(shape(part)));
    let head = match &expr.kind {
        ExprKind::Literal(Value::Number(number)) => format!("{:x}", number.to_bits()),
        ExprKind::Literal(value) => format!("{value:?}"),
        ExprKind::Context(name) => format!("context {name}"),
        ExprKind::Function { name, .. } => format!("function {name}"),
        ExprKind::Property { name, .. } => format!("property {name}"),
        ExprKind::Index { .. } => "index".to_owned(),
        ExprKind::Star { .. } => "star".to_owned(),
        ExprKind::Not(_) => "not".to_owned(),
        ExprKind::And(_) => "and".to_owned(),
        ExprKind::Or(_) => "or".to_owned(),
        ExprKind::Compare { rest, .. } => format!("{:?}", rest.iter().map(|(op, _)| *op).collect::<Vec<_>>()),
        ExprKind::Group(_) => "group".to_owned(),
    };
    format!("{head}({})", parts.join(" "))
}

proptest! {
    #[test]
    fn printing_and_parsing_gives_the_same_tree(text in expression()) {
        let expr = parse(&text).unwrap();
        let printed = expr.to_string();
        let again = parse(&printed).unwrap();
        prop_assert_eq!(shape(&expr), shape(&again), "{} became {}", text, printed);
    }

    #[test]
    fn every_node_stands_inside_the_node_it_is_part_of(text in expression()) {
        let expr = parse(&text).unwrap();
        expr.walk(&mut |node| {
            assert!(text.get(node.span.range()).is_some());
            node.for_each_part(&mut |part| {
                assert!(part.span.start >= node.span.start && part.span.end <= node.span.end);
            });
        });
    }

    #[test]
    fn evaluating_never_panics(text in expression(), json in "\\PC{0,30}") {
        let contexts = MapContexts::new([("a", Value::from(json))].into_iter().collect());
        let _ = eval(&parse(&text).unwrap(), &contexts);
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_a_place_in_it(text in "\\PC{0,40}|[a-z.'()\\[\\]*!=<>&|{}$0-9 \n,-]{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span.range()).is_some());
            let _ = (error.to_string(), error.published_text());
        }
        if let Err(errors) = Template::parse_all(&format!("${{{{{text}}}}}{text}"), None) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn numbers_survive_their_text(number in any::<f64>()) {
        let text = Value::from(number).to_json_compact();
        let back = Value::from_json(&text).unwrap();
        let expected = if number.is_finite() { Value::from(number) } else { Value::Null };
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn json_survives_printing(text in "[\\[\\]{}:,\"a0-9.eE+\\-\\\\u ]{0,40}") {
        if let Ok(value) = Value::from_json(&text) {
            // What is too large for a double is infinite, which JSON cannot say.
            if !value.to_json_compact().contains("null") {
                prop_assert_eq!(&Value::from_json(&value.to_json()).unwrap(), &value);
            }
        }
    }
}
