//! Which setting wins, and what is said about settings that cannot be.

use std::path::{Path, PathBuf};

use longshore_report::Style;
use longshore_report::diagnostic::text;
use longshore_syntax::SourceFile;

use super::environment::VARIABLES;
use super::{
    ColorChoice, Environment, Layer, Origin, OutputFormat, Settings, Sourced, Threshold, file, load,
};

/// A project and a user's files in a directory of their own.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new(project: &str, user: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("project/.git")).unwrap();
        std::fs::create_dir_all(root.path().join("project/deep/down")).unwrap();
        std::fs::create_dir_all(root.path().join("user/longshore")).unwrap();
        std::fs::write(root.path().join("project/longshore.toml"), project).unwrap();
        std::fs::write(root.path().join("user/longshore/config.toml"), user).unwrap();
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn load(&self, flags: Layer, variables: &[(&str, &str)]) -> Settings {
        let user = self.path("user").display().to_string();
        let mut variables = variables.to_vec();
        variables.push(("XDG_CONFIG_HOME", &user));
        load(&self.path("project/deep/down"), flags, None, &Environment::of(&variables)).unwrap()
    }
}

/// Flags, variables, project's file, user's file; the winner and its place.
type Case = (Layer, &'static [(&'static str, &'static str)], &'static str, &'static str, ColorChoice, Origin);

#[test]
fn the_nearest_place_wins() {
    let project = Origin::Project(PathBuf::from("project/longshore.toml"));
    let user = Origin::User(PathBuf::from("user/longshore/config.toml"));
    let flag = || Layer {
        color: Some(Sourced::new(ColorChoice::Never, Origin::Flag("--color"))),
        ..Layer::default()
    };
    let no = Layer::default;
    let on = "color = 'always'";
    let table: [Case; 9] = [
        (no(), &[], "", "", ColorChoice::Auto, Origin::Default),
        (no(), &[], "", on, ColorChoice::Always, user),
        (no(), &[], on, "color = 'never'", ColorChoice::Always, project),
        (
            no(),
            &[("CLICOLOR_FORCE", "1")],
            "color = 'never'",
            "",
            ColorChoice::Always,
            Origin::Variable("CLICOLOR_FORCE"),
        ),
        (no(), &[("CLICOLOR_FORCE", "0")], "", "", ColorChoice::Auto, Origin::Default),
        (
            no(),
            &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            on,
            "",
            ColorChoice::Never,
            Origin::Variable("NO_COLOR"),
        ),
        (no(), &[("NO_COLOR", ""), ("LONGSHORE_COLOR", "")], "", "", ColorChoice::Auto, Origin::Default),
        (
            no(),
            &[("LONGSHORE_COLOR", "always"), ("NO_COLOR", "1")],
            "",
            "",
            ColorChoice::Always,
            Origin::Variable("LONGSHORE_COLOR"),
        ),
        (flag(), &[("LONGSHORE_COLOR", "always")], on, on, ColorChoice::Never, Origin::Flag("--color")),
    ];
    for (flags, variables, project, user, value, origin) in table {
        let place = Place::new(project, user);
        let origin = match origin {
            Origin::Project(path) => Origin::Project(place.root.path().join(path)),
            Origin::User(path) => Origin::User(place.root.path().join(path)),
            origin => origin,
        };
        let color = place.load(flags, variables).color;
        assert_eq!(color, Sourced::new(value, origin), "{variables:?} {project:?} {user:?}");
    }
}

#[test]
fn every_variable_sets_what_it_says() {
    let place = Place::new("format = 'text'\nnetwork = true\nhome = 'h'\n[check]\nfail-on = 'note'\n", "");
    let settings = place.load(
        Layer::default(),
        &[
            ("LONGSHORE_FORMAT", "json"),
            ("LONGSHORE_NETWORK", "off"),
            ("LONGSHORE_HOME", "/elsewhere"),
            ("LONGSHORE_FAIL_ON", "never"),
        ],
    );
    assert_eq!(settings.format.value, OutputFormat::Json);
    assert!(!settings.network.value);
    assert_eq!(settings.home.value, Path::new("/elsewhere"));
    assert_eq!(settings.fail_on.value, Threshold::Never);
    let settings = place.load(Layer::default(), &[]);
    assert_eq!(settings.home.value, place.path("project/h"), "relative to the file");
}

#[test]
fn tables_and_lists_are_joined() {
    let place = Place::new(
        "[check.rules]\n'config/syntax' = 'off'\n[runners]\nlabels = ['gpu']\n[actions.mirrors]\n'a/' = '../m'\n",
        "[check.rules]\n'config/syntax' = 'note'\n'config/bad-value' = 'note'\n[runners]\nlabels = ['arm', 'gpu']\n\
         [actions.mirrors]\n'b/' = 'https://example.org/b'\n[runners.images]\nx = 'y:1'\n",
    );
    let settings = place.load(Layer::default(), &[]);
    let rules: Vec<_> =
        settings.rules.iter().map(|(code, level)| (code.as_str(), level.value.severity())).collect();
    assert_eq!(
        rules,
        [("config/bad-value", Some(longshore_syntax::Severity::Note)), ("config/syntax", None)]
    );
    let labels: Vec<_> = settings.labels.iter().map(|label| label.value.as_str()).collect();
    assert_eq!(labels, ["gpu", "arm"]);
    let mirrors: Vec<_> =
        settings.mirrors.iter().map(|(key, value)| (key.as_str(), value.value.clone())).collect();
    let mirror = place.path("project/../m").display().to_string();
    assert_eq!(mirrors, [("a/", mirror), ("b/", "https://example.org/b".to_owned())]);
    assert_eq!(settings.images["x"].value, "y:1");
}

#[test]
fn a_named_file_stands_in_for_the_projects() {
    let place = Place::new("format = 'json'\n", "");
    std::fs::write(place.path("other.toml"), "[check]\nfail-on = 'note'\n").unwrap();
    let named = Some(place.path("other.toml"));
    let none = Environment::default();
    let settings = load(&place.path("project"), Layer::default(), named, &none).unwrap();
    assert_eq!((settings.format.value, settings.fail_on.value), (OutputFormat::Text, Threshold::Note));
    let variable = place.path("other.toml").display().to_string();
    let environment = Environment::of(&[("LONGSHORE_CONFIG", &variable)]);
    assert_eq!(
        load(&place.path("project"), Layer::default(), None, &environment).unwrap().fail_on.value,
        Threshold::Note
    );
    let missing =
        load(&place.path("project"), Layer::default(), Some("none.toml".into()), &none).unwrap_err();
    assert!(missing.to_string().contains("none.toml"));
}

#[test]
fn every_mistake_is_shown_in_its_line() {
    let file = SourceFile::new(
        "longshore.toml",
        "format = 'jsn'\ncolour = 'auto'\nnetwork = 'yes'\ncheck = 1\n[actions]\nmirrors = { 'a/' = 1 }\nmirror = 1\n\
         [runners]\nlabels = 'gpu'\nimages = []\n",
    );
    let other = SourceFile::new(
        "other.toml",
        "[check]\nfail-on = 'warn'\nrule = 1\n[history]\nkeep-days = -1\nkeep-runs = 'all'\nkeep = 1\n[check.rules]\n'config/unknown-kye' = 'off'\n'error/time-out' = 'off'\n\
         'config/syntax' = 'of'\n[runners]\nlabels = ['gpu', 1]\n",
    );
    let broken = SourceFile::new("broken.toml", "[check]\nfail-on = warning\n");
    let mut shown = String::new();
    for file in [file, other, broken] {
        let (_, diagnostics) = file::read(&file, &Origin::Default);
        for diagnostic in &diagnostics {
            shown += &text::render_one(&file, diagnostic, Style::PLAIN);
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn variables_that_cannot_be_are_refused_or_named() {
    let here = Path::new("/");
    let bad = Environment::of(&[("LONGSHORE_FAIL_ON", "always")]);
    let error = load(here, Layer::default(), None, &bad).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"the environment variable `LONGSHORE_FAIL_ON` cannot be `always`: expected one of `note`, `warning`, `error`, `never`");
    let slips = Environment::of(&[("LONGSHORE_FROMAT", "json"), ("LONGSHORE_XYZ_PQR", "1"), ("OTHER", "1")]);
    insta::assert_snapshot!(slips.unknown().join("\n"), @r"
    the environment variable `LONGSHORE_FROMAT` is not known; did you mean `LONGSHORE_FORMAT`?
    the environment variable `LONGSHORE_XYZ_PQR` is not known and has no effect
    ");
}

#[test]
fn the_documentation_lists_every_variable() {
    let page = include_str!("../../../../docs/environment.md");
    for (name, meaning) in VARIABLES {
        let row = format!("| `{name}` | {meaning} |");
        assert!(page.contains(&row), "docs/environment.md lacks the row\n{row}");
    }
    assert_eq!(page.matches("\n| `").count(), VARIABLES.len(), "a row too many");
}

#[test]
fn the_documentation_lists_every_key() {
    let page = include_str!("../../../../docs/settings.md");
    let keys = [
        "format",
        "color",
        "network",
        "home",
        "check.fail-on",
        "check.rules.\"CODE\"",
        "actions.mirrors.\"PREFIX\"",
        "actions.overrides.\"ACTION\"",
        "runners.labels",
        "runners.images.\"LABEL\"",
        "registries.\"PREFIX\".mirrors",
        "registries.\"PREFIX\".location",
        "registries.\"PREFIX\".insecure",
        "registries.\"PREFIX\".ca",
        "registries.\"PREFIX\".blocked",
        "store.budget",
        "history.keep-days",
        "history.keep-runs",
        "vars.\"NAME\"",
    ];
    for key in keys {
        assert!(page.contains(&format!("\n| `{key}` | ")), "docs/settings.md lacks {key}");
    }
    assert_eq!(page.matches("\n| `").count(), keys.len(), "a row too many");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let (_, diagnostics) = file::read(&SourceFile::new("settings.md", example), &Origin::Default);
    assert_eq!(diagnostics, [], "the example is right");
}
