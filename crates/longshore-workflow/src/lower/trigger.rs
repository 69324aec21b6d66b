//! `on:` to triggers.

use longshore_syntax::{Diagnostic, Spanned};

use super::{Lowering, text, texts};
use crate::cron::{Cron, CronError, is_known_timezone};
use crate::filter::Pattern;
use crate::model::{FilterKind, PatternFilter, Schedule, Trigger};
use crate::template::{Token, TokenKind, code};

impl Lowering<'_> {
    /// The triggers in file order.
    pub(super) fn triggers(&mut self, token: &Token) -> Vec<Trigger> {
        match &token.kind {
            TokenKind::Mapping(entries) => {
                entries.iter().filter_map(|(key, value)| Some(self.trigger(text(key)?, value))).collect()
            }
            _ => texts(token).into_iter().map(Trigger::new).collect(),
        }
    }

    fn trigger(&mut self, event: Spanned<String>, value: &Token) -> Trigger {
        let mut trigger = Trigger::new(event);
        match trigger.event.value.as_str() {
            "schedule" => {
                trigger.schedules = value.items().iter().filter_map(|item| self.schedule(item)).collect();
            }
            "workflow_call" => {
                self.workflow_call(&mut trigger, value);
                self.check_secret_names(&trigger);
            }
            "workflow_dispatch" => {
                if let Some(inputs) = value.entry("inputs") {
                    trigger.inputs = self.inputs(inputs, false);
                    self.check_input_count(&trigger);
                }
            }
            _ => self.filters(&mut trigger, value),
        }
        trigger
    }

    fn filters(&mut self, trigger: &mut Trigger, value: &Token) {
        for (key, value) in value.entries() {
            let name = key.as_str().unwrap_or_default();
            if let Some(kind) = FilterKind::from_key(name) {
                let filter = PatternFilter { kind, span: key.span(), patterns: texts(value) };
                self.check_filter(trigger, &filter);
                trigger.filters.push(filter);
            }
            match name {
                "types" => trigger.types = Some(texts(value)),
                "workflows" => trigger.workflows = texts(value),
                "names" => trigger.names = texts(value),
                "versions" => trigger.versions = texts(value),
                _ => {}
            }
        }
    }

    fn check_filter(&mut self, trigger: &Trigger, filter: &PatternFilter) {
        if let Some(other) = trigger.filter(filter.kind.counterpart()) {
            let (event, this, that) = (&trigger.event.value, filter.kind.as_str(), other.kind.as_str());
            let message = format!("`{event}` cannot have both `{that}` and `{this}`");
            let help = format!(
                "use `{}` alone, with `!` in front of what to leave out",
                this.trim_end_matches("-ignore")
            );
            let diagnostic = Diagnostic::error(code::FILTER_CONFLICT, filter.span, message)
                .related(other.span, "the other one")
                .help(help);
            self.refusals.push_unpublished(diagnostic);
        }
        for pattern in &filter.patterns {
            if let Err(error) = Pattern::parse(&pattern.value) {
                let message = format!("`{}` is not a filter pattern: {}", pattern.value, error.problem);
                let width = pattern.value[error.offset..].chars().next().map_or(0, char::len_utf8);
                let span = self.part(pattern, error.offset..error.offset + width);
                self.refusals.push_unpublished(Diagnostic::error(code::INVALID_PATTERN, span, message));
            }
        }
    }

    fn schedule(&mut self, token: &Token) -> Option<Schedule> {
        let cron = text(token.entry("cron")?)?;
        if let Err(error) = Cron::parse(&cron.value) {
            let github =
                "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)";
            let message = format!("`{}` is not a cron schedule: {error}", cron.value);
            let span = match &error {
                CronError::Field { offset, .. } => {
                    let rest = cron.value.get(*offset..).unwrap_or_default();
                    self.part(&cron, *offset..*offset + rest.find(' ').unwrap_or(rest.len()))
                }
                CronError::FieldCount { .. } => cron.span,
            };
            let diagnostic = Diagnostic::error(code::INVALID_CRON, span, message)
                .help("five fields: minute (0-59), hour (0-23), day (1-31), month (1-12), weekday (0-6)");
            self.refusals.push_within(cron.span, github, diagnostic);
        }
        let timezone = token.entry("timezone").and_then(text);
        if let Some(zone) = timezone.as_ref().filter(|zone| !is_known_timezone(&zone.value)) {
            let message = format!("there is no time zone `{}`", zone.value);
            let diagnostic = Diagnostic::error(code::UNKNOWN_TIMEZONE, zone.span, message)
                .help("use a name of the IANA time zone database, such as `Europe/Berlin`");
            self.refusals.push_unpublished(diagnostic);
        }
        Some(Schedule { cron, timezone })
    }
}
