//! Layers of images: tar archives unpacked into and packed from directories.

#![forbid(unsafe_code)]
