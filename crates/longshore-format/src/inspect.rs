//! `--format` of `inspect`: documents as JSON, or a template for each.
//!
//! A template first sees the document as Docker's own types hold it. If that fails, it sees the JSON as maps, where a key
//! that is missing is an error; this way new fields and lower-case keys can be reached, and the error names the key.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::format::FormatError;
use crate::template::{MissingKey, Template};
use crate::value::Value;

/// How documents are printed.
#[derive(Debug, Clone)]
pub enum Inspection {
    /// An array with indented members: without `--format`.
    Indented,
    /// An array on one line: `json`.
    Compact,
    /// A line for each document.
    Template(Template),
}

impl Inspection {
    /// Reads the text of `--format`.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        match text {
            "" => Ok(Self::Indented),
            "json" => Ok(Self::Compact),
            _ => Ok(Self::Template(Template::parse(text)?)),
        }
    }

    /// Prints the documents.
    pub fn render(&self, documents: &[serde_json::Value]) -> Result<String, FormatError> {
        match self {
            Self::Indented => Ok(indented(documents)),
            Self::Compact => {
                let mut text = documents.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                text.insert(0, '[');
                text.push_str("]\n");
                Ok(text)
            }
            Self::Template(template) => {
                let mut out = String::new();
                for document in documents {
                    out.push_str(&render(template, document)?);
                    out.push('\n');
                }
                Ok(out)
            }
        }
    }
}

/// Renders a template with a document, as types or as maps.
fn render(template: &Template, document: &serde_json::Value) -> Result<String, FormatError> {
    match template.render(&Value::document(document), MissingKey::NoValue) {
        Ok(text) => Ok(text),
        Err(_) => Ok(template.render(&Value::raw(document), MissingKey::Error)?),
    }
}

/// An array, indented by four blanks as Docker does.
fn indented(documents: &[serde_json::Value]) -> String {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    // Writing values to memory does not fail.
    let _ = documents.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(format: &str) -> Result<String, String> {
        let document = json!({
            "Id": "0123456789abcdef",
            "State": {"Running": true, "ExitCode": 0},
            "Config": {"Labels": {"b": "2", "a": "1"}, "Cmd": ["sh", "-c"], "Env": null},
            "NetworkSettings": {
                "Networks": {"bridge": {"IPAddress": "172.17.0.2"}, "a": {"IPAddress": "10.0.0.1"}},
                "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null},
            },
            "lower": {"key": 1},
        });
        let inspection = Inspection::parse(format).map_err(|error| error.0.to_string())?;
        inspection.render(&[document]).map_err(|error| error.0.to_string())
    }

    #[test]
    fn documents_answer_what_scripts_ask() {
        let cases = [
            ("{{.State.Running}}", "true"),
            ("{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", "10.0.0.1 172.17.0.2 "),
            ("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"),
            ("{{index .Config.Labels \"missing\"}}", ""),
            ("{{.Config.Labels.missing}}", "<no value>"),
            ("{{json .Config.Labels}}{{json .Config.Env}}{{.Config.Env}}", r#"{"a":"1","b":"2"}null[]"#),
            ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"),
            ("{{slice .Id 0 12}} {{join .Config.Cmd \" \"}}", "0123456789ab sh -c"),
            ("{{range $p, $c := .NetworkSettings.Ports}}{{$p}}={{len $c}} {{end}}", "80/tcp=1 81/tcp=0 "),
            ("{{.lower.key}}\\t{{json .State}}", "1\\t{\"Running\":true,\"ExitCode\":0}"),
            ("{{.State}}{{.Config.Labels}}{{.Config.Cmd}}", "{true 0}map[a:1 b:2][sh -c]"),
        ];
        for (format, expected) in cases {
            assert_eq!(printed(format), Ok(format!("{expected}\n")), "{format}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("{{.Foo}}", "1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""),
            (
                "{{.State.Health.Status}}",
                "1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\"",
            ),
        ];
        for (format, expected) in cases {
            assert_eq!(printed(format), Err(format!("template: :{expected}")), "{format}");
        }
    }

    #[test]
    fn json_is_an_array() {
        assert_eq!(Inspection::Indented.render(&[]), Ok("[]\n".to_owned()));
        let documents = [json!({"B": [1], "A": {}})];
        assert_eq!(Inspection::Compact.render(&documents), Ok("[{\"B\":[1],\"A\":{}}]\n".to_owned()));
        let expected = "[\n    {\n        \"B\": [\n            1\n        ],\n        \"A\": {}\n    }\n]\n";
        assert_eq!(Inspection::Indented.render(&documents), Ok(expected.to_owned()));
    }
}
