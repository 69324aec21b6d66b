//! User-space networks against the kernel: a thread in a network namespace of its own is the container.
//!
//! Each test runs itself again as an ordinary user who is root of a new user namespace, because that is whom this is for;
//! root runs it as root too.

mod datagrams;
mod published;
mod setting;
mod streams;
mod switch;
