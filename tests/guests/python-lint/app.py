"""A lint plugin in Python: a note `TODO` should name who does it, as in `TODO(ada)`.

componentize-py makes a component of this module and of the Python that it needs; `open` reads the workspace through WASI.
"""

import json
import re
from typing import Iterator

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import types
from wit_world.imports.types import Finding, Severity, Span

NOTE = re.compile(r"\bTODO\b(?!\()")


def check(path: str, text: str) -> Iterator[Finding]:
    """Findings of one file, in order. Columns count characters from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        for note in NOTE.finditer(line):
            yield Finding(
                rule="todo/nobody",
                severity=Severity.WARNING,
                message="`TODO` names nobody who does it",
                span=Span(path, number, note.start() + 1, number, note.end() + 1),
                help="write `TODO(name)`",
                fix=None,
                properties=[],
            )


class Lint(exports.Lint):
    def lint(self, step: types.Step, sink: types.Sink) -> None:
        paths = step.files(json.loads(step.inputs())["paths"])
        for path in paths:
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except UnicodeDecodeError:
                continue  # Not a text.
            except OSError as error:
                message = f"cannot read `{path}`: {error.strerror}"
                raise Err(types.Failure_Failed(types.Explanation(message, None))) from error
            if findings := list(check(path, text)):
                sink.findings(findings)
        sink.output("files", json.dumps(len(paths)))
