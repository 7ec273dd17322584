//! Greets whom its arguments name, in the words of the file `docs/greeting.txt` if it may read one.

use std::process::ExitCode;

fn main() -> ExitCode {
    let greeting = std::fs::read_to_string("docs/greeting.txt").unwrap_or_else(|_| "hello".to_owned());
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.is_empty() {
        eprintln!("nobody to greet");
        return ExitCode::FAILURE;
    }
    println!("{}, {}", greeting.trim(), names.join(" and "));
    ExitCode::SUCCESS
}
