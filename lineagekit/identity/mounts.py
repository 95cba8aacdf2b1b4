# SPDX-License-Identifier: Apache-2.0
"""Where a file system lives: on this machine, where pages can be mapped and clocks agree, or elsewhere.

A mapped page of a network mount can fault at any time, and its server stamps files with its own clock, so what is
fast on a local disk proves nothing there.

    >>> is_local(os.stat("/proc").st_dev) == sys.platform.startswith("linux")
    True
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache

_REMOTE = (
    *("nfs", "cifs", "smb", "9p", "ceph", "afs", "lustre", "gpfs", "beegfs", "gluster", "orangefs", "pvfs2"),
    *("fuse", "virtiofs", "vboxsf", "prl_fs", "coda", "ncpfs"),
)


@lru_cache(maxsize=256)
def is_local(device: int) -> bool:
    """Whether this `st_dev` is a file system of this machine; where Linux does not tell, it is not.

    Asked after a stat, so the mount table has its mount already. A device that the table does not list is local:
    subvolumes and overlays have numbers of their own, network mounts never.
    """
    return sys.platform.startswith("linux") and not _mount_type(device).startswith(_REMOTE)


def _mount_type(device: int) -> str:
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
            lines = [line.split(" ") for line in table]
    except OSError:
        return _REMOTE[0]
    return next((fields[fields.index("-") + 1] for fields in lines if fields[2] == number), "")
