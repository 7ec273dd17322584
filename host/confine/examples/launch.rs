fn main() {
    match sluice_confine::launch(std::env::args_os().skip(1)) {
        Ok(sluice_confine::Ended::Code(code)) => std::process::exit(code),
        Ok(sluice_confine::Ended::Signal(signal)) => std::process::exit(128 + signal),
        Err(reason) => {
            eprintln!("not started: {reason}");
            std::process::exit(125)
        }
    }
}
