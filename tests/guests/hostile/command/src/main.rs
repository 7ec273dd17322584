//! An ordinary program that does what its first argument says, as badly as it can.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

type Fallible = Result<(), Box<dyn std::error::Error>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize| arguments.get(i).map(String::as_str).unwrap_or_default();
    if let Err(error) = run(argument(0), argument(1), argument(2)) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn run(misdeed: &str, first: &str, second: &str) -> Fallible {
    match misdeed {
        "nothing" => {}
        "say" => println!("{first}"),
        "spin" => loop {
            black_box(0);
        },
        "sleep" => std::thread::sleep(Duration::from_secs(3600)),
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "recurse" => println!("{}", recurse(1)),
        "flood" => loop {
            std::io::stdout().write_all(&[b'x'; 4096])?;
        },
        "flood-errors" => loop {
            eprintln!("{}", "y".repeat(4096));
        },
        "escape" => println!("\u{1b}[31m\u{1b}]0;owned\u{7}text\r\u{8}"),
        "panic" => panic!("on purpose"),
        "trap" => std::process::abort(),
        "exit" => std::process::exit(first.parse()?),
        "read" => print!("{}", fs::read_to_string(first)?),
        "read-while-it-changes" => read_while_it_changes(first, second)?,
        "write" => fs::write(first, second)?,
        "rename" => fs::rename(first, second)?,
        "remove" => fs::remove_file(first)?,
        "make-folder" => fs::create_dir(first)?,
        "hard-link" => fs::hard_link(first, second)?,
        "symlink" => symlink(first, second)?,
        "fill" => {
            let mut file = File::create(first)?;
            for _ in 0..second.parse()? {
                file.write_all(&[b'z'; 1 << 16])?;
            }
        }
        "sparse" => File::create(first)?.set_len(second.parse()?)?,
        "dig" => {
            for _ in 0..second.parse()? {
                fs::create_dir(first)?;
                std::env::set_current_dir(first)?;
            }
        }
        "long-name" => fs::write("n".repeat(5_000), "")?,
        "link-out" => {
            symlink(first, second)?;
            print!("{}", fs::read_to_string(second)?);
        }
        "list" => {
            for entry in fs::read_dir(first)? {
                println!("{}", entry?.file_name().to_string_lossy());
            }
        }
        "open-many" => {
            let files: Result<Vec<File>, _> = (0..200_000).map(|_| File::open(first)).collect();
            println!("{}", files?.len());
        }
        "tcp" => {
            TcpStream::connect(first)?.write_all(b"hello")?;
        }
        "listen" => {
            TcpListener::bind(first)?.accept()?;
        }
        "udp" => {
            UdpSocket::bind("0.0.0.0:0")?.send_to(b"hello", first)?;
        }
        "dns" => println!("{:?}", (first, 80).to_socket_addrs()?.next()),
        "env" => println!("{}", std::env::var(first)?),
        "random" => loop {
            black_box(random(1 << 24));
        },
        "drain" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            println!("{} bytes of standard input", text.len());
        }
        other => return Err(format!("unknown misdeed `{other}`").into()),
    }
    Ok(())
}

/// Reads a file that is there, and then is not, until it was seen often in both states; then makes the file `end`.
fn read_while_it_changes(path: &str, end: &str) -> Fallible {
    const OFTEN: usize = 100;
    let (mut got, mut refused) = (0, 0);
    while got < OFTEN || refused < OFTEN {
        match fs::read_to_string(path) {
            Ok(text) if text == "harmless" => got += 1,
            Ok(text) => println!("loot: {text}"),
            Err(_) => refused += 1,
        }
    }
    println!("seen in both states");
    Ok(fs::write(end, "")?)
}

fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if black_box(false) { 0 } else { recurse(depth + 1) + frame[(depth % 64) as usize] }
}

/// `wasi:random` by way of the C library.
fn random(bytes: usize) -> Vec<u8> {
    unsafe extern "C" {
        fn getentropy(buffer: *mut u8, length: usize) -> i32;
    }
    let mut buffer = vec![0; bytes];
    for chunk in buffer.chunks_mut(256) {
        unsafe { getentropy(chunk.as_mut_ptr(), chunk.len()) };
    }
    buffer
}

fn symlink(target: &str, link: &str) -> std::io::Result<()> {
    unsafe extern "C" {
        fn symlink(target: *const std::ffi::c_char, link: *const std::ffi::c_char) -> i32;
    }
    let (target, link) = (std::ffi::CString::new(target)?, std::ffi::CString::new(link)?);
    match unsafe { symlink(target.as_ptr(), link.as_ptr()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
