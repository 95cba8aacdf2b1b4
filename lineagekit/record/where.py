# SPDX-License-Identifier: Apache-2.0
"""Where a path leads: through links, to which mount, and whether it is a place for things that do not last.

>>> is_temporary("/data/tmpab12_x9z/part.csv"), is_temporary("/data/orders.csv")
(True, False)
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from functools import lru_cache

from lineagekit.identity.mounts import is_local

_FINE_KERNEL = (6, 13)
_FINE_FILE_SYSTEMS = frozenset({"ext4", "xfs", "btrfs", "tmpfs", "overlay", ""})
"""Subvolumes of btrfs, and what an overlay shows of the file system below it, are not in the table of mounts."""

_ROOTS = tuple({f"{root}/" for root in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())})
# What Python's tempfile makes, and what programs call a file that is to be renamed when it is whole.
_TRANSIENT = re.compile(
    r"/tmp[a-z0-9_]{8}(?:[/.]|\Z)|\.(?:tmp|temp|part|partial|swp|crdownload|lock)\Z|~\Z", re.IGNORECASE
)


def is_temporary(path: str) -> bool:
    """Whether nobody wonders when this is gone."""
    return path.startswith(_ROOTS) or _TRANSIENT.search(path) is not None


class Links:
    """Real paths; folders are looked up once, because most files share theirs."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._folders: dict[str, str] = {}

    def real(self, path: str) -> str:
        """Where the links of a path lead; '' where it leads nowhere else, or cannot be asked."""
        folder, name = os.path.split(path)
        try:
            real = self._folders.get(folder)
            if real is None:
                real = self._folders[folder] = os.path.realpath(folder)
            found = os.path.realpath(path) if os.path.islink(path) else os.path.join(real, name)
        except (OSError, ValueError):  # ValueError: a NUL inside
            return ""
        return "" if found == path else found


def mount_of(device: int) -> str:
    """What is mounted, where that is another machine's: `server:/export`; '' for what is local."""
    return "" if is_local(device) else _mount(device)[1]


def has_fine_stamps(device: int) -> bool:
    """Whether a file that was looked at gets a finer stamp with its next write: multigrain timestamps, Linux 6.13."""
    return _kernel() >= _FINE_KERNEL and is_local(device) and _mount(device)[0] in _FINE_FILE_SYSTEMS


@lru_cache(maxsize=1)
def _kernel() -> tuple[int, ...]:
    """The version of Linux; () of anything else."""
    numbers = platform.release().split(".")[:2]
    return tuple(int(one) for one in numbers if one.isdecimal()) if sys.platform.startswith("linux") else ()


@lru_cache(maxsize=256)
def _mount(device: int) -> tuple[str, str]:
    """Type and source of the file system of a device; two empty ones where the table does not list it."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
            lines = [line.split(" ") for line in table]
    except OSError:
        return "", ""
    found = (fields[fields.index("-") + 1 :] for fields in lines if fields[2] == number)
    return next(((fields[0], fields[1]) for fields in found), ("", ""))
