//! Files that go in and come out.

use std::path::Path;

use longshore_engine::{ContainerId, ContainerState};

use crate::conformance::archive::{Entry, Kind, pack, unpack};
use crate::conformance::check::{Check, ensure, ensure_eq, ensure_fault};
use crate::conformance::subject::scratch;
use crate::conformance::{Context, program};

/// Puts an empty file into a container.
pub(super) fn put(context: &Context, id: &ContainerId, directory: &str, name: &str) -> Check {
    copy_in(context, id, directory, &[Entry::file(name, b"", 0o644)])
}

fn copy_in(context: &Context, id: &ContainerId, directory: &str, entries: &[Entry]) -> Check {
    let archive = pack(entries)?;
    Ok(context.engine().copy_in(id, Path::new(directory), &mut &archive[..])?)
}

fn copy_out(context: &Context, id: &ContainerId, path: &str) -> Check<Vec<Entry>> {
    let mut archive = Vec::new();
    context.engine().copy_out(id, Path::new(path), &mut archive)?;
    unpack(&archive)
}

fn there_and_back(context: &Context, id: &ContainerId) -> Check {
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 253) as u8).collect();
    let file = Entry::file("file", &bytes, 0o640);
    copy_in(context, id, "/tmp", std::slice::from_ref(&file))?;
    ensure!(copy_out(context, id, "/tmp/file")? == [file], "a file came back changed");
    copy_in(context, id, "/tmp", &[Entry::file("file", b"new", 0o600)])?;
    let replaced = copy_out(context, id, "/tmp/file")?;
    ensure_eq!(replaced, [Entry::file("file", b"new", 0o600)], "a file that was replaced");
    Ok(())
}

pub(super) fn files_go_in_and_come_out(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    there_and_back(context, &id)?;
    let ran = context.exec(&id, program::read("/tmp/file"))?;
    ensure_eq!(ran.text(), "new", "what a program reads of the file");
    Ok(())
}

pub(super) fn files_go_into_a_container_that_never_ran(context: &Context) -> Check {
    let id = context.create(&context.spec(program::read("/tmp/file"))?)?;
    there_and_back(context, &id)?;
    ensure_eq!(context.state(&id)?, ContainerState::Created, "the state after copying");
    context.engine().start(&id)?;
    let exit = context.engine().wait(&id)?;
    ensure_eq!(context.output(&id, exit)?.text(), "new", "what a program reads of the file");
    Ok(())
}

pub(super) fn files_come_out_of_a_container_that_ended(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    copy_in(context, &id, "/tmp", &[Entry::file("kept", b"content", 0o644)])?;
    context.engine().stop(&id, None)?;
    let found = copy_out(context, &id, "/tmp/kept")?;
    ensure_eq!(found, [Entry::file("kept", b"content", 0o644)], "a file of a container that ended");
    there_and_back(context, &id)
}

pub(super) fn directories_and_modes_are_kept(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    let below = [
        Entry::directory("tree", 0o750),
        Entry::file("tree/one", b"1", 0o755),
        Entry::directory("tree/sub", 0o1777),
        Entry::file("tree/sub/two", b"2", 0o400),
        Entry::file("tree/three", b"", 0o644),
    ];
    copy_in(context, &id, "/tmp", &below)?;
    let mut found = copy_out(context, &id, "/tmp/tree")?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    let mut wanted = below.to_vec();
    wanted.sort_by(|one, other| one.path.cmp(&other.path));
    ensure_eq!(found, wanted, "a tree");
    ensure_eq!(context.exec(&id, program::read("/tmp/tree/sub/two"))?.text(), "2", "a file of the tree");
    Ok(())
}

pub(super) fn owners_are_those_of_the_archive(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    copy_in(context, &id, "/tmp", &[Entry::file("theirs", b"", 0o644).owned(1000)])?;
    let ran = context.exec(&id, program::shell("stat -c %u:%g /tmp/theirs"))?;
    ensure_eq!(ran.text(), "1000:1000", "the owner inside");
    let owner = copy_out(context, &id, "/tmp/theirs")?.first().map(|entry| entry.owner);
    ensure_eq!(owner, Some(1000), "the owner in the archive");
    Ok(())
}

pub(super) fn a_program_sees_what_was_copied(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::gate("/tmp/go", 5))?)?;
    ensure_eq!(context.exec(&id, program::exists("/tmp/go"))?.exit.code, 1, "a file before it was copied");
    put(context, &id, "/tmp", "go")?;
    ensure_eq!(context.engine().wait(&id)?.code, 5, "the exit code of a program that waits for a file");
    Ok(())
}

pub(super) fn links_are_packed_as_links(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    context
        .exec(&id, program::shell("mkdir /tmp/t; ln -s /etc/passwd /tmp/t/link; ln -s none /tmp/t/broken"))?;
    let link = copy_out(context, &id, "/tmp/t/link")?;
    ensure_eq!(link.first().map(|entry| &entry.kind), Some(&Kind::Link("/etc/passwd".to_owned())), "a link");
    let mut kinds: Vec<(String, Kind)> =
        copy_out(context, &id, "/tmp/t")?.into_iter().map(|entry| (entry.path, entry.kind)).collect();
    kinds.sort_by(|one, other| one.0.cmp(&other.0));
    let wanted = [
        ("t".to_owned(), Kind::Directory),
        ("t/broken".to_owned(), Kind::Link("none".to_owned())),
        ("t/link".to_owned(), Kind::Link("/etc/passwd".to_owned())),
    ];
    ensure_eq!(kinds, wanted, "a directory with links");
    Ok(())
}

pub(super) fn links_do_not_lead_out_of_the_container(context: &Context) -> Check {
    let outside = scratch()?;
    let outside = outside.path().to_string_lossy().into_owned();
    std::fs::write(format!("{outside}/secret"), "of the machine")?;
    let id = context.start_ready(&context.spec(program::serve())?)?;
    let script = format!(
        "mkdir -p {outside}; echo inside > {outside}/secret; ln -s {outside} /tmp/absolute; \
         ln -s ../../../../..{outside} /tmp/relative"
    );
    context.exec(&id, program::shell(&script))?;
    for link in ["/tmp/absolute", "/tmp/relative"] {
        let found = copy_out(context, &id, &format!("{link}/secret"))?;
        let kind = found.first().map(|entry| &entry.kind);
        ensure_eq!(kind, Some(&Kind::File(b"inside\n".to_vec())), "a file behind `{link}`");
        put(context, &id, link, "planted")?;
        ensure_eq!(
            context.exec(&id, program::exists(&format!("{outside}/planted")))?.exit.code,
            0,
            "a file that was copied behind `{link}`"
        );
    }
    // An archive that brings its own link and writes through it.
    let entries = [Entry::link("evil", &outside), Entry::file("evil/planted", b"x", 0o644)];
    let archive = pack(&entries)?;
    // Refused or kept inside: both are safe.
    let _ = context.engine().copy_in(&id, Path::new("/tmp"), &mut &archive[..]);
    ensure!(!Path::new(&outside).join("planted").exists(), "a file was written on the machine");
    Ok(())
}

pub(super) fn what_is_missing_is_not_found(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    let mut archive = Vec::new();
    let result = context.engine().copy_out(&id, Path::new("/no/such"), &mut archive);
    ensure_fault!(result, NotFound, "copying what is not there");
    let packed = pack(&[Entry::file("file", b"", 0o644)])?;
    let result = context.engine().copy_in(&id, Path::new("/no/such"), &mut &packed[..]);
    ensure_fault!(result, NotFound, "copying into a directory that is not there");
    Ok(())
}
