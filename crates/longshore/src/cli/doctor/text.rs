//! The report for people: groups of aligned lines, and a summary at the end.

use std::fmt::Write as _;

use longshore_report::{Role, Style, count, visible};

use super::check::{CheckDto, ReportDto, StatusDto};

/// The groups in the order in which they are shown, with their headings.
pub(super) const GROUPS: [(&str, &str); 9] = [
    ("longshore", "Longshore"),
    ("user", "User"),
    ("kernel", "Kernel"),
    ("limits", "Limits"),
    ("network", "Network"),
    ("storage", "Storage"),
    ("engine", "Containers"),
    ("registry", "Registries"),
    ("project", "Project"),
];

/// Room for the longest status and a gap.
const STATUS: usize = 9;

/// The whole report. Details of what works are left out unless `verbose`.
pub(super) fn render(report: &ReportDto, verbose: bool, style: Style) -> String {
    let width = report.checks.iter().map(|check| check.name().len()).max().unwrap_or(0) + 2;
    let mut text = String::new();
    for (group, heading) in GROUPS {
        let mut checks = report.checks.iter().filter(|check| check.group() == group).peekable();
        if checks.peek().is_some() {
            let _ = writeln!(text, "{}", style.paint(Role::Strong, heading));
            checks.for_each(|check| line(&mut text, check, (width, verbose), style));
        }
    }
    let _ = writeln!(text, "\n{}", summary(report, style));
    text
}

fn line(text: &mut String, check: &CheckDto, (width, verbose): (usize, bool), style: Style) {
    let word = check.status.word();
    let role = match check.status {
        StatusDto::Ok => Role::Faint,
        StatusDto::Note => Role::Note,
        StatusDto::Warning => Role::Warning,
        StatusDto::Problem => Role::Error,
    };
    let status = format!("{}{}", style.paint(role, word), " ".repeat(STATUS - word.len()));
    let _ = writeln!(text, "  {status}{:width$}{}", check.name(), visible(&check.finding));
    let indent = " ".repeat(2 + STATUS + width);
    if verbose || check.status != StatusDto::Ok {
        for detail in &check.detail {
            let _ = writeln!(text, "{indent}{}", style.paint(Role::Faint, &visible(detail)));
        }
    }
    if let Some(help) = &check.help {
        let _ = writeln!(text, "{indent}{} {}", style.paint(Role::Help, "help:"), visible(help));
    }
}

fn summary(report: &ReportDto, style: Style) -> String {
    let verdict = if report.containers_can_run {
        style.paint(Role::Note, "containers can run")
    } else {
        style.paint(Role::Error, "containers cannot run")
    };
    let counts: Vec<String> =
        [(StatusDto::Problem, "problem"), (StatusDto::Warning, "warning"), (StatusDto::Note, "note")]
            .into_iter()
            .filter(|(status, _)| report.count(*status) > 0)
            .map(|(status, noun)| count(report.count(status), noun))
            .collect();
    let counts = if counts.is_empty() { "nothing to remark".to_owned() } else { counts.join(", ") };
    format!("{verdict}: {}, {counts}", count(report.checks.len(), "check"))
}

#[cfg(test)]
mod tests {
    use longshore_report::Style;

    use super::render;
    use crate::cli::doctor::check::{CheckDto, ReportDto};
    use crate::cli::doctor::report;

    fn example() -> ReportDto {
        let checks = vec![
            CheckDto::ok("project.files", "1 workflow in `/src`"),
            CheckDto::ok("kernel.version", "Linux 6.12").detail(["Debian".to_owned()]),
            CheckDto::note("engine.leftovers", "cleaned up 1 container")
                .detail(["it was \u{1b}[31mred".to_owned()]),
            CheckDto::warning("limits.hierarchy", "no control groups").help("mount them"),
            CheckDto::problem("kernel.overlayfs", "none")
                .because(&std::io::Error::from(std::io::ErrorKind::PermissionDenied))
                .help("run as root"),
        ];
        ReportDto { longshore: "0.0.0".to_owned(), ..report(vec![checks.into()], true) }
    }

    #[test]
    fn groups_are_aligned_and_summed_up() {
        insta::assert_snapshot!(render(&example(), false, Style::PLAIN));
    }

    #[test]
    fn details_of_what_works_are_shown_if_wanted() {
        let shown = render(&example(), true, Style::PLAIN);
        assert!(shown.contains("Debian") && !render(&example(), false, Style::PLAIN).contains("Debian"));
    }

    #[test]
    fn colour_changes_no_word() {
        let coloured = render(&example(), true, Style { color: true, ..Style::PLAIN });
        let mut plain = String::new();
        for part in coloured.split('\u{1b}') {
            plain +=
                part.strip_prefix('[').and_then(|part| part.split_once('m')).map_or(part, |(_, rest)| rest);
        }
        assert_eq!(plain, render(&example(), true, Style::PLAIN));
    }

    #[test]
    fn only_problems_keep_containers_from_running() {
        assert!(!example().containers_can_run);
        let warned = report(vec![vec![CheckDto::warning("user.identity", "hm")].into()], false);
        assert!(warned.containers_can_run && warned.cleaned.is_none());
        assert!(render(&warned, false, Style::PLAIN).ends_with("\ncontainers can run: 1 check, 1 warning\n"));
    }
}
