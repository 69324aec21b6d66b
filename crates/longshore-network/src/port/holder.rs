//! Who holds a port that is in use.
//!
//! The tables of sockets in `/proc/net` name the socket, and the descriptors of processes name who has it. An ordinary
//! user sees descriptors of own processes only; then the answer is that nobody is known.

use std::fs;
use std::path::Path;

use crate::Protocol;

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub process: u32,
    /// Its name.
    pub name: String,
}

/// The process that holds a port of this network namespace.
pub(super) fn holder_of(port: u16, protocol: Protocol) -> Option<Holder> {
    let sockets: Vec<String> = ["", "6"]
        .iter()
        .filter_map(|family| fs::read_to_string(format!("/proc/thread-self/net/{protocol}{family}")).ok())
        .flat_map(|table| {
            table.lines().filter_map(|line| socket_of(line, port, protocol)).collect::<Vec<_>>()
        })
        .collect();
    if sockets.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        has_any(&entry.path(), &sockets).then(|| {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            Holder { process, name: name.trim_end().to_owned() }
        })
    })
}

/// The link of the socket in a line of a table, if it waits for connections or datagrams at the port.
fn socket_of(line: &str, port: u16, protocol: Protocol) -> Option<String> {
    let mut words = line.split_whitespace().skip(1);
    let (_, local) = words.next()?.rsplit_once(':')?;
    let state = words.nth(1)?;
    let inode = words.nth(5)?;
    let waits = protocol == Protocol::Udp || state == "0A";
    (waits && u16::from_str_radix(local, 16) == Ok(port)).then(|| format!("socket:[{inode}]"))
}

fn has_any(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        fs::read_link(descriptor.path())
            .is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::socket_of;
    use crate::Protocol;

    #[test]
    fn lines_of_the_tables_are_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0";
        assert_eq!(socket_of(line, 8080, Protocol::Tcp).as_deref(), Some("socket:[4711]"));
        assert_eq!(socket_of(line, 8081, Protocol::Tcp), None);
        assert_eq!(socket_of(&line.replace(" 0A ", " 01 "), 8080, Protocol::Tcp), None);
        assert!(socket_of(&line.replace(" 0A ", " 07 "), 8080, Protocol::Udp).is_some());
        assert_eq!(socket_of("  sl  local_address rem_address", 8080, Protocol::Tcp), None);
    }
}
