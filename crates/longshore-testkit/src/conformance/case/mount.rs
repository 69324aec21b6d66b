//! What is mounted.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use longshore_engine::{Bind, ContainerSpec, Mount, MountKind, Propagation, Tmpfs};

use crate::conformance::check::{Check, ensure, ensure_eq};
use crate::conformance::subject::scratch;
use crate::conformance::{Captured, Context, program};

fn bind(source: &Path, target: &str, create: bool, read_only: bool) -> Mount {
    let bind =
        Bind { source: source.to_owned(), create, propagation: Propagation::Rprivate, non_recursive: false };
    Mount { kind: MountKind::Bind(bind), target: target.to_owned(), read_only }
}

fn volume(name: &str, target: &str) -> Mount {
    let kind = MountKind::Volume { name: Some(name.to_owned()), no_copy: false, subpath: None };
    Mount { kind, target: target.to_owned(), read_only: false }
}

fn run(context: &Context, mounts: Vec<Mount>, script: &str) -> Check<Captured> {
    context.run(&ContainerSpec { mounts, ..context.spec(program::shell(script))? })
}

pub(super) fn directories_of_the_machine_can_be_changed(context: &Context) -> Check {
    let directory = scratch()?;
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777))?;
    std::fs::write(directory.path().join("theirs"), "of the machine")?;
    let mounts = vec![bind(directory.path(), "/m", false, false)];
    let ran = run(context, mounts, "cat /m/theirs; echo of the container > /m/ours")?;
    ensure_eq!((ran.exit.code, ran.text()), (0, "of the machine".to_owned()), "what was read");
    let ours = std::fs::read_to_string(directory.path().join("ours"))?;
    ensure_eq!(ours, "of the container\n", "what was written");
    let file = directory.path().join("theirs");
    let ran = run(context, vec![bind(&file, "/etc/motd", false, false)], "cat /etc/motd")?;
    ensure_eq!(ran.text(), "of the machine", "a single file");
    Ok(())
}

pub(super) fn a_read_only_directory_cannot_be_changed(context: &Context) -> Check {
    let directory = scratch()?;
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777))?;
    let mounts = vec![bind(directory.path(), "/m", false, true)];
    let ran = run(context, mounts, "touch /m/ours; mount -o remount,rw,bind /m 2>/dev/null; touch /m/ours")?;
    ensure!(ran.exit.code != 0, "a read-only directory was written to");
    ensure!(ran.error_text().contains("Read-only"), "the error is: {}", ran.error_text());
    ensure!(!directory.path().join("ours").exists(), "a file was made in a read-only directory");
    Ok(())
}

pub(super) fn a_missing_directory_is_an_error_or_made(context: &Context) -> Check {
    let directory = scratch()?;
    let missing = directory.path().join("missing/deep");
    let spec =
        ContainerSpec { mounts: vec![bind(&missing, "/m", false, false)], ..context.spec(program::exit(0))? };
    let failed = match context.engine().create_container(&context.shared()?, &spec) {
        Ok(id) => context.engine().start(&id).is_err(),
        Err(_) => true,
    };
    ensure!(failed, "a directory that does not exist was mounted");
    ensure!(!missing.exists(), "a directory was made that was not asked for");
    let ran = run(context, vec![bind(&missing, "/m", true, false)], "echo x > /m/file")?;
    ensure_eq!(ran.exit.code, 0, "the exit code with a directory that was made");
    ensure!(missing.join("file").exists(), "the directory was not made");
    Ok(())
}

pub(super) fn memory_is_mounted_with_its_size(context: &Context) -> Check {
    let tmpfs = Tmpfs { size: Some(1 << 20), mode: Some(0o700), options: vec!["noexec".to_owned()] };
    let mounts = vec![Mount { kind: MountKind::Tmpfs(tmpfs), target: "/m".to_owned(), read_only: false }];
    let script = "grep ' /m tmpfs ' /proc/mounts; stat -c %a /m; \
                  head -c 500k /dev/zero > /m/small && ! head -c 2m /dev/zero > /m/large";
    let ran = run(context, mounts, script)?;
    let text = ran.text();
    ensure_eq!(ran.exit.code, 0, "the exit code, after {text} {}", ran.error_text());
    ensure!(text.contains("noexec") && text.contains("size=1024k"), "the mount is {text}");
    ensure!(text.ends_with("\n700"), "the mode is of {text}");
    Ok(())
}

pub(super) fn a_volume_outlives_its_container(context: &Context) -> Check {
    // Nothing in the contract removes a volume, so all runs use the same.
    let name = "longshore-conformance-kept";
    let token = context.name("token");
    run(context, vec![volume(name, "/v")], &format!("echo {token} > /v/file"))?;
    let mut mount = volume(name, "/other/place");
    let ran = run(context, vec![mount.clone()], "cat /other/place/file")?;
    ensure_eq!(ran.text(), token, "what the second container reads");
    mount.read_only = true;
    let ran = run(context, vec![mount], "echo x > /other/place/file")?;
    ensure!(ran.exit.code != 0, "a read-only volume was written to");
    Ok(())
}

pub(super) fn a_new_volume_has_what_the_image_has(context: &Context) -> Check {
    let anonymous = |no_copy| Mount {
        kind: MountKind::Volume { name: None, no_copy, subpath: None },
        target: "/var/content".to_owned(),
        read_only: false,
    };
    let ran = run(context, vec![anonymous(false)], "cat /var/content/file")?;
    ensure_eq!(ran.text(), "of the image", "a file of the image in a new volume");
    let ran = run(context, vec![anonymous(true)], "ls -A /var/content")?;
    ensure_eq!((ran.exit.code, ran.text()), (0, String::new()), "a volume that is not to be filled");
    Ok(())
}

pub(super) fn volumes_are_taken_from_another_container(context: &Context) -> Check {
    let anonymous = Mount {
        kind: MountKind::Volume { name: None, no_copy: true, subpath: None },
        target: "/v".to_owned(),
        read_only: false,
    };
    let spec = ContainerSpec {
        name: Some(context.name("first")),
        mounts: vec![anonymous],
        ..context.spec(program::shell("echo shared > /v/file"))?
    };
    let first = context.start(&spec)?;
    context.engine().wait(&first)?;
    let spec = ContainerSpec {
        volumes_from: vec![context.name("first")],
        ..context.spec(program::read("/v/file"))?
    };
    ensure_eq!(context.run(&spec)?.text(), "shared", "what the second container reads");
    Ok(())
}
