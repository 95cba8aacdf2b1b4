# SPDX-License-Identifier: Apache-2.0
"""Journals on the disk: whose each is, whether its owner lives, reading on from an offset, and when one may go.

    >>> for path in find_journals("/data/.lineagekit/journal"):  # doctest: +SKIP
    ...     owner = read_head(path).owner

A process is known by host, boot, pid and start time: a pid alone is used again. A journal of another host is never
touched. One of this host from before its last start has a dead owner, if it is as old as that; else another machine
of the same name has written it, and it is left alone too.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lineagekit.agent.journal import SUFFIX, boot_id, read_facts
from lineagekit.errors import BadDataError
from lineagekit.record.facts import Fact, text, whole

Standing = Literal["alive", "dead", "foreign"]

PIECE = 2 << 20
"""Bytes read at once; a longer record is read whole all the same."""

HEAD = 64 << 10
"""Bytes of a head."""

_HEADER = 4096
_SLACK = 60 * 10**9  # two clocks of one machine, before and after its start, differ by less


class Owner(NamedTuple):
    """The process that writes a journal, from its header."""

    id: str
    host: str
    boot: str
    pid: int
    start: str


@dataclass(frozen=True, slots=True)
class Here:
    """This host, in this boot."""

    host: str
    boot: str
    booted: int
    """When, in nanoseconds since 1970."""

    @classmethod
    def now(cls) -> Here:
        """Ask the system."""
        up = time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
        return cls(os.uname().nodename, boot_id(), time.time_ns() - up)


def find_journals(folder: str) -> list[str]:
    """Paths of all journals, oldest first; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.name.endswith(SUFFIX) and entry.is_file())
    except FileNotFoundError:
        return []


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a journal, which of most journals are all, and whose it is."""

    path: str
    data: bytes
    size: int
    written: int
    """When its last fact was written, in nanoseconds since 1970."""
    owner: Owner | None
    """None where there is no header yet, or never will be."""


def read_head(path: str) -> Head:
    """Open a journal once. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data, found = os.read(descriptor, HEAD), os.fstat(descriptor)
    finally:
        os.close(descriptor)
    header = data[: data.find(b"\n", 1)] if data.count(b"\n", 0, _HEADER) > 1 else data[:_HEADER]
    owner = next((_owner(fact) for _, fact in _facts_of(header)), None)
    return Head(path, data, max(found.st_size, len(data)), found.st_mtime_ns, owner)


def judge(owner: Owner, here: Here, written: int) -> Standing:
    """Whether the owner of a journal, last written at `written` (ns), is alive, dead, or not ours to judge."""
    if owner.host != here.host:
        return "foreign"
    if owner.boot != here.boot:
        return "dead" if written < here.booted + _SLACK else "foreign"
    return "alive" if is_alive(owner.pid, owner.start) else "dead"


def is_alive(pid: int, start: str) -> bool:
    """Whether this very process runs: a zombie does not, nor does another that was given the same pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0] not in (b"Z", b"X") and fields[19].decode() == start
    except (OSError, IndexError):
        return not os.path.isdir("/proc/self") and _answers(pid)


def read_journal(path: str, start: int, end: int, *, piece: int = PIECE) -> Iterator[tuple[int, int, Fact]]:
    """Facts between two offsets, each with where it begins and ends. Raises OSError.

    Torn records are passed over: they belong to the record behind them.
    """
    with open(path, "rb", buffering=0) as file:
        at = file.seek(start)
        begin, rest = at, b""
        while at < end and (more := file.read(min(piece, end - at))):
            at += len(more)
            data = rest + more
            cut = len(data) if at >= end else max(data.rfind(b"\n"), 0)
            base = at - len(data)
            for offset, fact in _facts_of(data[:cut]):
                yield begin, base + offset, fact
                begin = base + offset
            rest = data[cut:]


def read_on(head: Head, start: int) -> Iterator[tuple[int, int, Fact]]:
    """Facts from an offset to where the journal ended when its head was read. Raises OSError."""
    if head.size > len(head.data):
        yield from read_journal(head.path, start, head.size)
        return
    begin = start
    for offset, fact in _facts_of(head.data[start:]):
        yield begin, start + offset, fact
        begin = start + offset


def remove_journal(path: str, *, settled: int) -> bool:
    """Delete the journal of a dead process, if nothing was written behind `settled`; say whether it is gone.

    Who is dead stays so. What it wrote between its last judgement and its death is seen by the size.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_size != settled:
            return False
        os.unlink(path)
        return True
    except FileNotFoundError:
        return True
    except BlockingIOError:  # somebody else is at it
        return False
    finally:
        os.close(descriptor)


def _facts_of(data: bytes) -> Iterator[tuple[int, Fact]]:
    """As `read_facts`; of a piece with a record that is whole and yet no JSON, all but that record."""
    try:
        return iter(list(read_facts(data)))
    except (ValueError, RecursionError):
        return _facts_one_by_one(data)


def _facts_one_by_one(data: bytes) -> Iterator[tuple[int, Fact]]:
    at = 0
    for line in data.split(b"\n"):
        try:
            for length, fact in read_facts(line):
                yield at + length, fact
        except (ValueError, RecursionError):
            pass  # whoever wrote it has lost it already
        at += len(line) + 1


def _owner(header: Fact) -> Owner | None:
    try:
        pid = whole(header, "pid")
        owner = Owner(text(header, "id"), text(header, "host"), text(header, "boot"), pid or 0, text(header, "start"))
    except BadDataError:
        return None
    return owner if header.get("fact") == "journal" and owner.id and pid is not None else None


def _answers(pid: int) -> bool:
    """Where the system keeps no /proc: whether there is a process of this number, as good as it gets."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
