//! Scripts in, commands out.

use super::{BlockKind, Part, Separator, parse};

fn programs(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    parse(text).each(&mut |_, _, command| found.push(command.program().to_owned()));
    found
}

#[test]
fn tells_commands_apart() {
    let table: &[(&str, &[&str])] = &[
        ("a b; c && d || e | f & g", &["a", "c", "d", "e", "f", "g"]),
        ("X=1 Y='a b' run # not || this", &["run"]),
        ("a \\\n  b\nc", &["a", "c"]),
        ("cat <<EOF > f\nrm -rf /\nEOF\nls", &["cat", "ls"]),
        ("cat <<-'E'\n\tx\n\tE\nls", &["cat", "ls"]),
        ("if a; then b; elif c; then d; else e; fi", &["a", "b", "c", "d", "e"]),
        ("for x in 1 2; do a; done; b", &["a", "b"]),
        ("case $x in a|b) one;; *) two ;; esac; three", &["one", "two", "three"]),
        ("f() { a; }; f", &["a", "f"]),
        ("function g {\n a\n}\ng", &["a", "g"]),
        ("[[ a && b || c ]] && d", &["[[", "d"]),
        ("echo ${{ a || b }}; c", &["echo", "c"]),
        ("x=$(a | b)", &["", "a", "b"]),
        ("echo \"$(a \"$(b)\")\"", &["echo", "a", "b"]),
        ("timeout 60 bash -c 'until a; do sleep 2; done'", &["timeout", "a", "sleep"]),
        ("(a; b) | c", &["a", "b", "c"]),
        ("a 2>&1 >out <in &>x", &["a"]),
        ("x=(a b c); d", &["", "d"]),
        ("((i++)); a", &["a"]),
        ("echo 'a;b' \"c&&d\" e\\;f", &["echo"]),
    ];
    for (text, expected) in table {
        assert_eq!(&programs(text), expected, "{text}");
    }
}

#[test]
fn knows_what_a_command_stands_in() {
    let script = parse("until a; do\n  sleep 2\ndone\nif b; then c; else d; fi && e");
    let places: Vec<_> = script
        .commands
        .iter()
        .map(|command| command.place.map(|(index, part)| (script.blocks[index].kind, part)))
        .collect();
    let expected = [
        Some((BlockKind::Loop, Part::Condition)),
        Some((BlockKind::Loop, Part::Body)),
        Some((BlockKind::If, Part::Condition)),
        Some((BlockKind::If, Part::Then)),
        Some((BlockKind::If, Part::Else)),
        None,
    ];
    assert_eq!(places, expected);
}

#[test]
fn keeps_separators_redirects_and_words() {
    let script = parse("! a 'b c' >> \"$OUT\" || true");
    let first = &script.commands[0];
    assert!(first.negated);
    assert_eq!(first.next, Separator::Or);
    assert_eq!(first.words[1].text, "b c");
    assert_eq!((first.redirects[0].operator, first.redirects[0].target.text.as_ref()), (">>", "$OUT"));
}

#[test]
fn takes_whatever_comes() {
    for text in [
        "",
        "'",
        "\"",
        "$(",
        "`",
        "${",
        "${{",
        "((",
        "case",
        "case x in",
        "<<",
        "<<E\n",
        "\\",
        "é(ü",
        "a\u{0}b",
        "fi done } esac )",
        "if if if",
        "[[",
        "$($($($($($($($($(",
        "x <<'é'\né",
        "\"\\",
        "\"\\é",
        "\\é",
        "bash -c 'é",
    ] {
        parse(text);
    }
    let deep = "$(".repeat(20_000);
    parse(&deep);
    parse(&"\"$(".repeat(20_000));
    parse(&"(".repeat(50_000));
}
