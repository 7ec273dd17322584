"""Runs a program at a terminal of its own and types answers.

usage: terminal.py EXPECT=ANSWER... -- PROGRAM ARGUMENT...
Types each answer once the terminal shows what is expected before it (`\\x03` is Ctrl-C). Prints all that the terminal
showed; exits with the program's code.
"""

import os
import pty
import signal
import sys

split = sys.argv.index("--")
script = [pair.split("=", 1) for pair in sys.argv[1:split]]
program = sys.argv[split + 1 :]

pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)

signal.alarm(60)  # A program that waits for ever fails.
shown = b""
told = 0
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # On Linux, this is how a terminal says that nobody has it open any more.
        break
    if not chunk:
        break
    shown += chunk
    if script and script[0][0].encode() in shown[told:]:
        told = len(shown)
        answer = script.pop(0)[1].encode().decode("unicode_escape").encode("latin-1")
        os.write(terminal, answer + (b"" if answer.endswith(b"\x03") else b"\r"))

sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
