//! Rules for descriptors and platforms.

use super::place::{Place, Problems};
use super::text::is_uri;
use crate::{Digest, MediaType, base64, descriptor as content};

/// A descriptor: media type, digest and size, and what is embedded must agree with them.
pub(super) fn descriptor(place: &Place<'_>, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    place.required("mediaType", problems).inspect(|field| media_type(field, problems));
    let digest = place.required("digest", problems).and_then(|field| digest(&field, problems));
    let size = place.required("size", problems).and_then(|field| size(&field, problems));
    if let Some(urls) = place.field("urls") {
        for url in urls.items(problems) {
            if url.string(problems).is_some_and(|text| !is_uri(text)) {
                problems.add(url.path(), "must be a URI as RFC 3986 has it");
            }
            if problems.is_full() {
                return;
            }
        }
    }
    optional(place, problems);
    data(place, digest.as_ref(), size, problems);
}

fn optional(place: &Place<'_>, problems: &mut Problems) {
    place.field("artifactType").inspect(|field| media_type(field, problems));
    place.field("annotations").inspect(|field| field.string_map(problems));
    place.field("platform").inspect(|field| platform(field, problems));
}

/// Embedded content is base 64 and has the digest and size of its descriptor.
fn data(place: &Place<'_>, digest: Option<&Digest>, size: Option<u64>, problems: &mut Problems) {
    let Some(data) = place.field("data") else { return };
    let Some(text) = data.string(problems) else { return };
    let Some(bytes) = base64::decode(text) else {
        return problems.add(data.path(), content::DescriptorError::NotBase64.to_string());
    };
    let (Some(digest), Some(size)) = (digest, size) else { return };
    match content::verify(digest, size, &bytes) {
        // What cannot be computed cannot be held against the document.
        Ok(()) | Err(content::DescriptorError::Unverifiable(_)) => {}
        Err(error) => problems.add(data.path(), error.to_string()),
    }
}

/// A media type as RFC 6838 has it.
pub(super) fn media_type(place: &Place<'_>, problems: &mut Problems) {
    if place.string(problems).is_some_and(|text| MediaType::parse(text).is_err()) {
        problems.add(place.path(), "must be a media type as RFC 6838 has it");
    }
}

/// A digest; one with an unknown algorithm will do.
pub(super) fn digest(place: &Place<'_>, problems: &mut Problems) -> Option<Digest> {
    match Digest::parse(place.string(problems)?) {
        Ok(digest) => Some(digest),
        Err(error) => {
            problems.add(place.path(), format!("must be a digest: {error}"));
            None
        }
    }
}

fn size(place: &Place<'_>, problems: &mut Problems) -> Option<u64> {
    let size = u64::try_from(place.integer(problems)?).ok();
    if size.is_none() {
        problems.add(place.path(), "must not be negative");
    }
    size
}

/// What an entry of an index runs on.
fn platform(place: &Place<'_>, problems: &mut Problems) {
    if !place.is_object(problems) {
        return;
    }
    for name in ["architecture", "os"] {
        place.required(name, problems).and_then(|field| field.string(problems));
    }
    for name in ["os.version", "variant"] {
        place.field(name).and_then(|field| field.string(problems));
    }
    place.field("os.features").inspect(|field| field.strings(problems));
}
