//! A scanner as people accept it: says which files of `src` hold the word `password`.

fn main() -> std::io::Result<()> {
    for entry in std::fs::read_dir("src")? {
        let path = entry?.path();
        if std::fs::read_to_string(&path)?.contains("password") {
            println!("finding: {}", path.display());
        }
    }
    Ok(())
}
