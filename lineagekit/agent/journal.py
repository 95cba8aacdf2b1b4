# SPDX-License-Identifier: Apache-2.0
r"""The journal: one append-only file a process, one write a fact, readable whatever cuts it short.

    >>> journal = Journal("/data/.lineagekit/journal")  # doctest: +SKIP
    >>> journal.append({"fact": "input", "run": "0197...", "path": "/data/orders.csv"})  # doctest: +SKIP
    True

The wire, version 1, for writers in any language: a file of records, each

    \n LENGTH SPACE CHECKSUM SPACE JSON

LENGTH (of the JSON in bytes) and CHECKSUM (its CRC-32) are eight lower-case hex digits; the JSON is one object in
ASCII, so it holds no newline. A record begins with its newline: whatever a full disk or a kill left half written ends
where the next record begins, and only that one is lost. A fact is acknowledged when its write has returned, and
survives the death of its process; the `end` of a run is also flushed to the disk.

The first record is the header: `{"fact": "journal", "version": 1, "id", "host", "boot", "pid", "start", "parent"}`.
Every fact has `n`, its place in the journal (1, 2, 3...), and `at`, nanoseconds since 1970. A run that a process
began is over with its `end`, or with the death of that process, unless it said `pause`: then another one goes on with
it. Readers pass over facts that they do not know.
"""

from __future__ import annotations

import binascii
import errno
import itertools
import os
import threading
import time
from functools import lru_cache

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERSION = 1
SUFFIX = ".journal"
LIMIT = 256 << 20
"""Bytes that one process may write. The last quarter is for evidence alone, which file with which stamp; beyond it only
ends of runs and events are written. What was dropped is counted, evidence apart."""

EVIDENCE = frozenset(
    (
        *("read", "writing", "written", "moved", "removed", "changed", "kept", "taken"),
        *("dataset", "result", "ambiguous", "model"),
    )
)
_ALWAYS = frozenset(("run", "pause", "end", "event", "trouble"))  # a few of each run, or not ours to drop

_HEAD = 18  # bytes of LENGTH SPACE CHECKSUM SPACE


class Journal:
    """This process's journal in a folder; the file is made by the first fact, and anew after a fork."""

    _descriptor: int

    def __init__(self, folder: str, *, limit: int = LIMIT, clock: Any = time.time_ns) -> None:
        """Touch nothing yet. A `clock` that runs backwards is put right: facts of a journal keep their order."""
        self.folder = folder
        self.id = ""
        self.dropped = self.lost = 0
        self._limit, self._clock = limit, clock
        self._parent = ""
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_to_parent)

    def append(self, fact: dict[str, Any]) -> bool:
        """Write a fact; True when it will survive this process. Raises OSError or ValueError (not JSON)."""
        descriptor = self._descriptor if self._holds() else self._open()
        if self._size > self._limit * 3 // 4 and not self._has_room(fact["fact"]):
            return False
        return self._write(descriptor, fact)

    def sync(self) -> None:
        """Flush what was written to the disk, against the loss of power."""
        if self._holds():
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file. A later fact begins a new one."""
        with self._opening:
            is_held, descriptor, self._descriptor = self._holds(), self._descriptor, -1
        if is_held:
            os.close(descriptor)

    def _has_room(self, kind: str) -> bool:
        """Whether a fact is still written near the limit; counts it if not."""
        if kind in _ALWAYS or (kind in EVIDENCE and self._size <= self._limit):
            return True
        if kind in EVIDENCE:
            self.lost += 1
        else:
            self.dropped += 1
        return False

    def _reset(self) -> None:
        self._opening = threading.Lock()
        self._descriptor = -1
        self._which = (0, 0)
        self._size = 0
        self._last = 0
        self._numbers = itertools.count(1)

    def _leave_to_parent(self) -> None:
        """In a forked child: another thread may hold the lock for ever, and the file belongs to the parent."""
        inherited, self._parent = self._descriptor if self._holds() else -1, self.id or self._parent
        self._reset()
        self.id = ""
        if inherited >= 0:
            os.close(inherited)

    def _open(self) -> int:
        with self._opening:
            if not self._holds():
                os.makedirs(self.folder, mode=0o700, exist_ok=True)
                self._reset_numbers()
                self.id = new_id(self._clock())
                path = os.path.join(self.folder, self.id + SUFFIX)
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
                descriptor = os.open(path, flags, 0o600)
                is_whole = False
                try:
                    is_whole = self._write(descriptor, _header(self.id, self._parent))
                finally:
                    if not is_whole:  # a full disk takes a part of it, or raises
                        os.close(descriptor)
                        os.unlink(path)  # without a header nobody could tell whose it is
                if not is_whole:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
                found = os.fstat(descriptor)
                self._descriptor, self._which = descriptor, (found.st_ino, found.st_dev)
            return self._descriptor

    def _holds(self) -> bool:
        """Whether the descriptor is still the journal's: a daemon closes all, and the next file has its number."""
        if self._descriptor < 0:
            return False
        try:
            found = os.fstat(self._descriptor)
        except OSError:
            return False
        return (found.st_ino, found.st_dev) == self._which

    def _reset_numbers(self) -> None:
        self._numbers = itertools.count(0)  # the header is number 0
        self._size = 0

    def _write(self, descriptor: int, fact: dict[str, Any]) -> bool:
        self._last = now = max(self._clock(), self._last + 1)
        record = encode(dict(fact, n=next(self._numbers), at=now))
        self._size += len(record)
        return os.write(descriptor, record) == len(record)


