//! Made-up names: a quality and a thing of the waterfront, which can be remembered for as long as a container lives.

const QUALITIES: [&str; 64] = [
    "able", "amber", "ample", "brave", "breezy", "bright", "brisk", "calm", "clear", "clever", "coastal",
    "cosy", "crisp", "daring", "deep", "eager", "early", "fair", "fleet", "fond", "fresh", "gentle", "glad",
    "golden", "grand", "hardy", "hasty", "honest", "jolly", "keen", "kind", "lively", "loyal", "lucky",
    "mellow", "merry", "mild", "misty", "neat", "nimble", "noble", "patient", "placid", "plucky", "polite",
    "proud", "quick", "quiet", "rapid", "salty", "sandy", "serene", "sharp", "silver", "snug", "sober",
    "steady", "stormy", "sturdy", "sunny", "swift", "tidal", "trusty", "windy",
];

const THINGS: [&str; 64] = [
    "anchor", "anvil", "barge", "beacon", "berth", "bollard", "bosun", "bowline", "brig", "buoy", "cable",
    "canal", "capstan", "cargo", "clipper", "compass", "coral", "crane", "crate", "current", "cutter",
    "davit", "deck", "dinghy", "dock", "dory", "ferry", "fjord", "galley", "gantry", "gull", "halyard",
    "harbor", "hawser", "helm", "hull", "island", "jetty", "keel", "ketch", "lagoon", "lantern", "lighter",
    "locker", "mast", "mooring", "oar", "pallet", "pier", "pilot", "porter", "quay", "reef", "rigging",
    "rudder", "schooner", "sextant", "sloop", "spar", "stern", "tide", "tiller", "tug", "wharf",
];

/// A name made of random bytes; after some attempts that were taken, with a number.
pub(crate) fn made_up(random: &[u8; 32], attempt: u32) -> String {
    let pick = |words: &[&'static str; 64], byte: u8| words[usize::from(byte) % 64];
    let name = format!("{}_{}", pick(&QUALITIES, random[0]), pick(&THINGS, random[1]));
    if attempt < 5 { name } else { format!("{name}{}", u32::from(random[2]) + attempt) }
}

#[cfg(test)]
mod tests {
    use super::{QUALITIES, THINGS, made_up};

    #[test]
    fn words_stand_once_and_make_names() {
        for words in [QUALITIES, THINGS] {
            assert!(words.is_sorted() && words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
        }
        assert_eq!(made_up(&[0; 32], 0), "able_anchor");
        assert_eq!(made_up(&[255; 32], 7), "windy_wharf262");
    }
}
