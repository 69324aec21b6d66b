//! Chain ids.

use longshore_oci::{ChainId, Digest, chain_ids};

#[test]
fn stacks_are_named_by_all_layers() {
    let layers: Vec<Digest> = ["a", "b", "c"].iter().map(|text| Digest::of(text.as_bytes())).collect();
    // Computed with sha256sum from the formula of the specification.
    let expected = [
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676",
        "sha256:2fce7f8ce91bcf0a1428b36e1024639fdbd9469eea762dba98aa749631885106",
    ];
    let chain: Vec<String> = chain_ids(&layers).iter().map(ChainId::to_string).collect();
    assert_eq!(chain, expected);
    assert_eq!(ChainId::of(&layers).map(|id| id.to_string()).as_deref(), chain.last().map(String::as_str));
    assert_eq!(ChainId::of(&[]), None);
    assert!(chain_ids(&[]).is_empty());
}