def encode(fact: dict[str, Any]) -> bytes:
    """One record."""
    payload: bytes = json_encoder()(fact).encode("ascii")
    return b"\n%08x %08x %b" % (len(payload), binascii.crc32(payload), payload)


@lru_cache(maxsize=1)
def json_encoder() -> Any:
    """What makes compact JSON in ASCII, at half the cost; a circle raises RecursionError."""
    # Half of what `autolog()` would cost; whoever writes a fact mostly has it already.
    from json import JSONEncoder, encoder

    plain = JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False)
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # a Python without it
        return plain.encode
    # `encode` makes this anew for each fact, which takes as long as the encoding itself.
    chunks = make(None, plain.default, encoder.encode_basestring_ascii, None, ":", ",", False, False, False)
    return lambda fact: "".join(chunks(fact, 0))


def read_facts(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Facts of a journal or of any piece of one, each with the offset behind it; torn records are passed over.

    The piece must begin at a record's newline. A last record that is not whole yet is left for the next time.
    """
    at = 0
    for line in data.split(b"\n"):
        at += len(line) + 1
        fact = _decode(line)
        if fact is not None:
            yield at - 1, fact


def new_id(now: int) -> str:
    """A UUID of version 7 for a moment in nanoseconds: sortable by time, unique without asking anybody."""
    milliseconds, fraction = divmod(now, 1_000_000)
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    number = milliseconds << 80 | 7 << 76 | (fraction * 4096 // 1_000_000) << 64 | 2 << 62 | random
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def process_start(pid: int) -> str:
    """When a process began, in the kernel's ticks; '' where it is gone or the system does not tell.

    With the boot and the pid it names a process for good, while a pid alone is used again.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def boot_id() -> str:
    """The name of this boot of this machine, and of the space in which its pids count; '' where nobody tells.

    A container that shares the host's name has pids of its own: who lives there cannot be asked from outside.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _header(id_: str, parent: str) -> dict[str, Any]:
    pid = os.getpid()
    return {
        "fact": "journal",
        "version": VERSION,
        "id": id_,
        "host": os.uname().nodename,
        "boot": boot_id(),
        "pid": pid,
        "start": process_start(pid),
        "parent": parent,
    }


def _decode(line: bytes) -> dict[str, Any] | None:
    payload = line[_HEAD:]
    if line[:_HEAD] != b"%08x %08x " % (len(payload), binascii.crc32(payload)):
        return None
    from json import loads

    try:
        fact = loads(payload.decode("utf-8", "surrogatepass"))  # of bytes, it guesses first what they are
    except (ValueError, RecursionError):  # whole, and no JSON: some other writer's mistake
        return None
    return fact if isinstance(fact, dict) else None
