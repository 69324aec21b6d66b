//! What a caller decides about unpacking, and what comes of it.

use std::path::PathBuf;

use longshore_oci::Digest;

/// How a layer is unpacked.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// What becomes of whiteouts.
    pub whiteouts: Whiteouts,
    /// Who owns what is made.
    pub ownership: Ownership,
    /// Whether devices are made.
    pub devices: Devices,
    /// What the layer may cost.
    pub limits: Limits,
    /// How many threads write files, besides the ones that decompress, hash and read. One at least.
    pub threads: usize,
    /// The digest that the decompressed layer must have.
    pub expected_diff_id: Option<Digest>,
}

/// What becomes of whiteouts: the entries that say what of lower layers is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whiteouts {
    /// The target becomes a lower directory of overlayfs: character devices 0:0, and `trusted.overlay.opaque`.
    Overlay,
    /// The same for overlayfs with the option `userxattr`: `user.overlay.opaque`. Since Linux 5.8 anybody may make the
    /// device 0:0; where that is refused nevertheless, the whiteout is made as for [`Whiteouts::OverlayFiles`].
    OverlayUser,
    /// The same without any device, for file systems that cannot hold one: whiteouts are empty files with
    /// `user.overlay.whiteout` in directories with `user.overlay.opaque=x`. Overlayfs knows these since Linux 6.7.
    OverlayFiles,
    /// The target is the whole tree below this layer, and what is whited out is removed from it.
    Delete,
    /// The archive is no layer: the target is any tree, and every name means itself.
    Literal,
}

impl Whiteouts {
    /// Whether the target is a whole tree, and not one layer of a stack.
    pub(super) const fn is_tree(self) -> bool {
        matches!(self, Self::Delete | Self::Literal)
    }
}

/// Who owns what is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The owner and group of each entry.
    Keep,
    /// Whoever unpacks, who stands for root of the image. Set-user-id stays only on files of root and set-group-id only
    /// on those of root's group: any other would now act for somebody it was not meant for. Attributes `security.*` and
    /// `trusted.*` that the kernel keeps for root are left out and counted.
    Ignore,
}

/// Whether devices are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// They are.
    Create,
    /// A layer with a device is refused. Whiteouts are none.
    Refuse,
}

/// What a layer may cost. The defaults are far above what images of this world need.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of the decompressed layer.
    pub total_bytes: u64,
    /// Bytes of a single file, holes included.
    pub file_bytes: u64,
    /// Bytes of a name.
    pub path_bytes: usize,
    /// Bytes of extended headers of one entry.
    pub header_bytes: u64,
    /// Decompressed bytes for each compressed one.
    pub ratio: u64,
    /// The ratio counts only for layers of more decompressed bytes than these.
    pub ratio_above: u64,
}

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The digest of the decompressed layer.
    pub diff_id: Digest,
    /// How many entries the layer has.
    pub entries: u64,
    /// How many bytes the decompressed layer has.
    pub bytes: u64,
    /// How many bytes its files have.
    pub file_bytes: u64,
    /// Directories that were made because something is in them, without an entry of their own; parents first. See
    /// [`crate::adopt_directories`].
    pub implied_directories: Vec<PathBuf>,
    /// The layer says that nothing of the lower layers is left. Overlayfs does not look at the attribute of a layer's
    /// root, so the caller leaves out the lower layers.
    pub opaque_root: bool,
    /// How many extended attributes could not be set, where that is tolerated.
    pub attributes_left_out: u64,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            whiteouts: Whiteouts::Overlay,
            ownership: Ownership::Keep,
            devices: Devices::Create,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            expected_diff_id: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 5_000_000,
            total_bytes: 128 << 30,
            file_bytes: 64 << 30,
            path_bytes: 4095,
            header_bytes: 1 << 20,
            ratio: 200,
            ratio_above: 1 << 30,
        }
    }
}
