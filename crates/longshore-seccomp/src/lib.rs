//! System call filters: profiles as Docker writes them, compiled to BPF.

#![forbid(unsafe_code)]
