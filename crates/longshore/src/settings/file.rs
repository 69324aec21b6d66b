//! A settings file: `longshore.toml` of a project, `config.toml` of a user. Both take the same keys.
//!
//! The file is read into a tree with positions, so that what is wrong is shown like what is wrong in a workflow: with
//! the line, a caret and a suggestion. Nothing is skipped: a key that is not known is an error.
//! Format: TOML 1.1, <https://toml.io/en/v1.1.0>.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use longshore_registry::{Mirror, RegistryRule};
use longshore_syntax::{Code, Diagnostic, SourceFile, Span, suggest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{word, words};
use super::{Layer, Origin, Sourced};
use crate::pages;
use crate::settings::layer::Table;

const SYNTAX: Code = Code("config/syntax");
const UNKNOWN_KEY: Code = Code("config/unknown-key");
const UNKNOWN_RULE: Code = Code("config/unknown-rule");
const WRONG_TYPE: Code = Code("config/wrong-type");
const BAD_VALUE: Code = Code("config/bad-value");

/// What a file sets, and what is wrong with it. Relative paths in it are relative to the directory it is in.
pub(super) fn read(file: &SourceFile, origin: &Origin) -> (Layer, Vec<Diagnostic>) {
    let directory = match origin {
        Origin::User(path) | Origin::Project(path) => path.parent().map(Path::to_owned).unwrap_or_default(),
        Origin::Default | Origin::Variable(_) | Origin::Flag(_) => PathBuf::new(),
    };
    let mut reader =
        Reader { origin: origin.clone(), directory, layer: Layer::default(), diagnostics: Vec::new() };
    match DeTable::parse(file.text()) {
        Ok(table) => reader.root(table.get_ref()),
        Err(error) => {
            let place = error.span().map_or(Span::at(0), |range| Span::new(range.start, range.end));
            reader.report(SYNTAX, place, format!("not valid TOML: {}", error.message().replace('\n', "; ")));
        }
    }
    reader.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    (reader.layer, reader.diagnostics)
}

struct Reader {
    origin: Origin,
    directory: PathBuf,
    layer: Layer,
    diagnostics: Vec<Diagnostic>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl Reader {
    fn root(&mut self, table: &DeTable<'_>) {
        const KEYS: &[&str] = &[
            "format",
            "color",
            "network",
            "home",
            "check",
            "actions",
            "runners",
            "registries",
            "store",
            "history",
            "vars",
        ];
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "format" => self.layer.format = self.word("format", value),
                "color" => self.layer.color = self.word("color", value),
                "network" => self.layer.network = self.boolean("network", value),
                "home" => {
                    let path = self.text("home", value).map(|text| self.directory.join(text));
                    self.layer.home = path.map(|path| Sourced::new(path, self.origin.clone()));
                }
                "check" => self.section("check", value, Self::check),
                "actions" => self.section("actions", value, Self::actions),
                "runners" => self.section("runners", value, Self::runners),
                "registries" => self.section("registries", value, Self::registries),
                "store" => self.section("store", value, Self::store),
                "history" => self.section("history", value, Self::history),
                "vars" => self.layer.vars = self.table("vars", value, |_, text| text),
                unknown => self.unknown("", unknown, span(key), KEYS),
            }
        }
    }

    fn check(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "fail-on" => self.layer.fail_on = self.word("check.fail-on", value),
                "rules" => self.section("check.rules", value, Self::rules),
                unknown => self.unknown("check.", unknown, span(key), &["fail-on", "rules"]),
            }
        }
    }

    fn rules(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let code = key.get_ref().as_ref();
            if pages::find(code).is_none_or(|page| page.severity.is_none()) {
                let message = format!("no rule has the code `{code}`");
                let diagnostic = Diagnostic::error(UNKNOWN_RULE, span(key), message);
                self.diagnostics.push(match pages::nearest(code).filter(|near| *near != code) {
                    Some(near) => diagnostic.label(format!("did you mean `{near}`?")),
                    None => diagnostic.help("`longshore explain` lists every code"),
                });
                continue;
            }
            if let Some(level) = self.word(&format!("check.rules.\"{code}\""), value) {
                self.layer.rules.insert(code.to_owned(), level);
            }
        }
    }

    fn actions(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "mirrors" => self.layer.mirrors = self.table("actions.mirrors", value, Self::location),
                "overrides" => self.layer.overrides = self.table("actions.overrides", value, Self::location),
                unknown => self.unknown("actions.", unknown, span(key), &["mirrors", "overrides"]),
            }
        }
    }

    fn runners(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "labels" => self.labels(value),
                "images" => self.layer.images = self.table("runners.images", value, |_, text| text),
                unknown => self.unknown("runners.", unknown, span(key), &["labels", "images"]),
            }
        }
    }

    fn registries(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let prefix = key.get_ref().to_string();
            let name = format!("registries.\"{prefix}\"");
            match value.get_ref().as_table() {
                Some(rule) => self.registry(prefix, &name, rule),
                None => self.wrong_type(&name, "a table", value),
            }
        }
    }

    fn registry(&mut self, prefix: String, name: &str, table: &DeTable<'_>) {
        let mut rule = RegistryRule { prefix: prefix.clone(), ..RegistryRule::default() };
        for (key, value) in table {
            let key_name = format!("{name}.{}", key.get_ref());
            match key.get_ref().as_ref() {
                "mirrors" => {
                    let locations = self.texts(&key_name, value);
                    let mirror = |location| Mirror { location, ..Mirror::default() };
                    rule.mirrors = locations.into_iter().map(mirror).collect();
                }
                "location" => rule.location = self.text(&key_name, value),
                "insecure" => {
                    rule.access.insecure = self.boolean(&key_name, value).is_some_and(|set| set.value);
                }
                "ca" => {
                    rule.access.ca_file = self.text(&key_name, value).map(|text| self.directory.join(text));
                }
                "blocked" => rule.blocked = self.boolean(&key_name, value).is_some_and(|set| set.value),
                unknown => {
                    const KEYS: &[&str] = &["mirrors", "location", "insecure", "ca", "blocked"];
                    self.unknown(&format!("{name}."), unknown, span(key), KEYS);
                }
            }
        }
        self.layer.registries.insert(prefix, Sourced::new(rule, self.origin.clone()));
    }

    fn store(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "budget" => {
                    let Some(text) = self.text("store.budget", value) else { continue };
                    match text.parse() {
                        Ok(size) => self.layer.budget = Some(Sourced::new(size, self.origin.clone())),
                        Err(_) => self.report(
                            BAD_VALUE,
                            span(value),
                            format!("`store.budget` cannot be `{text}`; write a size such as `20g`"),
                        ),
                    }
                }
                unknown => self.unknown("store.", unknown, span(key), &["budget"]),
            }
        }
    }

    fn history(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "keep-days" => self.layer.keep_days = self.count("history.keep-days", value),
                "keep-runs" => self.layer.keep_runs = self.count("history.keep-runs", value),
                unknown => self.unknown("history.", unknown, span(key), &["keep-days", "keep-runs"]),
            }
        }
    }

    fn count(&mut self, name: &str, value: &Value<'_>) -> Option<Sourced<u32>> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(name, "a whole number", value);
            return None;
        };
        let count = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        if count.is_none() {
            let message = format!("`{name}` cannot be `{integer}`; write a number from 0 to {}", u32::MAX);
            self.report(BAD_VALUE, span(value), message);
        }
        count.map(|count| Sourced::new(count, self.origin.clone()))
    }

    fn texts(&mut self, name: &str, value: &Value<'_>) -> Vec<String> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(name, "a list of strings", value);
            return Vec::new();
        };
        array.iter().filter_map(|item| self.text(name, item)).collect()
    }

    fn labels(&mut self, value: &Value<'_>) {
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong_type("runners.labels", "a list of strings", value);
        };
        for item in array {
            if let Some(label) = self.text("runners.labels", item) {
                self.layer.labels.push(Sourced::new(label, self.origin.clone()));
            }
        }
    }

    fn section(&mut self, name: &str, value: &Value<'_>, read: fn(&mut Self, &DeTable<'_>)) {
        match value.get_ref().as_table() {
            Some(table) => read(self, table),
            None => self.wrong_type(name, "a table", value),
        }
    }

    fn table(&mut self, name: &str, value: &Value<'_>, map: fn(&Self, String) -> String) -> Table<String> {
        let mut entries = Table::new();
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(name, "a table of strings", value);
            return entries;
        };
        for (key, value) in table {
            if let Some(text) = self.text(&format!("{name}.\"{}\"", key.get_ref()), value) {
                let text = map(self, text);
                entries.insert(key.get_ref().to_string(), Sourced::new(text, self.origin.clone()));
            }
        }
        entries
    }

    /// A URL as it is; a path from where the file is.
    fn location(&self, text: String) -> String {
        if text.contains("://") || text.starts_with("git@") {
            return text;
        }
        self.directory.join(text).to_string_lossy().into_owned()
    }

    fn word<T: ValueEnum>(&mut self, name: &str, value: &Value<'_>) -> Option<Sourced<T>> {
        let text = self.text(name, value)?;
        match word(&text) {
            Ok(word) => Some(Sourced::new(word, self.origin.clone())),
            Err(unknown) => {
                let message = format!("`{name}` cannot be `{text}`");
                let words = words::<T>();
                let near = suggest::nearest(&text, words.iter().map(String::as_str));
                let label =
                    near.map_or_else(|| unknown.to_string(), |near| format!("did you mean `{near}`?"));
                let diagnostic = Diagnostic::error(BAD_VALUE, span(value), message).label(label);
                self.diagnostics.push(diagnostic.help(unknown.to_string()));
                None
            }
        }
    }

    fn boolean(&mut self, name: &str, value: &Value<'_>) -> Option<Sourced<bool>> {
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(name, "`true` or `false`", value);
        }
        boolean.map(|boolean| Sourced::new(boolean, self.origin.clone()))
    }

    fn text(&mut self, name: &str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(name, "a string", value);
        }
        text.map(str::to_owned)
    }

    fn unknown(&mut self, section: &str, key: &str, place: Span, known: &[&str]) {
        let message = format!("unknown key `{section}{key}`");
        let diagnostic = Diagnostic::error(UNKNOWN_KEY, place, message);
        let known_keys: Vec<String> = known.iter().map(|key| format!("`{section}{key}`")).collect();
        let diagnostic = diagnostic.help(format!("known here: {}", known_keys.join(", ")));
        self.diagnostics.push(match suggest::nearest(key, known.iter().copied()) {
            Some(near) => diagnostic.label(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }

    fn wrong_type(&mut self, name: &str, expected: &str, value: &Value<'_>) {
        let found = value.get_ref().type_str();
        self.report(WRONG_TYPE, span(value), format!("`{name}` must be {expected}, found {found}"));
    }

    fn report(&mut self, code: Code, place: Span, message: String) {
        self.diagnostics.push(Diagnostic::error(code, place, message));
    }
}

fn span<T>(value: &Spanned<T>) -> Span {
    Span::new(value.span().start, value.span().end)
}
