//! Measures a user-space network: how fast one stream is in both directions, how long a round trip takes, how many
//! connections come to stand in a second, and what the gateway costs while nothing happens.
//!
//! Run it as root of a user namespace: `unshare -Ur target/release/examples/throughput`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use longshore_usernet::{Port, UserNetwork, UserNetworkSpec};

const BLOCK: usize = 128 * 1024;
const AMOUNT: usize = 2 << 30;
const GIGABITS: f64 = 17.18;
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 100);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mtu = std::env::args().nth(1).map_or(Ok(1500), |mtu| mtu.parse())?;
    let finder = UdpSocket::bind("0.0.0.0:0")?;
    finder.connect("198.51.100.1:9")?;
    let listener = TcpListener::bind((finder.local_addr()?.ip(), 0))?;
    let to = listener.local_addr()?;
    thread::spawn(move || serve(&listener));
    let (tell, told) = channel::<Outcome<OwnedFd>>();
    let (begin, wait) = channel::<()>();
    let container = thread::spawn(move || -> Outcome<String> {
        longshore_sys::unshare_network()?;
        tell.send(Ok(std::fs::File::open("/proc/thread-self/ns/net")?.into()))?;
        wait.recv()?;
        measure(to)
    });
    let netns = told.recv()??;
    let spec = UserNetworkSpec { mtu, ..UserNetworkSpec::default() };
    let attaching = Instant::now();
    let port = Port::attach(netns.as_fd(), &spec, ADDRESS)?;
    let attached = attaching.elapsed();
    let mut network = UserNetwork::new(spec, Box::new(()))?;
    network.plug(port)?;
    let (stopped, stop) = rustix::pipe::pipe()?;
    let gateway = thread::spawn(move || network.run(stopped));
    begin.send(())?;
    let measured = container.join().map_err(|_| "the container failed")??;
    let before = spent()?;
    thread::sleep(Duration::from_secs(3));
    let idle = spent()? - before;
    drop(stop);
    gateway.join().map_err(|_| "the gateway failed")??;
    let text =
        format!("mtu {mtu}: attached in {attached:?}, {measured}, {idle} ticks of CPU in 3 s of idleness\n");
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The clock ticks that this process has used.
fn spent() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.split(' ').collect();
    Ok(fields.get(13..15).ok_or("no times")?.iter().map(|ticks| ticks.parse().unwrap_or(0_u64)).sum())
}

/// Serves what the first byte of each connection asks for.
fn serve(listener: &TcpListener) -> Outcome<()> {
    loop {
        let (mut stream, _) = listener.accept()?;
        thread::spawn(move || -> Outcome<()> {
            let mut wish = [0];
            stream.read_exact(&mut wish)?;
            match wish {
                [b'd'] => pour(&stream),
                [b'u'] => drink(&stream),
                _ => std::io::copy(&mut &stream, &mut &stream).map(drop).map_err(Into::into),
            }
        });
    }
}

fn pour(mut stream: &TcpStream) -> Outcome<()> {
    let block = vec![7; BLOCK];
    for _ in 0..AMOUNT / BLOCK {
        stream.write_all(&block)?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    Ok(())
}

fn drink(mut stream: &TcpStream) -> Outcome<()> {
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block)? > 0 {}
    // The end is told, so that the other side knows that all has arrived.
    stream.write_all(b"e")?;
    Ok(())
}

fn measure(to: SocketAddr) -> Outcome<String> {
    let gigabits = |began: Instant| GIGABITS / began.elapsed().as_secs_f64();
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(b"u")?;
    let began = Instant::now();
    pour(&stream)?;
    stream.read_exact(&mut [0])?;
    let up = gigabits(began);
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(b"d")?;
    let began = Instant::now();
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block)? > 0 {}
    let down = gigabits(began);
    let mut stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.write_all(b"e")?;
    let began = Instant::now();
    for _ in 0..5000 {
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
    }
    let trip = began.elapsed() / 5000;
    let began = Instant::now();
    for _ in 0..2000 {
        TcpStream::connect(to)?;
    }
    let rate = 2000.0 / began.elapsed().as_secs_f64();
    Ok(format!(
        "up {up:.1} Gbit/s, down {down:.1} Gbit/s, round trip {trip:?}, {rate:.0} connections a second"
    ))
}
