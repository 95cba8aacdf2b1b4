# SPDX-License-Identifier: Apache-2.0
"""Modes and times: what a held command asks of the kernel for its own files, done by the warden, who sees which file.

The kernel stops the command until it is answered. What is named is opened first and looked at then, so that nobody can
put another file in its place; what does not lie in the open folder is refused.

>>> threading.Thread(target=serve, args=(listener, b"/work/.lineagekit/x/open"), daemon=True).start()  # doctest: +SKIP
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import struct

from lineagekit.cause.kernel import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE, _ANSWER = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_FORMS = {
    "x86_64": {90: "chmod", 91: "fchmod", 268: "fchmodat", 280: "utimensat", 452: "fchmodat2"},
    "aarch64": {52: "fchmod", 53: "fchmodat", 88: "utimensat", 452: "fchmodat2"},
}
NUMBERS = {machine: tuple(forms) for machine, forms in _FORMS.items()}
"""Of the calls that are answered, by machine."""
_HERE, _NOT_FOLLOWED = 0xFFFFFF9C, 0x100
_PAGE, _LONGEST = 4096, 4096
_MODES = 0o3777
"""All but setuid."""
_SHAPES: dict[str, Callable[[list[int]], list[int]]] = {
    "chmod": lambda told: [_HERE, told[0], told[1], 0],
    "fchmod": lambda told: [told[0], 0, told[1], 0],
    "fchmodat": lambda told: [*told[:3], 0],
    "fchmodat2": lambda told: told[:4],
    "utimensat": lambda told: told[:4],
}
"""What each is told: a folder, a name in it, the mode or the times, and how to look for it."""
_OWN = re.compile(rb"^/proc/(?:thread-)?self(?=/)")


def serve(listener: int, open_folder: bytes) -> None:
    """Answer until all that it holds have ended."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    forms = _FORMS[os.uname().machine]
    try:
        while any(event & select.POLLIN for _, event in poll.poll()):
            _answer(listener, forms, open_folder)
    finally:
        os.close(listener)  # who still waits is told that there is no such call


def _answer(listener: int, forms: Mapping[int, str], open_folder: bytes) -> None:
    notice = bytearray(_NOTICE.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, notice)
        number, process, _, call_, _, _, *told = _NOTICE.unpack(notice)
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(number, 0, -_do(forms[call_], process, told, open_folder), 0))
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EINTR):  # who asked was killed while it waited
            raise


def _do(form: str, process: int, told: list[int], open_folder: bytes) -> int:
    """Do it; an error's number, or 0."""
    folder, name, value, how = _SHAPES[form](told)
    try:
        file = _opened(process, folder & 0xFFFFFFFF, name, is_followed=not how & _NOT_FOLLOWED)
        try:
            place = b"/proc/self/fd/%d" % file
            if not os.readlink(place).startswith(open_folder + b"/"):
                return errno.EACCES
            if form == "utimensat":
                call(form, -100, place, _read(process, value, 32) if value else None, 0)
            else:
                call("chmod", place, value & _MODES)
        finally:
            os.close(file)
    except OSError as error:
        return error.errno or errno.EACCES
    return 0


def _opened(process: int, folder: int, name: int, *, is_followed: bool) -> int:
    """A descriptor of what is named, with which nothing can be done but looking where it lies."""
    start = b"/proc/%d/cwd" % process if folder == _HERE else b"/proc/%d/fd/%d" % (process, folder)
    path = _text(process, name) if name else b""
    path = os.path.join(start, _OWN.sub(b"/proc/%d" % process, path)) if path else start
    return os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if is_followed or path == start else os.O_NOFOLLOW))


def _text(process: int, place: int) -> bytes:
    found = b""
    while b"\0" not in found and len(found) <= _LONGEST:
        found += _read(process, place + len(found), _PAGE - (place + len(found)) % _PAGE)
    return found.partition(b"\0")[0]


def _read(process: int, place: int, size: int) -> bytes:
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        memory.seek(place)
        found = memory.read(size)
    if not found:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
    return found
