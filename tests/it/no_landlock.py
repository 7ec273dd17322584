"""Runs a program as on a kernel without Landlock: its calls are not there.

usage: no_landlock.py PROGRAM ARGUMENT...
"""

import ctypes
import os
import struct
import sys

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, NOT_THERE = 0x7FFF0000, 0x00050000 | 38
CALLS = [444, 445, 446]  # landlock_create_ruleset and the two after it, on every processor


def instruction(code, jump_true, jump_false, value):
    return struct.pack("HBBI", code, jump_true, jump_false, value)


program = instruction(LOAD, 0, 0, 0)
for at, call in enumerate(CALLS):
    program += instruction(EQUAL, len(CALLS) - at, 0, call)
program += instruction(RETURN, 0, 0, ALLOW) + instruction(RETURN, 0, 0, NOT_THERE)


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
kept = Filter(len(program) // 8, program)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(kept), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
