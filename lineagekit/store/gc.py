# SPDX-License-Identifier: Apache-2.0
"""Which kept bytes can go: those that nothing in the log speaks of any more, and, for a limit, those used longest ago.

>>> names = dict(kept.digests())  # doctest: +SKIP
>>> kept.collect(find_mentioned(store, names), most=None, dry_run=True)  # doctest: +SKIP
Collected(removed=3, unused=0, freed=1024, left=4096)
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from lineagekit.store.log import Store
from lineagekit.store.room import KeptFile, Room, kept_files
from lineagekit.store.scratch import sweep

YOUNG = 3600 * 10**9
"""Nanoseconds: bytes are kept before the run that read them is in the log."""

_LINKS = "sha256"
_DIGEST = re.compile(rb"(?:blake3|sha256):[0-9a-f]{64}")
_MANIFEST = re.compile(rb"lkd1:[0-9a-f]{64}")
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, or would be."""

    removed: int
    """Files."""
    unused: int
    """Of these, how many the log speaks of: they had to go for the limit."""
    freed: int
    """Bytes of these, as for `left`."""
    left: int


def collect(folder: str, room: Room, keep: Iterable[str], *, most: int | None, dry_run: bool) -> Collected:
    """Remove what is not in `keep`, then what was used longest ago. Raises OSError."""
    if not os.path.isdir(folder):
        return Collected(0, 0, 0, 0)
    names = {other: ours for ours, other in read_links(folder).items()}
    wanted = {names.get(hex_, hex_) for _, _, hex_ in (digest.rpartition(":") for digest in keep)}
    with room.locked():
        files = sorted(kept_files(folder), key=lambda one: one.used)
        goes = list(_to_remove(files, wanted, most))
        freed = sum(one.size for one in goes)
        left = sum(one.size for one in files) - freed
        if not dry_run:
            for one in goes:
                os.unlink(one.path)
            room.set(left)
            room.forgive()
            _remove_loose(folder)
            sweep(folder)
    return Collected(len(goes), sum(one.hex in wanted for one in goes), freed, left)


def find_mentioned(
    store: Store, names: Iterable[tuple[str, str]], progress: Callable[[int], None] = lambda _: None
) -> set[str]:
    """The first of each pair whose one or other is in an event, a manifest, or what was learned of an event later.

    Reads the log until it has found them all; told the number of events.
    """
    missing: dict[bytes, set[str]] = {}
    for first, other in names:
        for name in (first, other):
            missing.setdefault(name.encode(), set()).add(first)
    found: set[str] = set()
    wanted = {first for firsts in missing.values() for first in firsts}
    for text in _texts(store, progress):
        found.update(*(missing.pop(name) for name in _DIGEST.findall(text) if name in missing))
        if len(found) == len(wanted):
            break
    return found


def read_links(folder: str) -> dict[str, str]:
    """The other digest of what has one, by ours."""
    return {ours: link.hex for link in kept_files(os.path.join(folder, _LINKS)) if (ours := _target(link.path))}


def _to_remove(files: Iterable[KeptFile], wanted: set[str], most: int | None) -> Iterator[KeptFile]:
    now, stays = time.time_ns(), []
    for one in files:
        if one.hex not in wanted and one.used < now - YOUNG:
            yield one
        else:
            stays.append(one)
    total = sum(one.size for one in stays)
    for one in stays:
        if most is None or total <= most:
            return
        total -= one.size
        yield one


def _texts(store: Store, progress: Callable[[int], None]) -> Iterator[bytes]:
    manifests: set[bytes] = set()
    after = 0
    while rows := store.events(after=after, limit=_BATCH):
        after = rows[-1].seq
        for row in rows:
            yield row.body
            for digest in set(_MANIFEST.findall(row.body)) - manifests:
                manifests.add(digest)
                yield store.object("manifest", digest.decode()) or b""
        progress(len(rows))
    for run in store.refined_runs(0):
        for row in store.run_events(run):
            yield from (
                repr(dict(learned.facet)).encode(errors="backslashreplace") for learned in store.refinements(row.key)
            )


def _remove_loose(folder: str) -> None:
    """Links that lead nowhere."""
    for link in kept_files(os.path.join(folder, _LINKS)):
        if not os.path.exists(link.path):
            os.unlink(link.path)


def _target(link: str) -> str:
    with suppress(OSError):
        fan, _, name = os.readlink(link).removeprefix("../../").partition("/")
        return fan + name
    return ""
