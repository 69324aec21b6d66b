//! `--format` of listings: a table, lines of JSON, or a template for each row.

use std::sync::Arc;

use thiserror::Error;

use crate::shape::Shape;
use crate::table::align;
use crate::template::{MissingKey, Template, TemplateError};
use crate::value::{Lookup, Map, Value};

/// What a listing shows by default, and what its columns are called.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// The fields of a row with the titles of their columns.
    pub titles: &'static [(&'static str, &'static str)],
    /// The cells of the default table, such as `{{.ID}}\t{{.Names}}`.
    pub table: &'static str,
    /// What `raw` prints for each row.
    pub raw: &'static str,
}

/// The text of `--format` is no template, or the template does not fit the rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("template parsing error")]
pub struct FormatError(#[from] pub TemplateError);

/// How rows are printed.
#[derive(Debug, Clone)]
pub struct Format {
    template: Template,
    titles: Option<Value>,
}

impl Format {
    /// Reads the text of `--format`: nothing or `table` is the default table, `table TEMPLATE` one with other columns,
    /// `json` an object for each line, `raw` the listing's own lines, and everything else a template for each row, in
    /// which `\t` and `\n` may be written so.
    pub fn parse(text: &str, listing: &Listing) -> Result<Self, FormatError> {
        let (body, table) = match text {
            "" | "table" => (listing.table, true),
            "raw" => (listing.raw, false),
            "json" => ("{{json .}}", false),
            _ => match text.strip_prefix("table") {
                Some(columns) => (columns, true),
                None => (text, false),
            },
        };
        let template = Template::parse(&body.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n"))?;
        Ok(Self { template, titles: table.then(|| titles(listing)) })
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        self.titles.is_some()
    }

    /// Prints the rows, each with a line feed.
    pub fn render(&self, rows: &[Value]) -> Result<String, FormatError> {
        let mut body = String::new();
        for row in rows {
            body.push_str(&self.template.render(row, MissingKey::NoValue)?);
            body.push('\n');
        }
        let Some(titles) = &self.titles else { return Ok(body) };
        let header = self.template.render_titles(titles)?;
        Ok(align(&format!("{header}\n{body}")))
    }
}

/// The row of titles: a map, so that a field without a title is no error, with the method that rows of things with labels
/// have.
fn titles(listing: &Listing) -> Value {
    let titles = listing.titles.iter().map(|(field, title)| ((*field).into(), Value::text(*title)));
    let label = ("Label".into(), Value::Lookup(Arc::new(Lookup::Title)));
    let entries = titles.chain([label]).collect();
    Value::Map(Arc::new(Map { element: Shape::Text, entries, nil: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing = Listing {
        titles: &[("ID", "CONTAINER ID"), ("Names", "NAMES"), ("Command", "COMMAND")],
        table: "{{.ID}}\t{{.Names}}",
        raw: "id: {{.ID}}\nnames: {{.Names}}\n",
    };

    fn rows() -> Vec<Value> {
        let row = |id: &str, name: &str| {
            let fields = [
                ("Names", Value::text(name)),
                ("ID", Value::text(id)),
                ("Command", Value::text("\"a <b>\"")),
                ("Label", Value::lookup([("com.example.my-tier", "web")])),
            ];
            Value::row("*formatter.ContainerContext", fields)
        };
        vec![row("0123456789ab", "web"), row("ba9876543210", "worker")]
    }

    fn printed(format: &str) -> Result<String, String> {
        let format = Format::parse(format, &LISTING).map_err(|error| error.0.to_string())?;
        format.render(&rows()).map_err(|error| error.0.to_string())
    }

    #[test]
    fn listings_print_in_each_format() {
        let table = "CONTAINER ID   NAMES\n0123456789ab   web\nba9876543210   worker\n";
        let json = r#"{"Command":"\"a \u003cb\u003e\"","ID":"0123456789ab","Names":"web"}"#;
        let cases = [
            ("", table.to_owned()),
            ("table", table.to_owned()),
            ("table {{.ID}}\\t{{.Names}}", table.to_owned()),
            ("table {{upper .Names}}", "NAMES\nWEB\nWORKER\n".to_owned()),
            ("table {{.Label \"com.example.my-tier\"}}", "my tier\nweb\nweb\n".to_owned()),
            ("{{.Names}}\\t{{.ID}}", "web\t0123456789ab\nworker\tba9876543210\n".to_owned()),
            ("{{.Label \"x\"}}{{\"my\" | .Label}}.", ".\n.\n".to_owned()),
            ("raw", "id: 0123456789ab\nnames: web\n\nid: ba9876543210\nnames: worker\n\n".to_owned()),
        ];
        for (format, expected) in cases {
            assert_eq!(printed(format), Ok(expected), "{format}");
        }
        assert_eq!(
            printed("json").map(|text| text.lines().next().map(str::to_owned)),
            Ok(Some(json.to_owned()))
        );
    }

    #[test]
    fn a_field_that_no_row_has_is_an_error() {
        let expected = "template: :1:2: executing \"\" at <.Foo>: \
                        can't evaluate field Foo in type *formatter.ContainerContext";
        assert_eq!(printed("{{.Foo}}"), Err(expected.to_owned()));
        let empty = Format::parse("table {{.Foo}}", &LISTING).unwrap().render(&[]);
        assert_eq!(empty.unwrap(), "<no value>\n");
    }
}
