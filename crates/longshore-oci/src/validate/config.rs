//! Rules for image configurations. Optional fields may be null, which is as good as absent.

use super::descriptor::digest;
use super::place::{Place, Problems};
use super::text::is_date_time;
use crate::{MediaType, RootFs};

/// An image configuration.
pub(super) fn config(place: &Place<'_>, _: &MediaType, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    for name in ["architecture", "os"] {
        place.required(name, problems).and_then(|field| field.string(problems));
    }
    texts(place, &["author", "variant", "os.version"], problems);
    lists(place, &["os.features"], problems);
    created(place, problems);
    place.required("rootfs", problems).inspect(|field| rootfs(field, problems));
    if let Some(config) = place.nullable("config") {
        execution(&config, problems);
    }
    if let Some(history) = place.nullable("history") {
        for entry in history.items(problems) {
            step(&entry, problems);
            if problems.is_full() {
                return;
            }
        }
    }
}

fn rootfs(place: &Place<'_>, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    if let Some(kind) = place.required("type", problems)
        && kind.string(problems).is_some_and(|text| text != RootFs::LAYERS)
    {
        problems.add(kind.path(), format!("must be `{}`", RootFs::LAYERS));
    }
    let Some(diff_ids) = place.required("diff_ids", problems) else { return };
    for diff_id in diff_ids.items(problems) {
        digest(&diff_id, problems);
        if problems.is_full() {
            return;
        }
    }
}

fn execution(place: &Place<'_>, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    texts(place, &["User", "WorkingDir", "StopSignal"], problems);
    lists(place, &["Entrypoint", "Cmd"], problems);
    for name in ["ExposedPorts", "Volumes"] {
        place.nullable(name).inspect(|field| field.object_map(problems));
    }
    place.nullable("Labels").inspect(|field| field.string_map(problems));
    place.nullable("ArgsEscaped").inspect(|field| field.boolean(problems));
    docker(place, problems);
    let Some(variables) = place.nullable("Env") else { return };
    for variable in variables.items(problems) {
        let named = |text: &str| text.find('=').is_some_and(|at| at > 0);
        if variable.string(problems).is_some_and(|text| !named(text)) {
            problems.add(variable.path(), "must be `NAME=value`");
        }
        if problems.is_full() {
            return;
        }
    }
}

/// What Docker's image specification adds. The OCI reserves some of the names and passes over the others; whoever reads
/// them takes them for Docker's, so they are held to Docker's types everywhere.
fn docker(place: &Place<'_>, problems: &mut Problems) {
    lists(place, &["OnBuild", "Shell"], problems);
    integers(place, &["Memory", "MemorySwap", "CpuShares", "StopTimeout"], problems);
    let Some(check) = place.nullable("Healthcheck").filter(|check| check.is_object(problems)) else { return };
    lists(&check, &["Test"], problems);
    integers(&check, &["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"], problems);
}

fn step(place: &Place<'_>, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    created(place, problems);
    texts(place, &["author", "created_by", "comment"], problems);
    place.nullable("empty_layer").inspect(|field| field.boolean(problems));
}

fn created(place: &Place<'_>, problems: &mut Problems) {
    let Some(field) = place.nullable("created") else { return };
    if field.string(problems).is_some_and(|text| !is_date_time(text)) {
        problems.add(field.path(), "must be a date and time as RFC 3339 has it");
    }
}

fn texts(place: &Place<'_>, names: &[&str], problems: &mut Problems) {
    for name in names {
        place.nullable(name).and_then(|field| field.string(problems));
    }
}

fn lists(place: &Place<'_>, names: &[&str], problems: &mut Problems) {
    for name in names {
        place.nullable(name).inspect(|field| field.strings(problems));
    }
}

fn integers(place: &Place<'_>, names: &[&str], problems: &mut Problems) {
    for name in names {
        place.nullable(name).and_then(|field| field.integer(problems));
    }
}
