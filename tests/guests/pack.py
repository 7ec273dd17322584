"""pack.py COMPONENT MANIFEST OUT: appends the manifest to a component as the custom section `sluice:manifest`.

A section of a component is an id byte, the size of what follows, and that (Component Model, binary format); a custom
section has id 0 and begins with its name. Sizes are unsigned LEB128.
"""

import sys
from pathlib import Path


def leb128(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


component, manifest, out = map(Path, sys.argv[1:])
name = b"sluice:manifest"
content = leb128(len(name)) + name + manifest.read_bytes()
out.write_bytes(component.read_bytes() + b"\0" + leb128(len(content)) + content)
