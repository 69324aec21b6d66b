//! Rules for image manifests and indexes.

use super::descriptor::{descriptor, media_type};
use super::place::{Place, Problems};
use crate::document::{INDEX, Kind, MANIFEST};
use crate::{MediaKind, MediaType};

/// An image manifest: a configuration and at least one layer.
pub(super) fn manifest(place: &Place<'_>, announced: &MediaType, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    head(place, announced, &MANIFEST, problems);
    if let Some(config) = place.required("config", problems) {
        descriptor(&config, problems);
        let config_type = config.field("mediaType").and_then(|field| field.value().as_str());
        let empty = config_type.and_then(|text| MediaType::parse(text).ok()).map(|it| it.kind())
            == Some(MediaKind::Empty);
        if empty && place.field("artifactType").is_none() {
            problems.add("", "`artifactType` is missing, though the configuration is empty");
        }
    }
    if let Some(layers) = place.required("layers", problems) {
        each_descriptor(&layers, problems);
        if layers.value().as_array().is_some_and(Vec::is_empty) {
            problems.add(layers.path(), "must have at least one entry");
        }
    }
}

/// An image index: any number of manifests.
pub(super) fn index(place: &Place<'_>, announced: &MediaType, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    head(place, announced, &INDEX, problems);
    place.required("manifests", problems).inspect(|manifests| each_descriptor(manifests, problems));
}

/// What both have.
fn head(place: &Place<'_>, announced: &MediaType, kind: &Kind, problems: &mut Problems) {
    if let Some(version) = place.required("schemaVersion", problems)
        && version.integer(problems).is_some_and(|version| version != 2)
    {
        problems.add(version.path(), "must be 2");
    }
    // The OCI made the field optional; Docker's documents have it.
    let stated =
        if announced.is_docker() { place.required("mediaType", problems) } else { place.field("mediaType") };
    if let Some(field) = stated {
        media_type(&field, problems);
        if kind.other_type(place.value(), Some(announced.as_str())).is_some() {
            problems.add(field.path(), format!("must be `{announced}`"));
        }
    }
    for field in kind.foreign_fields(place.value()) {
        problems.add(&format!("/{field}"), format!("does not belong into an {}", kind.document));
    }
    place.field("artifactType").inspect(|field| media_type(field, problems));
    place.field("subject").inspect(|field| descriptor(field, problems));
    place.field("annotations").inspect(|field| field.string_map(problems));
}

fn each_descriptor(list: &Place<'_>, problems: &mut Problems) {
    for entry in list.items(problems) {
        descriptor(&entry, problems);
        if problems.is_full() {
            return;
        }
    }
}
