//! Bech32 (BIP 173), in which keys are written, without its limit of length.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM: usize = 6;

/// Bytes as text behind a prefix, in lower case.
pub(super) fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut values = regrouped(bytes.iter().copied(), 8, 5, true).unwrap_or_default();
    let mut sum = expanded(prefix);
    sum.extend(&values);
    sum.extend([0; CHECKSUM]);
    let sum = checksum(&sum) ^ 1;
    values.extend((0..CHECKSUM).map(|at| u8::try_from(sum >> (5 * (5 - at)) & 31).unwrap_or_default()));
    let letters = values.iter().filter_map(|value| ALPHABET.get(usize::from(*value)));
    let mut text = format!("{prefix}1");
    text.extend(letters.map(|letter| char::from(*letter)));
    text
}

/// The bytes behind a prefix. A text is in one case throughout.
pub(super) fn decode(prefix: &str, text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii()
        || text.bytes().any(|b| b.is_ascii_lowercase()) && text.bytes().any(|b| b.is_ascii_uppercase())
    {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let (found, data) = text.rsplit_once('1')?;
    if found != prefix || data.len() < CHECKSUM {
        return None;
    }
    let value =
        |byte: u8| ALPHABET.iter().position(|known| *known == byte).and_then(|at| u8::try_from(at).ok());
    let values: Vec<u8> = data.bytes().map(value).collect::<Option<_>>()?;
    let mut all = expanded(prefix);
    all.extend(&values);
    if checksum(&all) != 1 {
        return None;
    }
    let payload = values.get(..values.len() - CHECKSUM)?;
    regrouped(payload.iter().copied(), 5, 8, false)
}

fn expanded(prefix: &str) -> Vec<u8> {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    high.chain([0]).chain(low).collect()
}

fn checksum(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let mut sum: u32 = 1;
    for value in values {
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(*value);
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    }
    sum
}

/// Bits in groups of another size; what is left over is padded, or must be zero padding.
fn regrouped(values: impl Iterator<Item = u8>, from: u32, to: u32, pad: bool) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for value in values {
        bits = bits << from | u32::from(value);
        count += from;
        while count >= to {
            count -= to;
            out.push(u8::try_from(bits >> count & ((1 << to) - 1)).ok()?);
        }
        bits &= (1 << count) - 1;
    }
    if pad && count > 0 {
        out.push(u8::try_from(bits << (to - count)).ok()?);
    } else if !pad && (count >= from || bits != 0) {
        return None;
    }
    Some(out)
}
