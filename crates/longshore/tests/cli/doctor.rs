//! `longshore doctor`, as root and as an ordinary user.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use longshore_engine::{ContainerId, ContainerSpec, ContainerState, ImageId};
use longshore_engine_native::{NativeEngine, NativeOptions, ProcessDto, RecordDto, StateDto};
use serde_json::Value;

use crate::context::TestContext;

/// Whom Debian calls nobody.
const NOBODY: u32 = 65534;
/// No process has such a number: it is beyond what kernels give.
const DEAD: ProcessDto = ProcessDto { pid: 2_000_000_000, started: 1 };

/// A home of Longshore, and who works there.
struct Place {
    context: TestContext,
    home: PathBuf,
    program: PathBuf,
    user: Option<u32>,
}

impl Place {
    /// Places for whoever runs the tests, and for an ordinary user if that is root.
    fn all() -> Vec<Self> {
        let mut places = vec![Self::of(None)];
        if rustix::process::geteuid().is_root() {
            places.push(Self::of(Some(NOBODY)));
        } else {
            eprintln!("skipped: only root can start it as another user");
        }
        places
    }

    fn of(user: Option<u32>) -> Self {
        let context = TestContext::new();
        let root = context.project().parent().unwrap().to_owned();
        let home = root.join("state");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        // Where the program was built may be closed to others.
        let (built, program) = (cargo_bin!("longshore"), root.join("longshore"));
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(|_| ())).unwrap();
        Self { context, home, program, user }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.context.project()).stdin(Stdio::null());
        command.env_clear().env("HOME", self.home.with_file_name("home")).env("LONGSHORE_HOME", &self.home);
        if let Some(user) = self.user {
            give(&self.home, user);
            command.uid(user).gid(user);
        }
        command
    }

    /// The report, and the exit code.
    fn examine(&self, arguments: &[&str]) -> (Value, i32) {
        let arguments = [&["doctor", "--format", "json"][..], arguments].concat();
        let ended = self.context.end(&mut self.command(&arguments));
        assert_eq!(ended.stderr, "");
        (serde_json::from_str(&ended.stdout).unwrap(), ended.code)
    }
}

/// Makes everything below a path a user's.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), user));
    }
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id} in {report:#}"))
}

#[test]
fn the_report_is_complete_and_agrees_with_the_exit_code() {
    for place in Place::all() {
        let (report, code) = place.examine(&[]);
        assert_eq!(report["schema"], "longshore.doctor/1");
        let rootless = place.user.is_some() || !rustix::process::geteuid().is_root();
        assert_eq!(report["user"]["rootless"], rootless);
        assert_eq!(report["containers_can_run"], code == 0, "{code}");
        assert!(code == 0 || report["counts"]["problem"].as_u64() > Some(0));
        let checks = report["checks"].as_array().unwrap();
        let counted: u64 = ["ok", "note", "warning", "problem"]
            .iter()
            .map(|status| report["counts"][status].as_u64().unwrap())
            .sum();
        assert_eq!(counted, checks.len() as u64);
        let ids: BTreeSet<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), checks.len(), "an id stands twice");
        for id in ["kernel.namespaces", "kernel.overlayfs", "limits.hierarchy", "network.containers"] {
            assert!(ids.contains(id), "{id}");
        }
        let page = include_str!("../../../../docs/doctor.md");
        for id in ids {
            assert!(page.contains(&format!("| `{id}` |")), "docs/doctor.md lacks {id}");
        }
        for check in checks {
            assert!(!check["finding"].as_str().unwrap().contains('\n'), "{check}");
        }
    }
}

#[test]
fn nothing_is_left_where_it_looked() {
    for place in Place::all() {
        place.examine(&[]);
        assert_eq!(fs::read_dir(&place.home).unwrap().count(), 0, "{:?}", place.user);
    }
}

/// An id of a container.
fn id(byte: u8) -> ContainerId {
    ContainerId::of([byte; 32])
}

