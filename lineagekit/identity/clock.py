# SPDX-License-Identifier: Apache-2.0
"""When evidence is old enough to prove something: git's "racily clean" rule.

A file system stamps a write with a clock that ticks every few milliseconds (or, on FAT and HFS+, seconds). Two writes
within a tick leave the same evidence, so a file read within a tick of its last change could change again unseen.
Only ctime counts: a write moves it to now, and nobody can set it back. The exception that no evidence can show is a
writer that has mapped the file: it moves the stamp when it first touches a page, and not again until the kernel has
written that page out.

    >>> now = time.time_ns()
    >>> is_settled(now - 10**10, now), is_settled(now, now)
    (True, False)
"""

from __future__ import annotations

import time

MARGIN = 20_000_000
"""Nanoseconds: twice the longest tick of a Linux kernel (100 Hz)."""

COARSE_MARGIN = 2_000_000_000
"""For file systems that keep no nanoseconds: FAT counts in steps of two seconds."""

FINE = 1_000_000
"""A stamp that is a multiple of this comes from such a file system, or once in a million from any other."""


def is_settled(ctime_ns: int, began: int) -> bool:
    """Whether a `write` at or after `began` (nanoseconds) would have moved this stamp."""
    return ctime_ns + _margin(ctime_ns) < began


def wait_until_settled(ctime_ns: int) -> None:
    """Let the clock move on, so that reading can start with a proof; a stamp from the future is not waited for."""
    wait = ctime_ns + _margin(ctime_ns) - time.time_ns()
    if 0 <= wait <= _margin(ctime_ns):
        time.sleep((wait + 1) / 1e9)


def _margin(ctime_ns: int) -> int:
    return MARGIN if ctime_ns % FINE else COARSE_MARGIN
