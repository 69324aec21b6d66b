//! `reference.*` and `oci.*`: the names and documents of container images.

use longshore_oci::{ChainId, Digest, Reference, chain_ids, validate};
use serde_json::{Value, json};

use super::operation::{Operation, OperationError, Parameters};

/// What can be asked about images.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "reference.parse",
        summary: "splits and normalises an image reference",
        run: reference,
    },
    Operation {
        name: "oci.validate",
        summary: "holds a document against the image specification",
        run: check,
    },
    Operation { name: "oci.chain_ids", summary: "computes the chain ids of a stack of layers", run: chain },
];

fn reference(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let reference = Reference::parse(parameters.text("text")?)
        .map_err(|error| OperationError::new("invalid-reference", error.to_string()))?;
    Ok(json!({
        "domain": reference.domain(),
        "path": reference.path(),
        "tag": reference.tag(),
        "digest": reference.digest().map(Digest::as_str),
        "name": reference.name(),
        "familiar_name": reference.familiar_name(),
        "canonical": reference.to_string(),
        "familiar": reference.familiar(),
    }))
}

fn check(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let problems = validate(parameters.text("media_type")?, parameters.text("text")?)
        .map_err(|error| OperationError::new("unsupported-media-type", error.to_string()))?;
    let list: Vec<Value> =
        problems.iter().map(|problem| json!({ "path": problem.path, "message": problem.message })).collect();
    Ok(json!({ "valid": list.is_empty(), "problems": list }))
}

fn chain(parameters: &Parameters<'_>) -> Result<Value, OperationError> {
    let diff_ids: Vec<Digest> =
        parameters.texts("diff_ids")?.into_iter().map(digest).collect::<Result<_, _>>()?;
    Ok(chain_ids(&diff_ids).iter().map(ChainId::to_string).collect())
}

fn digest(text: &str) -> Result<Digest, OperationError> {
    Digest::parse(text)
        .map_err(|error| OperationError::new("invalid-digest", format!("cannot read `{text}`: {error}")))
}