/// What a monitor leaves that was killed, what a command leaves that was killed, and a name of nobody.
fn plant(home: &Path) {
    let engine = home.join("engine");
    NativeEngine::open(&NativeOptions { home: engine.clone(), program: PathBuf::new(), brief: false })
        .unwrap();
    let write = |path: &str, text: &str| {
        let path = engine.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let record = RecordDto {
        version: 1,
        id: id(1),
        created: 1,
        sandbox: None,
        spec: ContainerSpec::default(),
        image: ImageId("host".to_owned()),
        manifest: None,
        layers: Vec::new(),
        exposed: Vec::new(),
        shell: Vec::new(),
        anonymous_volumes: Vec::new(),
    };
    let state = StateDto {
        state: ContainerState::Running,
        process: Some(DEAD),
        monitor: Some(DEAD),
        ..StateDto::default()
    };
    let killed = id(1).as_str().to_owned();
    write(&format!("containers/{killed}/record.json"), &serde_json::to_string(&record).unwrap());
    write(&format!("containers/{killed}/state.json"), &serde_json::to_string(&state).unwrap());
    write(&format!("containers/{killed}/name"), "killed");
    write("names/killed", &killed);
    write(&format!("live/{killed}"), "");
    write(&format!("containers/.{}.{}.{}/record.json", id(2).as_str(), DEAD.pid, DEAD.started), "{");
    write("names/orphan", id(3).as_str());
}

#[test]
fn what_killed_processes_left_is_cleaned_up_and_told() {
    for place in Place::all() {
        plant(&place.home);
        let names = place.home.join("engine/names");
        let (left, _) = place.examine(&["--no-reap"]);
        assert!(left["cleaned"].is_null(), "{left:#}");
        assert!(names.join("orphan").exists(), "it was left");

        let (report, _) = place.examine(&[]);
        let cleaned = &report["cleaned"];
        for (kind, number) in [("containers", 1), ("unfinished", 1), ("names", 1)] {
            assert_eq!(cleaned[kind], number, "{kind}: {cleaned}");
        }
        let told = check(&report, "engine.leftovers");
        assert_eq!(told["status"], "note");
        let finding = told["finding"].as_str().unwrap();
        assert!(
            finding.contains("1 container whose monitor was killed, 1 unfinished container"),
            "{finding}"
        );
        assert_eq!(check(&report, "engine.containers")["finding"], "1 container, 0 of them running");
        assert!(names.join("killed").exists() && !names.join("orphan").exists());
        assert_eq!(fs::read_dir(place.home.join("engine/live")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(place.home.join("engine/containers")).unwrap().count(), 1);

        let (again, _) = place.examine(&[]);
        let mut cleaned = again["cleaned"].as_object().unwrap().clone();
        // Groups are the machine's: those of other homes whose processes were killed in the meantime are removed, too.
        let groups = cleaned.remove("control_groups").unwrap();
        assert!(cleaned.values().all(|number| number == 0), "{again:#}");
        if groups == 0 {
            assert_eq!(check(&again, "engine.leftovers")["finding"], "killed processes left nothing");
        }
    }
}

#[test]
fn a_home_that_cannot_be_is_a_problem() {
    let context = TestContext::new();
    let mut command = context.command(&["doctor"]);
    command.env("LONGSHORE_HOME", "/proc/longshore");
    let ended = context.end(&mut command);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    assert!(ended.stdout.contains("  problem  home "), "{}", ended.stdout);
    assert!(ended.stdout.contains("\ncontainers cannot run: "), "{}", ended.stdout);
}

#[test]
fn a_home_that_containers_cannot_reach_is_a_problem_of_root() {
    let place = Place::of(None);
    fs::set_permissions(&place.home, fs::Permissions::from_mode(0o700)).unwrap();
    let (report, _) = place.examine(&[]);
    let home = check(&report, "storage.home");
    let expected = if rustix::process::geteuid().is_root() { "problem" } else { "ok" };
    assert_eq!(home["status"], expected, "{home}");
}

#[test]
fn the_project_is_counted_and_logins_are_named() {
    let context = TestContext::new();
    context.write(".github/workflows/ci.yml", "on: push\njobs: {}\n").write("compose.yaml", "");
    context
        .write("api/Dockerfile", "")
        .write("web/Dockerfile.dev", "")
        .write("node_modules/x/Dockerfile", "");
    context.write_home(".docker/config.json", r#"{"auths": {"https://reg.test/v1/": {"auth": "c2VjcmV0"}}}"#);
    let mut command = context.command(&["doctor", "--verbose"]);
    command.env("LONGSHORE_HOME", context.project().with_file_name("state"));
    let ended = context.end(&mut command);
    assert!(ended.stdout.contains("1 workflow, 1 compose file, 2 Dockerfiles in `"), "{}", ended.stdout);
    assert!(ended.stdout.contains("logins            reg.test\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("c2VjcmV0"), "{}", ended.stdout);
}
