//! [`Lock`] -> text. One item a line, so that a change is seen in a diff.

use std::fmt::{self, Display, Write};

use super::{Declared, Lock, Locked, VERSION};

const HEAD: &str = "\
# Plugins from outside: their bytes, and what they may ask for at most. Written by `sluice plugin` and `sluice lock`;
# belongs into version control.
";

impl Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}version: {VERSION}")?;
        if let Some(folder) = &self.vendor {
            writeln!(f, "vendor: {}", Quoted(folder))?;
        }
        if self.plugins.is_empty() {
            return writeln!(f, "plugins: []");
        }
        writeln!(f, "plugins:")?;
        self.plugins.iter().try_for_each(|locked| entry(locked, f))
    }
}

fn entry(locked: &Locked, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "  - source: {}", Quoted(&locked.reference.to_string()))?;
    writeln!(f, "    digest: {}", locked.digest)?;
    if let Some(digest) = locked.oci_manifest {
        writeln!(f, "    oci-manifest: {digest}")?;
    }
    match &locked.declared {
        Some(declared) => declaration(declared, f),
        None => writeln!(f, "    command: true"),
    }
}

fn declaration(declared: &Declared, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let kinds: Vec<&str> = declared.kinds.iter().map(|kind| kind.as_str()).collect();
    writeln!(f, "    name: {}", declared.name)?;
    writeln!(f, "    version: {}", declared.version)?;
    writeln!(f, "    kinds: [{}]", kinds.join(", "))?;
    if declared.capabilities.is_empty() {
        return writeln!(f, "    capabilities: []");
    }
    writeln!(f, "    capabilities:")?;
    for capability in &declared.capabilities {
        writeln!(f, "      - {}:", capability.capability)?;
        for grant in &capability.grants {
            writeln!(f, "          - {}", Quoted(grant))?;
        }
        writeln!(f, "        reason: {}", Quoted(&capability.reason))?;
    }
    Ok(())
}

/// A text in double quotes, on one line, whatever is in it.
struct Quoted<'t>(&'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                // Nothing that ends a line, reorders a text, or shows nothing.
                c if c.is_control() || is_format(c) => match u32::from(c) {
                    code if code <= 0xffff => write!(f, "\\u{code:04x}")?,
                    code => write!(f, "\\U{code:08x}")?,
                },
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// Characters that change how others are shown: separators of lines, marks of direction, a byte order mark, and what YAML
/// does not take as it is.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
