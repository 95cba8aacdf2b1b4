# SPDX-License-Identifier: Apache-2.0
"""Evidence: what the file system says of a file, cheap to take, that changes when the bytes do.

Equal evidence before and after reading is the proof that one file was read, not two. It is the key of the
digest cache as well.

    >>> Evidence.of(os.stat("data.csv")) == Evidence.of(os.stat("data.csv"))  # doctest: +SKIP
    True
"""

from __future__ import annotations

import os
from collections import namedtuple


class Evidence(namedtuple("Evidence", "size mtime_ns ctime_ns inode device")):
    """The five numbers of `stat` that move when a file is written, replaced or restored."""

    __slots__ = ()

    @classmethod
    def of(cls, stat: os.stat_result) -> Evidence:
        """Take them from a stat result."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)
