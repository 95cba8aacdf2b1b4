# SPDX-License-Identifier: Apache-2.0
"""Parts: a dataset of dated files is one role, and what happened to each part of it is said by its key.

Parts are the files of one dataset, or datasets whose names differ in nothing but a date: both move with a window.

    >>> changes, pairs = compare_parts("/data/labels", before, after)  # doctest: +SKIP
    >>> [change.sentence for change in changes]  # doctest: +SKIP
    ['/data/labels 2026-05-01 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lineagekit.cause.cadence import moment_in
from lineagekit.cause.change import Change, Kind
from lineagekit.cause.views import Use, Views
from lineagekit.events.roles import role_of
from lineagekit.events.said import Name
from lineagekit.store import query, walk

Pairs = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """One part as a run read it."""

    key: str
    digest: str
    """"" if not known."""
    writer: int
    """The run that wrote it; 0 for nobody known."""
    dataset: int
    is_empty: bool = False


Parts = Mapping[str, Part]


def parts_of(views: Views, use: Use) -> Parts:
    """The files of a dataset, by their keys."""
    found: dict[str, Part] = {}
    keys = keys_of(piece.path for piece in use.touch.pieces)
    for piece in use.touch.pieces:
        key = keys[piece.path]
        name = Name(use.name.namespace, f"{use.name.name.rstrip('/')}/{piece.path}")
        writer = _writer(views, name, piece.digest, use.touch.at)
        found[key] = Part(key, piece.digest, writer, use.dataset, is_empty=piece.size == 0)
    return found


def keys_of(paths: Iterable[str]) -> dict[str, str]:
    """What parts of one dataset are called: by what moves in their names; the second one of a day by its path."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(paths):
        key = key_of(path)
        found[path] = key if key not in taken else path
        taken.add(key)
    return found


def key_of(path: str) -> str:
    """What moves in the name of a part; all of it where nothing does."""
    return role_of(f"/{path}").key or path


def parts_in(uses: Iterable[Use], *, below: str = "") -> Parts:
    """Datasets of one role, or of one folder, by what moves in their names."""
    found: dict[str, Part] = {}
    for use in uses:
        key = key_of(use.name.name[len(below) :].lstrip("/")) if below else role_of(use.name.name).key
        writer = next((read.src for read in use.writers if read.src), 0)
        found[key] = Part(key, use.digest, writer, use.dataset, is_empty=use.touch.size == 0)
    return found


def compare_parts(where: str, before: Parts, after: Parts) -> tuple[list[Change], Pairs]:
    """What happened to the parts, and pairs of runs to go on with: who wrote a part then, and who wrote it now.

    What runs wrote is theirs to explain: it is no change of its own, here.
    """
    changes, pairs = [], []
    for key, part in after.items():
        earlier = before.get(key)
        if earlier is not None and earlier.digest and part.digest and earlier.digest != part.digest:
            if earlier.writer and part.writer and earlier.writer != part.writer:
                pairs.append((earlier.writer, part.writer))
            else:
                kind: Kind = "out of band" if earlier.writer and not part.writer else "restated"
                changes.append(_change(kind, where, part, (earlier.digest, part.digest)))
    new_changes, new_pairs = _new_parts(where, before, after)
    changes += new_changes
    changes += _gone_parts(where, before, after)
    return changes, list(dict.fromkeys([*pairs, *new_pairs]))


def _new_parts(where: str, before: Parts, after: Parts) -> tuple[list[Change], Pairs]:
    """A new part stands beside the newest one of before, whose writer had the code and settings of then."""
    known = {part.digest: key for key, part in before.items() if part.digest and not part.is_empty}
    newest = before[max(before, key=moment_in)] if before else None
    changes, pairs = [], []
    for key, part in after.items():
        if key in before:
            continue
        if part.digest in known:
            changes.append(_change("stale", where, part, (known[part.digest], part.digest)))
        elif part.writer and newest is not None and newest.writer:
            pairs.append((newest.writer, part.writer))
        else:
            changes.append(_change("entered", where, part, ("", part.digest)))
    return changes, pairs


def _gone_parts(where: str, before: Parts, after: Parts) -> Iterator[Change]:
    """Older than all that is left: the window moved on. From its middle or end: missing."""
    oldest = min(map(moment_in, after), default="")
    for key, part in before.items():
        if key not in after:
            kind: Kind = "expired" if moment_in(key) < oldest or not after else "missing"
            yield _change(kind, where, part, (part.digest, ""))


def _writer(views: Views, name: Name, digest: str, seen: int) -> int:
    place = query.find_dataset(views.db, name)
    if place is None or not digest:
        return 0
    snaps = query.find_snapshots(views.db, digest, dataset=place)
    writes = [write for snap in snaps for write in walk.writes_of_snapshot(views.db, snap.id)]
    before = [write for write in writes if not seen or write.at is None or write.at <= seen]
    return (before or writes)[0].run if writes else 0


def _change(kind: Kind, where: str, part: Part, pair: tuple[str, str]) -> Change:
    return Change(kind, where, part.key, *pair, dataset=part.dataset)
