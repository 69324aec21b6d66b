//! The language of templates as a user of `--format` meets it.

mod go;
mod hostile;
