# SPDX-License-Identifier: Apache-2.0
"""A filter of system calls: what Landlock does not hold, of files that lie outside.

Modes and times: the warden is asked, who sees which file is meant (`errands`). Owners and attributes: the call says
that it was done, and does nothing, wherever the file lies: programs that copy or unpack set them, and need them not.

>>> listener = filter_.install(is_closed=True)  # doctest: +SKIP
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from lineagekit.cause import errands
from lineagekit.cause.kernel import NO_NEW_PRIVILEGES, call, syscall

_BY_PROGRAM, _WITH_LISTENER = 1, 1 << 3 | 1 << 5
_LOAD, _IS, _IS_FROM, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _MACHINE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the kernel tells of the call: which it is, on which machine, and its arguments."""
_ALLOW, _ASK, _ANSWER = 0x7FFF0000, 0x7FC00000, 0x50000
_SAY_DONE = _ANSWER
_OF_X32 = 0x40000000
_PAST = 425
"""Queues by which the kernel is asked past any filter (io_uring)."""
_NEWER = (463, 466, 469)
"""Attributes in forms of their own, on all machines."""
_MACHINES = {
    "x86_64": (0xC000003E, 317, 16, 41, (92, 93, 94, 132, *range(188, 191), *range(197, 200), 235, 260, 261)),
    "aarch64": (0xC00000B7, 277, 29, 198, (5, 6, 7, 14, 15, 16, 54, 55)),
}
"""Its name to the kernel; seccomp, ioctl, socket; chown, utime (the old ones), setxattr, removexattr in their forms."""
_FLAGS = b"fXvr\x94\xf5\xbc\xcf"
"""Letters of ioctls by which file systems change a file's flags, or make snapshots; reading is not writing to these."""
_CLONES = (0x40049409, 0x4020940D)
"""Of these, those that need the target open for writing: reflinks."""
_LOCAL_SOCKET = 1


def is_known() -> bool:
    """Whether this machine's calls are."""
    return os.uname().machine in _MACHINES


def install(*, is_closed: bool) -> int:
    """Filter the calls of this process and of all that it starts, for ever; `is_closed`: no local sockets either.

    Returns a descriptor at which somebody has to answer what is asked.
    """
    program = b"".join(struct.pack("HBBI", *step) for step in _program(is_closed=is_closed))
    steps = ctypes.create_string_buffer(program)
    head = ctypes.create_string_buffer(struct.pack("HL", len(program) // 8, ctypes.addressof(steps)))
    call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0, doing="forbid new privileges")
    number = _MACHINES[os.uname().machine][1]
    return syscall(number, _BY_PROGRAM, _WITH_LISTENER, head, doing="filter system calls")


def _program(*, is_closed: bool) -> list[tuple[int, int, int, int]]:
    """Each step: what to do, how many to pass over if so and if not, with what."""
    machine, _, control, socket, metadata = _MACHINES[os.uname().machine]
    unknown = (_RETURN, 0, 0, _ANSWER | errno.ENOSYS)
    steps = [(_LOAD, 0, 0, _MACHINE), (_IS, 1, 0, machine), unknown, (_LOAD, 0, 0, _NUMBER)]
    steps += [(_IS_FROM, 0, 1, _OF_X32), unknown, (_IS, 0, 1, _PAST), unknown]
    for number in (*metadata, *_NEWER):
        steps += [(_IS, 0, 1, number), (_RETURN, 0, 0, _SAY_DONE)]
    for number in errands.NUMBERS[os.uname().machine]:
        steps += [(_IS, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    if is_closed:
        steps += [(_IS, 0, 4, socket), (_LOAD, 0, 0, _FIRST), (_IS, 0, 1, _LOCAL_SOCKET)]
        steps += [(_RETURN, 0, 0, _ANSWER | errno.EACCES), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_IS, 1, 0, control), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _SECOND)]
    for clone in _CLONES:
        steps += [(_IS, 0, 1, clone), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_AND, 0, 0, 0xFF00)]
    for letter in _FLAGS:
        steps += [(_IS, 0, 1, letter << 8), (_RETURN, 0, 0, _ANSWER | errno.ENOTTY)]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]
