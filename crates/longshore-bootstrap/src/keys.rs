//! The keys that distributions sign their archives with; see `keys/README.md` for where they are from.

use crate::distribution::Distribution;
use crate::openpgp::{Keyring, KeyringError};

const DEBIAN: &[u8] = include_bytes!("../keys/debian-archive-keyring.pgp");
const UBUNTU: &[u8] = include_bytes!("../keys/ubuntu-archive-keyring.pgp");

/// The keyring of a distribution.
pub(crate) fn keyring(distribution: Distribution) -> Result<Keyring, KeyringError> {
    Keyring::read(match distribution {
        Distribution::Debian => DEBIAN,
        Distribution::Ubuntu => UBUNTU,
    })
}
