//! GitHub's default variables, and the contexts that say the same.

use longshore_expr::{Object, Value};

use crate::context::Scope;
use crate::environment::set;
use crate::job::{JobRun, Place, RemoteWorkflow, Specification};

/// Entries of the `github` context that steps get as `GITHUB_…`, as in the runner's `GitHubContext`.
const GITHUB: [&str; 32] = [
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "actor",
    "actor_id",
    "api_url",
    "base_ref",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "ref",
    "ref_name",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

/// Fills in the contexts `github`, `runner` and `job` with what only the job knows.
pub(crate) fn fill(
    run: &JobRun<'_>,
    place: &Place,
    specification: &Specification,
    services: &[(String, Value)],
    scope: &mut Scope,
) {
    let paths = &place.paths;
    let github = [
        ("workspace", paths.workspace.clone()),
        ("event_path", paths.event()),
        ("action", String::new()),
        ("action_repository", String::new()),
        ("action_ref", String::new()),
    ];
    for (key, value) in github {
        scope.set_entry("github", key, Value::from(value.as_str()));
    }
    let machine = &run.runner.machine;
    let runner = [
        ("os", "Linux"),
        ("arch", architecture()),
        ("name", machine.name.as_str()),
        ("environment", "self-hosted"),
        ("temp", paths.temp.as_str()),
        ("tool_cache", paths.tool_cache.as_str()),
        ("workspace", paths.runner_workspace.as_str()),
        ("debug", if run.task.facts.request.debug { "1" } else { "" }),
    ];
    let runner = runner.into_iter().filter(|(_, value)| !value.is_empty());
    scope.set("runner", crate::context::texts(runner));
    let mut job: Object = [("status", Value::from("success"))].into_iter().collect();
    for (key, value) in workflow_identity(run, scope) {
        job = job.with(key, Value::from(value.as_str()));
    }
    if !services.is_empty() {
        let services: Object = services.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        job = job.with("services", Value::Object(services));
    }
    if specification.container.is_some()
        && let Some(id) = place.container()
    {
        job = job.with(
            "container",
            crate::context::texts([("id", id.to_string().as_str()), ("network", place.network.as_str())]),
        );
    }
    scope.set("job", Value::Object(job));
}

/// `job.workflow_…`: the file that the job stands in, which is a called one for jobs of calls.
fn workflow_identity(run: &JobRun<'_>, scope: &Scope) -> [(&'static str, String); 4] {
    let github = |key: &str| scope.text("github", key).unwrap_or_default();
    let path = run.task.workflow.repository_path().into_owned();
    let (reference, sha, repository, file) = if let Some(remote) = run.remote_workflow() {
        let RemoteWorkflow { repository, path: file, version } = remote;
        let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        (path, if is_commit { version } else { String::new() }, repository, file)
    } else {
        let repository = github("repository");
        (format!("{repository}/{path}@{}", github("ref")), github("sha"), repository, path)
    };
    [
        ("workflow_ref", reference),
        ("workflow_sha", sha),
        ("workflow_repository", repository),
        ("workflow_file_path", file),
    ]
}

/// The variables that every step gets, whatever `env` says.
pub(crate) fn defaults(place: &Place, scope: &Scope, debug: bool) -> Vec<(String, String)> {
    let mut env = vec![
        ("CI".to_owned(), "true".to_owned()),
        ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
        ("LONGSHORE".to_owned(), "true".to_owned()),
        ("HOME".to_owned(), place.paths.home.clone()),
    ];
    for key in GITHUB {
        if let Some(value) = scope.text("github", key) {
            env.push((format!("GITHUB_{}", key.to_uppercase()), value));
        }
    }
    let runner = ["os", "arch", "name", "environment", "temp", "tool_cache", "workspace"];
    for key in runner {
        if let Some(value) = scope.text("runner", key) {
            set(&mut env, &format!("RUNNER_{}", key.to_uppercase()), value);
        }
    }
    if debug {
        env.push(("RUNNER_DEBUG".to_owned(), "1".to_owned()));
    }
    env
}

/// This machine's architecture in GitHub's words.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "X64",
        "aarch64" => "ARM64",
        "x86" => "X86",
        "arm" => "ARM",
        other => other,
    }
}
