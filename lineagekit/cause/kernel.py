# SPDX-License-Identifier: Apache-2.0
"""Calls into the Linux kernel that Python 3.11 has no name for, through ctypes; a failure is an OSError that says why.

Runs between a fork and an exec: the standard library only, and little of it.

>>> call("getpid") == os.getpid()
True
>>> call("close", -1)
Traceback (most recent call last):
OSError: [Errno 9] close: Bad file descriptor
"""

from __future__ import annotations

import ctypes
import os
import sys

NEW_MOUNTS, NEW_IPC, NEW_USERS, NEW_PROCESSES = 0x20000, 0x8000000, 0x10000000, 0x20000000
"""Kinds of namespaces, for `unshare`."""
DIE_WITH_PARENT, DUMPABLE, DROP_BOUND, SUBREAPER, NO_NEW_PRIVILEGES, AMBIENT = 1, 4, 24, 36, 38, 47
"""What `prctl` does."""

_LAST_CAPABILITY = 63
_FILE_CAPABILITIES = 0b1011111
"""Chown, dac_override, fowner, fsetid, kill, setgid (0, 1, 3-6), and below setuid (7) and setfcap (31): what root
needs to treat files as root does. Never dac_read_search (opens files by handle), sys_admin, sys_ptrace, mknod."""
_KEPT = (_FILE_CAPABILITIES & ~(1 << 2)) | 1 << 6 | 1 << 7 | 1 << 31
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def call(name: str, *arguments: object, doing: str = "") -> int:
    """Call a function of libc; raises OSError with what was being done when it returns -1."""
    result = int(getattr(_libc, name)(*(_word(one) for one in arguments)))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing or name}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object, doing: str) -> int:
    """Call the kernel itself, for what libc has no function; numbers from 424 on are the same on every machine."""
    return call("syscall", number, *arguments, doing=doing)


def _word(argument: object) -> object:
    """Whole numbers are as wide as a register, or the upper half of it would be left to chance."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def drop_capabilities(*, is_root: bool) -> None:
    """Leave root what it needs for files, and others nothing: no mounting, tracing or making of devices."""
    held = (_Sets * 2)()
    call("capget", ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), held, doing="ask for capabilities")
    kept = _KEPT & held[0].permitted if is_root else 0  # the root of a container may have fewer
    for one in range(_LAST_CAPABILITY + 1):
        if not kept >> one & 1:
            try:
                call("prctl", DROP_BOUND, one, 0, 0, 0)
            except OSError:  # the kernel knows no more than these
                break
    call("prctl", AMBIENT, 4, 0, 0, 0, doing="clear ambient capabilities")
    low = _Sets(kept & 0xFFFFFFFF, kept & 0xFFFFFFFF, 0)
    sets = (_Sets * 2)(low, _Sets(0, 0, 0))
    call("capset", ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), sets, doing="drop capabilities")


def version() -> tuple[int, int]:
    """The kernel's, such as (6, 8); (0, 0) where there is no Linux."""
    if not sys.platform.startswith("linux"):
        return 0, 0
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()) or 0)
