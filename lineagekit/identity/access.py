# SPDX-License-Identifier: Apache-2.0
"""Asking the file system, and saying in our words what it refuses.

>>> stat_file("/dev/null")
Traceback (most recent call last):
lineagekit.errors.BadDataError: '/dev/null' is a character device, expected a file
"""

from __future__ import annotations

import errno
import os
import stat

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import BadDataError, LineagekitError, NotFoundError, UnreadableError

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


def stat_file(path: Path) -> Evidence:
    """Evidence of a regular file, links followed; whatever else is there is an error that names it."""
    found = _stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise wrong_kind(path, found.st_mode, expected="a file")
    return Evidence.of(found)


def stat_folder(path: Path) -> os.stat_result:
    """A folder's stat, links followed; whatever else is there is an error that names it."""
    found = _stat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise wrong_kind(path, found.st_mode, expected="a folder")
    return found


def wrong_kind(path: Path, mode: int, *, expected: str) -> LineagekitError:
    """The error for something that is there and is not what was expected."""
    return BadDataError(f"{show(path)} is {_KINDS.get(stat.S_IFMT(mode), 'of an unknown kind')}, expected {expected}")


def _stat(path: Path) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise refusal(error, path) from error
    except ValueError as error:  # a NUL inside
        raise NotFoundError(f"no such file: {show(path)}", advice="No file name holds a NUL.") from error


def refusal(error: OSError, path: Path) -> LineagekitError:
    """Translate what the operating system said about `path`."""
    name = show(path)
    match error.errno:
        case errno.ENOENT if target := _link_target(path):
            return NotFoundError(f"dangling link: {name} points to {show(target)}, which does not exist")
        case errno.ENOENT | errno.ENAMETOOLONG:
            return NotFoundError(f"no such file: {name}", advice="Check the path.")
        case errno.ELOOP:
            return BadDataError(f"circular link: {name} leads back to itself", advice="Remove or mend the link.")
        case errno.ENOTDIR:
            return BadDataError(f"not a folder: {name}, or a part of that path, is a file")
        case errno.EACCES | errno.EPERM:
            return UnreadableError(f"permission denied: {name}", advice="Ask its owner for the right to read it.")
        case _:
            return UnreadableError(f"cannot read {name}: {error.strerror or error}")


def show(path: Path) -> str:
    """A path for people: quoted, with control characters and foreign bytes escaped."""
    return repr(os.fsdecode(path))


def _link_target(path: Path) -> bytes:
    try:
        return os.readlink(os.fsencode(path))
    except OSError:
        return b""
