# SPDX-License-Identifier: Apache-2.0
"""Landlock: this process and all that it starts may write beneath the folders that are named, and nowhere else.

It cannot be undone, holds native code and children too, and besides: no mounting, no tracing of processes outside.

>>> landlock.confine([b"/work/upper"], [b"/dev/null"])  # doctest: +SKIP
"""

from __future__ import annotations

import ctypes
import errno
import os

from lineagekit.cause.kernel import NO_NEW_PRIVILEGES, call, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_WRITE, _MAKE_DEVICES = 1 << 1, 1 << 6 | 1 << 11
_CHANGE_NAMES = sum(1 << bit for bit in (4, 5, 7, 8, 9, 10, 12))
_REFER, _TRUNCATE, _CONTROL_DEVICES = 1 << 13, 1 << 14, 1 << 15
_SCOPE_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1


class _Handled(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def abi() -> int:
    """The version that this kernel has; 0 if it has none, or has it switched off."""
    try:
        return syscall(_CREATE, None, 0, 1, doing="ask for Landlock")
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def confine(folders: Iterable[bytes], files: Iterable[bytes]) -> None:
    """Allow this process to change things beneath the folders, to write to the files, and no more for ever.

    What the kernel's version does not know (truncation before 6.2, for one) is left to the read-only mounts.
    """
    version = abi()
    if not version:
        raise OSError(errno.EOPNOTSUPP, "Landlock: not there")
    to_files = _WRITE | (_TRUNCATE if version >= 3 else 0) | (_CONTROL_DEVICES if version >= 5 else 0)
    to_folders = to_files | _CHANGE_NAMES | (_REFER if version >= 2 else 0)
    scoped = _SCOPE_SOCKETS | _SCOPE_SIGNALS if version >= 6 else 0
    handled = _Handled(to_folders | _MAKE_DEVICES, 0, scoped)
    size = 24 if version >= 6 else 8
    rules = syscall(_CREATE, ctypes.byref(handled), size, 0, doing="make Landlock's rules")
    for path in folders:
        _allow(rules, path, to_folders)
    for path in files:
        _allow(rules, path, to_files)
    call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0, doing="forbid new privileges")
    syscall(_RESTRICT, rules, 0, doing="apply Landlock's rules")
    os.close(rules)


def _allow(rules: int, path: bytes, allowed: int) -> None:
    place = os.open(path, os.O_PATH)
    try:
        rule = _Beneath(allowed, place)
        syscall(_ADD, rules, 1, ctypes.byref(rule), 0, doing=f"allow {os.fsdecode(path)} in Landlock")
    finally:
        os.close(place)
