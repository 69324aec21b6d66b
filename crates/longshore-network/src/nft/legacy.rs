//! The `FORWARD` chain of the older iptables, which is not part of `nf_tables` and which nothing else shows.
//!
//! Its tables are read as a whole by `getsockopt(2)`; the layout is that of `linux/netfilter_ipv4/ip_tables.h`. Nothing
//! is changed: that would mean to replace somebody else's whole table.

use std::fs;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// `IPT_SO_GET_INFO`.
const ASK_INFO: i32 = 64;
/// `IPT_SO_GET_ENTRIES`.
const ASK_ENTRIES: i32 = 65;
/// The size of `struct ipt_getinfo`.
const INFO: usize = 84;
/// The size of `struct ipt_get_entries` before its entries.
const ENTRIES: usize = 40;
/// The size of a table's name.
const NAME: usize = 32;
/// Tables that are larger are not looked at.
const LIMIT: usize = 16 * 1024 * 1024;
/// `NF_DROP`, as verdicts are kept in these tables.
const DROP: i32 = -1;

/// Whether packets that pass through are dropped by the policy of that chain.
///
/// What cannot be seen counts as letting them pass. The table is asked for only if it is there, because the kernel makes
/// it for whoever asks.
pub(super) fn forward_drops() -> bool {
    let present = fs::read_to_string("/proc/thread-self/net/ip_tables_names")
        .is_ok_and(|tables| tables.lines().any(|table| table == "filter"));
    present && read_policy() == Some(DROP)
}

/// The verdict of the chain's policy.
fn read_policy() -> Option<i32> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    let mut info = [0; INFO];
    info.get_mut(..6)?.copy_from_slice(b"filter");
    longshore_sys::ip_socket_option(&socket, ASK_INFO, &mut info).ok()?;
    let size = number(&info, 80)? as usize;
    if size > LIMIT {
        return None;
    }
    let mut table = vec![0; ENTRIES + size];
    table.get_mut(..6)?.copy_from_slice(b"filter");
    table.get_mut(NAME..NAME + 4)?.copy_from_slice(&number(&info, 80)?.to_ne_bytes());
    longshore_sys::ip_socket_option(&socket, ASK_ENTRIES, &mut table).ok()?;
    policy(&info, table.get(ENTRIES..)?)
}

/// The verdict in the last entry of the chain, which is its policy.
fn policy(info: &[u8], entries: &[u8]) -> Option<i32> {
    // `underflow[NF_INET_FORWARD]`.
    let entry = entries.get(number(info, 56 + 2 * 4)? as usize..)?;
    let target = usize::from(u16::from_ne_bytes(entry.get(88..90)?.try_into().ok()?));
    // The verdict follows `struct xt_entry_target`.
    number(entry, target.checked_add(32)?).map(u32::cast_signed)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{INFO, forward_drops, policy, read_policy};

    /// A table whose `FORWARD` chain ends with a verdict at an offset.
    fn table(offset: u32, verdict: i32) -> (Vec<u8>, Vec<u8>) {
        let mut info = vec![0; INFO];
        info[64..68].copy_from_slice(&offset.to_ne_bytes());
        let mut entries = vec![0; offset as usize + 152];
        let entry = offset as usize;
        entries[entry + 88..entry + 90].copy_from_slice(&112_u16.to_ne_bytes());
        entries[entry + 144..entry + 148].copy_from_slice(&verdict.to_ne_bytes());
        (info, entries)
    }

    #[test]
    fn the_policy_is_the_verdict_of_the_last_entry() {
        for (offset, verdict) in [(0, -1), (152, -2), (1520, -1)] {
            let (info, entries) = table(offset, verdict);
            assert_eq!(policy(&info, &entries), Some(verdict));
            assert_eq!(policy(&info, &entries[..entries.len() - 8]), None);
        }
    }

    #[test]
    fn a_table_of_the_kernel_is_read() {
        // In a namespace of its own, because asking for a table makes it.
        let read = || {
            if !rustix::process::geteuid().is_root() || longshore_sys::unshare_network().is_err() {
                eprintln!("skipped: network namespaces need root");
                return;
            }
            assert!(!forward_drops());
            match read_policy() {
                None => eprintln!("skipped: the kernel has no legacy iptables"),
                // NF_ACCEPT, as verdicts are kept in these tables.
                Some(verdict) => assert_eq!(verdict, -2),
            }
            assert!(!forward_drops());
        };
        std::thread::spawn(read).join().unwrap();
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            info in proptest::collection::vec(any::<u8>(), 0..90),
            entries in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = policy(&info, &entries);
        }
    }
}
