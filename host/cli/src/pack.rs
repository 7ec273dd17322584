//! Puts a manifest into a component.

use std::io::{self, Write};
use std::path::Path;

use sluice_model::Problem;
use sluice_model::manifest::SECTION;

/// The component with the manifest appended as a custom section (WebAssembly binary format, section id 0).
pub fn pack(component: &[u8], manifest: &str) -> Result<Vec<u8>, Problem> {
    let inspection = sluice_engine::inspect(component).map_err(|error| {
        let mut problem = Problem::new(error.code, error.message);
        problem.help = error.help;
        problem
    })?;
    if inspection.manifest_text.is_some() {
        return Err(Problem::new("plugin::second-manifest", "the component has a manifest already")
            .help("pack the component as the compiler made it"));
    }
    let mut content = Vec::with_capacity(SECTION.len() + manifest.len() + 8);
    write_leb128(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(manifest.as_bytes());
    let mut packed = component.to_vec();
    packed.push(0);
    write_leb128(&mut packed, content.len());
    packed.extend_from_slice(&content);
    Ok(packed)
}

/// An unsigned integer in LEB128, as WebAssembly writes sizes.
fn write_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            break;
        }
        out.push(low | 0x80);
    }
}

/// Writes a file whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut staged = tempfile::NamedTempFile::new_in(folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_leb128() {
        for (value, bytes) in [(0, &[0][..]), (127, &[0x7f]), (128, &[0x80, 1]), (624_485, &[0xe5, 0x8e, 0x26])] {
            let mut out = Vec::new();
            write_leb128(&mut out, value);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn only_components_are_packed() {
        assert!(pack(b"\0asm\x01\0\0\0", "name: x").is_err());
        assert!(pack(b"hello", "name: x").is_err());
    }
}
