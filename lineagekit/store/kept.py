# SPDX-License-Identifier: Apache-2.0
"""Kept bytes: files whose digests are in the log, so that a run can be built again from what it read.

    >>> kept = Kept("/data/.lineagekit", most=10 << 30)  # doctest: +SKIP
    >>> kept.put("/data/orders.csv", "blake3:9f3c...")  # doctest: +SKIP
    True
    >>> kept.find("blake3:9f3c...")  # doctest: +SKIP
    '/data/.lineagekit/objects/9f/3c...'

Each lies once in the store's folder, `objects/<2 hex>/<rest>`, named by the BLAKE3 of its bytes and closed to writing;
a link in `objects/sha256` leads to what is known by that digest (the sources of modules). It is a copy, or shares its
blocks with the original, and is never another name of the user's file, which may be written to. Its own time is that
of its last use.

Nothing here raises because of one file: what cannot be kept is not, and `put` says so. Nothing is flushed, which would
take ten times as long: bytes are hashed before they are handed out, and what a power cut tore is removed then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import LineagekitError
from lineagekit.identity.batch import FLAGS, SMALL, one_shot
from lineagekit.identity.files import hash_file
from lineagekit.identity.hashing import ALGORITHMS, Hashing
from lineagekit.store import gc
from lineagekit.store.clone import Wanted, copy_wanted
from lineagekit.store.room import FOLDER, Room, kept_files
from lineagekit.store.scratch import Scratch

_OURS, _OTHER = ALGORITHMS
_BATCH = 512
"""Files that get their names at one time: others wait for that, and the sum is written once."""


class _Copied(NamedTuple):
    """A finished copy, which has no name yet."""

    wanted: Wanted
    scratch: str
    hex: str


class Kept:
    """The bytes of one store; processes and threads may share them, and any of them may be killed."""

    def __init__(self, store_folder: str | os.PathLike[str], *, most: int | None = None) -> None:
        """Of the store in this folder; with `most` nothing is kept that would make it more bytes than that."""
        self._folder = os.path.join(store_folder, FOLDER)
        self._room = Room(self._folder, most)
        self._scratch = Scratch(self._folder)
        self._whole: dict[str, Evidence] = {}

    def put(self, path: str, digest: str) -> bool:
        """Keep a copy of this file, if the copy has this digest; whether these bytes are kept now."""
        try:
            size = os.stat(path).st_size
        except (OSError, ValueError):  # ValueError: a NUL inside
            return False
        return bool(list(self.put_all([Wanted(path, digest, size)])))

    def put_all(self, files: Iterable[Wanted], *, until: float = float("inf")) -> Iterator[str]:
        """Keep a copy of each that has its digest, until then (`time.monotonic`); the digests of what is kept now."""
        waiting: list[_Copied] = []
        try:
            for file in files:
                if time.monotonic() > until:
                    break
                if self._is_there(file):
                    yield file.digest
                elif copied := self._copy(file, until):
                    waiting.append(copied)
                    if len(waiting) >= _BATCH or file.size > SMALL:
                        yield from self._enter(waiting)
                        waiting = []
            yield from self._enter(waiting)
        finally:
            for copied in waiting:
                self._scratch.remove(copied.scratch)

    def put_bytes(self, body: bytes) -> str:
        """Keep bytes that are in no file; their digest, under which they are found if there was room for them."""
        hex_ = one_shot(_OURS)(body).hexdigest()
        wanted = Wanted("", f"{_OURS}:{hex_}", len(body))
        with suppress(OSError):
            if not self._is_there(wanted) and self._room.takes(len(body)):
                with self._scratch.new() as (name, target), open(target, "wb", closefd=False) as file:
                    file.write(body)
                list(self._enter([_Copied(wanted, name, hex_)]))
        return wanted.digest

    def find(self, digest: str) -> str | None:
        """Where these bytes are, whole: they are hashed before they are handed out, once for each that asks."""
        place = self._place_of(digest)
        if place is None or not self.check(digest):
            return None
        with suppress(OSError):  # where nothing may be written, nobody removes what was used longest ago
            if _use(place):
                self._whole[digest] = Evidence.of(os.stat(place))
        return place

    def is_kept(self, digest: str) -> bool:
        """Whether they are there; not whether they are whole, which `find` sees to."""
        return self._place_of(digest) is not None

    def check(self, digest: str) -> bool:
        """Whether they are there, and whole; what is damaged is removed, so that it can be kept anew."""
        place = self._place_of(digest)
        if place is None:
            return False
        algorithm = digest.partition(":")[0]
        try:
            if self._whole.get(digest) == Evidence.of(os.stat(place)):
                return True
            hashed = hash_file(place, Hashing(algorithm, threads=2))
        except (OSError, LineagekitError):
            return False
        if str(hashed.digest) == digest:
            self._whole[digest] = hashed.evidence
            return True
        with suppress(OSError):
            os.unlink(place if algorithm == _OURS else self._link_of(digest))
        return False if algorithm == _OURS else self._check_behind(place)

    def size(self) -> int:
        """Bytes that are kept. Looks at every one of the files."""
        return sum(one.size for one in kept_files(self._folder))

    def refused(self) -> str:
        """Why something was not kept, and would not be now: "limit", "disk"; "" if nothing was refused."""
        with suppress(OSError):
            return self._room.refused()
        return ""

    def digests(self) -> Iterator[tuple[str, str]]:
        """The digest of each, and any other that it is known by, or the same again."""
        links = gc.read_links(self._folder)
        for one in kept_files(self._folder):
            yield f"{_OURS}:{one.hex}", f"{_OTHER}:{links[one.hex]}" if one.hex in links else f"{_OURS}:{one.hex}"

    def collect(self, keep: Iterable[str], *, most: int | None, dry_run: bool = False) -> gc.Collected:
        """Remove what is not among the digests `keep`, then what was used longest ago, until `most` bytes are left.

        What came within the last hour stays, for the run that it is of may not be in the log yet. Raises OSError.
        """
        return gc.collect(self._folder, self._room, keep, most=most, dry_run=dry_run)

    def _copy(self, file: Wanted, until: float) -> _Copied | None:
        """A copy that is proven to have the digest, if it can be had."""
        try:
            if file.digest.partition(":")[0] not in ALGORITHMS or not self._room.takes(file.size):
                return None
            source = os.open(file.path, FLAGS)
        except (OSError, ValueError):  # ValueError: a NUL inside
            return None
        try:
            with self._scratch.new() as (name, target):
                if hex_ := copy_wanted(source, target, file, until=until):
                    return _Copied(file, name, hex_)
                self._scratch.remove(name)
        except (OSError, ValueError):
            pass
        finally:
            os.close(source)
        return None

    def _enter(self, copies: Sequence[_Copied]) -> Iterator[str]:
        """Give finished copies their names, as far as there is room: the only moment for which others wait."""
        there: set[str] = set()
        with suppress(OSError):  # those that have their names by then are kept
            if copies:
                with self._room.locked():
                    self._name(copies, there)
        for one in copies:
            if one.hex in there and self._link(one.wanted.digest, one.hex):
                yield one.wanted.digest

    def _name(self, copies: Sequence[_Copied], there: set[str]) -> None:
        """Under the lock; those that are there in the end are added to `there`. Raises OSError."""
        new: dict[str, _Copied] = {}
        try:
            for one in copies:
                if _has_size(self._place(one.hex), one.wanted.size):
                    there.add(one.hex)
                elif one.hex not in new:
                    new[one.hex] = one
            admitted = self._room.admit([one.wanted.size for one in new.values()])
            for one, is_in in zip(new.values(), admitted, strict=True):
                if is_in:
                    self._scratch.rename(one.scratch, self._place(one.hex))
                    there.add(one.hex)
        finally:
            for one in copies:
                if new.get(one.hex) is not one or one.hex not in there:
                    self._scratch.remove(one.scratch)

    def _check_behind(self, place: str) -> bool:
        """A link and what it leads to do not fit; the other may be the one that is damaged. Always False."""
        fan, name = place.split(os.sep)[-2:]
        self.check(f"{_OURS}:{fan}{name}")
        return False

    def _link(self, digest: str, ours: str) -> bool:
        """Let it be found by the digest that the log knows; whether it is."""
        if digest.startswith(_OURS):
            return True
        with suppress(OSError):
            self._scratch.link(os.path.join("..", "..", ours[:2], ours[2:]), self._link_of(digest))
            return True
        return False

    def _is_there(self, file: Wanted) -> bool:
        """Whether it is kept already, and not cut short; then it is used again."""
        algorithm, _, hex_ = file.digest.partition(":")
        place = self._place(hex_) if algorithm == _OURS else self._link_of(file.digest)
        if not _has_size(place, file.size):
            return False
        with suppress(OSError):
            _use(place)
        return True

    def _place(self, hex_: str) -> str:
        return f"{self._folder}/{hex_[:2]}/{hex_[2:]}"

    def _place_of(self, digest: str) -> str | None:
        """Where a file would be handed out from; None if there is none."""
        algorithm, _, hex_ = digest.partition(":")
        if len(hex_) != 64 or not set(hex_) <= set("0123456789abcdef") or algorithm not in ALGORITHMS:
            return None
        place = self._place(hex_) if algorithm == _OURS else os.path.realpath(self._link_of(digest))
        return place if os.path.isfile(place) else None

    def _link_of(self, digest: str) -> str:
        algorithm, _, hex_ = digest.partition(":")
        return os.path.join(self._folder, algorithm, hex_[:2], hex_[2:])


def _use(place: str) -> bool:
    """Move its time, if that is not of late anyway; whether it was moved. Raises OSError."""
    old = time.time_ns() - os.stat(place).st_mtime_ns > gc.YOUNG // 2
    if old:
        os.utime(place)
    return old


def _has_size(place: str, size: int) -> bool:
    try:
        return os.stat(place).st_size == size
    except (OSError, ValueError):
        return False
