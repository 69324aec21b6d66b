//! Settings from their places to their effect.

use crate::context::TestContext;

#[test]
fn effective_settings_name_their_origin() {
    let context = TestContext::new();
    context.write(
        "longshore.toml",
        "color = 'always'\n[check]\nfail-on = 'note'\n[runners]\nlabels = ['gpu']\n",
    );
    context.write_home(
        ".config/longshore/config.toml",
        "format = 'json'\ncolor = 'never'\nhome = '/srv/longshore'\n",
    );
    let mut command =
        context.command(&["--color", "never", "debug", "settings", "--format", "text", "--offline"]);
    command.env("LONGSHORE_FAIL_ON", "warning").env("LONGSHORE_CLOUR", "x");
    insta::assert_snapshot!(context.end(&mut command).shown());
}

#[test]
fn the_format_of_results_can_be_set() {
    let context = TestContext::new();
    context.write("longshore.toml", "format = 'json'\n");
    let json: serde_json::Value = serde_json::from_str(&context.run(&["debug", "settings"]).stdout).unwrap();
    assert_eq!(json[0]["key"], "format");
    assert!(json[0]["origin"].as_str().unwrap().ends_with("project/longshore.toml"));
    assert!(!context.run(&["debug", "settings", "--format", "text"]).stdout.starts_with('['));
}

#[test]
fn settings_that_cannot_be_end_with_3() {
    let context = TestContext::new();
    context.write("longshore.toml", "[check]\nfail-no = 'error'\n");
    insta::assert_snapshot!(context.run(&["check"]).shown());
    let mut command = context.command(&["explain"]);
    command.env("LONGSHORE_CONFIG", "/dev/null").env("LONGSHORE_NETWORK", "maybe");
    insta::assert_snapshot!(context.end(&mut command).shown());
}

#[test]
fn what_is_missing_ends_with_4() {
    let context = TestContext::new();
    insta::assert_snapshot!(context.run(&["--config", "none.toml", "debug", "settings"]).shown());
    insta::assert_snapshot!(context.run(&["-C", "nowhere", "check"]).shown());
}

#[test]
fn colour_follows_flags_and_variables() {
    let context = TestContext::new();
    context.write("bad.yml", "on: pul\n");
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = context.command(&[&["check", "bad.yml"][..], arguments].concat());
        command.envs(variables.iter().copied());
        context.end(&mut command).stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe is no terminal");
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("LONGSHORE_COLOR", "always"), ("NO_COLOR", "1")]));
    let help = context.run(&["--help", "--color", "always"]).stdout;
    assert!(help.contains('\u{1b}'), "help too");
}
