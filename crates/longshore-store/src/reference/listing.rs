//! Which refs there are.

use super::{Namespace, RefName, RefRecord, path};
use crate::{Store, StoreError, layout};

/// Names are short, so their paths are not deep.
const DEEPEST: usize = 1100;

/// A ref with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRef {
    /// Its name.
    pub name: RefName,
    /// What it says.
    pub record: RefRecord,
}

impl Store {
    /// All refs of a namespace, sorted by name. Those that go while this looks are left out.
    pub fn refs(&self, namespace: Namespace) -> Result<Vec<NamedRef>, StoreError> {
        let mut refs = Vec::new();
        for (relative, name) in self.ref_files(namespace)? {
            if let Some(record) = self.read_ref(&relative)? {
                refs.push(NamedRef { name, record });
            }
        }
        refs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(refs)
    }

    /// The refs of all namespaces.
    pub fn all_refs(&self) -> Result<Vec<NamedRef>, StoreError> {
        let mut refs = Vec::new();
        for namespace in Namespace::ALL {
            refs.extend(self.refs(namespace)?);
        }
        Ok(refs)
    }

    /// Removes refs that a power failure emptied; their names. The gate must be closed.
    pub(crate) fn remove_torn_refs(&self) -> Result<Vec<RefName>, StoreError> {
        let mut torn = Vec::new();
        for namespace in Namespace::ALL {
            for (relative, name) in self.ref_files(namespace)? {
                if self.tree.stat(&relative).is_ok_and(|stat| stat.is_some())
                    && self.read_ref(&relative)?.is_none()
                {
                    self.unlink_ref(&name)?;
                    torn.push(name);
                }
            }
        }
        Ok(torn)
    }

    /// The files of refs and the names they stand for. Files that stand for none were not made by the store.
    fn ref_files(&self, namespace: Namespace) -> Result<Vec<(String, RefName)>, StoreError> {
        let top = format!("{}/{namespace}", layout::REFS);
        let mut files = Vec::new();
        let mut pending = vec![(top.clone(), 0)];
        while let Some((directory, depth)) = pending.pop() {
            for entry in self.tree.list(&directory)? {
                let relative = format!("{directory}/{}", entry.name);
                if entry.directory && depth < DEEPEST {
                    pending.push((relative, depth + 1));
                } else if let Some(below) =
                    relative.strip_prefix(&top).and_then(|path| path.strip_prefix('/'))
                    && let Some(name) = path::decode(namespace, below)
                {
                    files.push((relative, name));
                }
            }
        }
        Ok(files)
    }
}
