//! What this program does in containers, where nothing else can be counted on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

/// Where the program is in containers.
pub(crate) const PATH: &str = "/opt-longshore-test";

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn main(words: &[&str]) -> ExitCode {
    match words {
        // Answers each connection.
        ["serve", address] => {
            let listener = TcpListener::bind(address).expect("a socket to listen at");
            println!("listening");
            for stream in listener.incoming() {
                stream.expect("a connection").write_all(b"hello").expect("somebody who listens");
            }
            ExitCode::SUCCESS
        }
        ["dial", address] => {
            let addresses = address.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            let Ok([first, ..]) = addresses.as_deref() else {
                println!("unknown");
                return ExitCode::SUCCESS;
            };
            let mut said = String::new();
            match TcpStream::connect_timeout(first, PATIENCE) {
                Ok(mut stream) => {
                    // One that resets is as good as one that says nothing.
                    let _ = stream.read_to_string(&mut said);
                    println!("reached {said}");
                }
                Err(_) => println!("refused"),
            }
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}
