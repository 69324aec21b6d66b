//! `longshore explain`: the page of a code or of an error text.

use std::fmt::Write as _;

use longshore_report::Role;
use serde::Serialize;
use thiserror::Error;

use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::Explained;
use crate::pages::{self, Page};
use crate::settings::OutputFormat;

/// Explain a code that Longshore printed, or an error text from anywhere
///
/// A code such as `config/unknown-key` has one page. Any other text is searched for phrases that Longshore knows the
/// causes of, such as `exec format error`; paste the whole line. Without an argument, all pages are listed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore explain
  longshore explain config/unknown-key
  longshore explain 'exec format error'
  longshore explain 'bash: line 1: ruff: command not found'")]
pub(super) struct ExplainArgs {
    /// A code, or an error text; several words are taken together
    #[arg(value_name = "CODE|TEXT")]
    subject: Vec<String>,

    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

/// There is no page for it.
#[derive(Debug, Error)]
enum ExplainError {
    #[error("no code is called `{code}`")]
    UnknownCode { code: String, near: Option<&'static str> },
    #[error("no page explains `{text}`")]
    UnknownText { text: String },
}

impl Explained for ExplainError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownCode { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownCode { near: None, .. } => "`longshore explain` lists every code".to_owned(),
            Self::UnknownText { .. } => {
                "paste the line that names the error, or list all pages with `longshore explain`".to_owned()
            }
        })
    }
}

pub(super) fn run(args: &ExplainArgs, session: &mut Session) -> Outcome {
    let format = args.format.unwrap_or(session.settings.format.value);
    let subject = args.subject.join(" ");
    let subject = subject.trim();
    let text = if subject.is_empty() {
        let pages: Vec<Page> = pages::codes().filter_map(pages::find).collect();
        match format {
            OutputFormat::Text => list(&pages, session),
            OutputFormat::Json => json(&pages),
        }
    } else {
        let found = find(subject)?;
        match format {
            OutputFormat::Text => show(&found),
            OutputFormat::Json => json(&found),
        }
    };
    session.output.data(&text)?;
    Ok(Exit::Success)
}

/// The pages on a subject, the best first; never none.
fn find(subject: &str) -> Result<Vec<Page>, ExplainError> {
    // Codes are printed in brackets; they may be pasted with them.
    let code = subject.trim_start_matches(['[', '`']).trim_end_matches([']', '`']);
    if let Some(page) = pages::find(code) {
        return Ok(vec![page]);
    }
    let found = pages::matching(subject);
    if !found.is_empty() {
        return Ok(found);
    }
    let near = pages::nearest(code);
    if near.is_some() || (code.contains('/') && !code.contains(' ')) {
        return Err(ExplainError::UnknownCode { code: code.to_owned(), near });
    }
    Err(ExplainError::UnknownText { text: subject.to_owned() })
}

fn show(found: &[Page]) -> String {
    let Some((page, others)) = found.split_first() else { return String::new() };
    let mut text = page.body.to_owned();
    if !others.is_empty() {
        let names: Vec<String> =
            others.iter().map(|page| format!("`longshore explain {}`", page.code)).collect();
        let _ = write!(text, "\nSee also: {}\n", names.join(", "));
    }
    text
}

fn list(pages: &[Page], session: &Session) -> String {
    let width = pages.iter().map(|page| page.code.len()).max().unwrap_or(0);
    let mut text = String::new();
    for page in pages {
        let code = session.output.style().paint(Role::Strong, page.code);
        let _ = writeln!(text, "{code}{}  {}", " ".repeat(width - page.code.len()), page.title);
    }
    text
}

/// One page.
#[derive(Debug, Serialize)]
struct PageDto<'a> {
    code: &'a str,
    title: &'a str,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    phrases: &'a [&'a str],
    markdown: &'a str,
}

fn json(pages: &[Page]) -> String {
    let pages: Vec<PageDto<'_>> = pages
        .iter()
        .map(|page| PageDto {
            code: page.code,
            title: page.title,
            summary: page.summary,
            severity: page.severity.map(longshore_syntax::Severity::as_str),
            phrases: &page.phrases,
            markdown: page.body,
        })
        .collect();
    // Strings only: there is nothing in them that could fail to serialise.
    serde_json::to_string_pretty(&pages).unwrap_or_default() + "\n"
}
