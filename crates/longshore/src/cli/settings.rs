//! `longshore debug settings`: what is set, and where.

use std::fmt::Write as _;

use longshore_registry::RegistryRule;
use serde::Serialize;

use super::{Outcome, Session};
use crate::exit::Exit;
use crate::settings::{OutputFormat, Settings, Sourced, spelled};

/// Print every setting that is in force, with the place it was set in
///
/// Settings come from flags, `LONGSHORE_` variables, the project's `longshore.toml`, the user's `config.toml` and
/// built-in defaults, in this order.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore debug settings
  longshore debug settings --format json
  LONGSHORE_FAIL_ON=warning longshore debug settings")]
pub(super) struct SettingsArgs {
    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

/// One setting.
#[derive(Debug, Serialize)]
pub(super) struct SettingDto {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) origin: String,
}

pub(super) fn run(args: &SettingsArgs, session: &mut Session) -> Outcome {
    let rows = rows(&session.settings);
    let text = match args.format.unwrap_or(session.settings.format.value) {
        OutputFormat::Json => {
            // Strings only: there is nothing in them that could fail to serialise.
            serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n"
        }
        OutputFormat::Text => table(&rows),
    };
    session.output.data(&text)?;
    Ok(Exit::Success)
}

fn table(rows: &[SettingDto]) -> String {
    let width =
        |cell: fn(&SettingDto) -> &str| rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0);
    let (key, value) = (width(|row| &row.key), width(|row| &row.value));
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{:key$}  {:value$}  {}", row.key, row.value, row.origin);
    }
    text
}

/// Every setting.
pub(super) fn rows(settings: &Settings) -> Vec<SettingDto> {
    let network = |on: &bool| if *on { "on".to_owned() } else { "off".to_owned() };
    let mut rows = vec![
        row("format", &settings.format, spelled),
        row("color", &settings.color, spelled),
        row("network", &settings.network, network),
        row("home", &settings.home, |path| path.display().to_string()),
        row("check.fail-on", &settings.fail_on, spelled),
    ];
    rows.extend(
        settings.rules.iter().map(|(code, level)| row(&format!("check.rules.\"{code}\""), level, spelled)),
    );
    let tables = [
        ("actions.mirrors", &settings.mirrors),
        ("actions.overrides", &settings.overrides),
        ("runners.images", &settings.images),
        ("vars", &settings.vars),
    ];
    for (name, table) in tables {
        rows.extend(table.iter().map(|(key, value)| row(&format!("{name}.\"{key}\""), value, String::clone)));
    }
    rows.extend(settings.budget.iter().map(|budget| row("store.budget", budget, ToString::to_string)));
    rows.push(row("history.keep-days", &settings.keep_days, ToString::to_string));
    rows.push(row("history.keep-runs", &settings.keep_runs, ToString::to_string));
    for (prefix, rule) in &settings.registries {
        let name = format!("registries.\"{prefix}\"");
        rows.extend(registry(&rule.value).into_iter().map(|(key, value)| SettingDto {
            key: format!("{name}.{key}"),
            value,
            origin: rule.origin.to_string(),
        }));
    }
    rows.extend(settings.labels.iter().map(|label| row("runners.labels", label, String::clone)));
    rows
}

fn row<T>(key: &str, setting: &Sourced<T>, spelled: impl Fn(&T) -> String) -> SettingDto {
    SettingDto { key: key.to_owned(), value: spelled(&setting.value), origin: setting.origin.to_string() }
}

/// What a rule of a registry says, by key.
fn registry(rule: &RegistryRule) -> Vec<(&'static str, String)> {
    let mirrors = rule.mirrors.iter().map(|mirror| ("mirrors", mirror.location.clone()));
    let location = rule.location.iter().map(|location| ("location", location.clone()));
    let ca = rule.access.ca_file.iter().map(|path| ("ca", path.display().to_string()));
    let flags = [("insecure", rule.access.insecure), ("blocked", rule.blocked)];
    let set = flags.into_iter().filter(|(_, set)| *set).map(|(key, _)| (key, "true".to_owned()));
    mirrors.chain(location).chain(ca).chain(set).collect()
}
