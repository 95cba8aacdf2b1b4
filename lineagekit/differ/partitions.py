# SPDX-License-Identifier: Apache-2.0
"""Which rows differ: sums of row hashes in 65,536 partitions first, then only the rows of partitions that differ.

By the hash of a key, rows of one key meet in one partition; without a key, by the row's own hash. Partitions are looked
into a few million rows at a time, so memory is bounded whatever the tables hold.

    >>> by_key(left, right, most_pairs=1000, most_rows=3)  # doctest: +SKIP
    Found(changed=2, added=1, removed=0, ...)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineagekit.differ.cells import Numbers
from lineagekit.differ.spool import Rows, Spool

_BITS = 16
_SHIFT = np.uint64(64 - _BITS)
_AT_ONCE = 1 << 22
"""Rows of both sides that are held at a time."""

Mask = npt.NDArray[np.bool_]


class NotUniqueError(Exception):
    """A key stands in two rows of one table."""


class Hashed(NamedTuple):
    """Hashes of rows, and the hash by which they are parted: of the key, or the same one again."""

    by: Spool
    rows: Spool


class Slice(NamedTuple):
    """Some rows of one table."""

    by: Numbers
    hashes: Numbers
    rows: Rows


@dataclass(slots=True)
class Found:
    """How many rows differ, and which ones, up to a limit; `pairs` are row numbers on the left and on the right."""

    changed: int = 0
    added: int = 0
    removed: int = 0
    pairs: list[tuple[Rows, Rows]] = field(default_factory=list)
    new: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    gone: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def paired(self) -> tuple[Rows, Rows]:
        """Row numbers of changed rows, by where they stand on the left."""
        if not self.pairs:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        left, right = (np.concatenate(side) for side in zip(*self.pairs, strict=True))
        order = np.argsort(left, kind="stable")
        return left[order], right[order]


def by_key(left: Hashed, right: Hashed, *, most_pairs: int, most_rows: int) -> Found:
    """Match rows by their keys. Raises NotUniqueError where two rows that differ have one key."""
    found, kept = Found(), 0
    for a, b in _slices(left, right):
        _require_unique(a.by)
        _require_unique(b.by)
        _, at_a, at_b = np.intersect1d(a.by, b.by, assume_unique=True, return_indices=True)
        differ = a.hashes[at_a] != b.hashes[at_b]
        found.changed += int(differ.sum())
        if kept < most_pairs:
            pairs = a.rows[at_a[differ]][: most_pairs - kept], b.rows[at_b[differ]][: most_pairs - kept]
            found.pairs.append(pairs)
            kept += len(pairs[0])
        _add_lonely(found, _without(a.rows, at_a), _without(b.rows, at_b), most_rows)
    return found


def as_multisets(left: Hashed, right: Hashed, *, most_rows: int) -> Found:
    """Rows that one side has more often than the other; of equal rows the first ones are shown."""
    found = Found()
    gone, new = _Surplus(most_rows), _Surplus(most_rows)
    for wanted in _parted(left, right):
        a, b = _counts(left, wanted), _counts(right, wanted)
        gone.add(a, b)
        new.add(b, a)
    found.removed, found.added = gone.rows, new.rows
    found.gone, found.new = gone.places(left.rows), new.places(right.rows)
    return found


class _Surplus:
    """What one side has more often: how many rows, and some of their hashes."""

    def __init__(self, most: int) -> None:
        self._most, self.rows = most, 0
        self._left: dict[int, int] = {}

    def add(self, one: Counts, other: Counts) -> None:
        places = np.searchsorted(other.hashes, one.hashes)
        places[places == len(other.hashes)] = 0
        theirs = np.zeros(len(one.hashes), np.int64)
        if len(other.hashes):
            theirs = np.where(other.hashes[places] == one.hashes, other.counts[places], 0)
        more = one.counts - theirs
        kept = np.flatnonzero(more > 0)
        self.rows += int(more[kept].sum())
        for place in kept[: self._most - len(self._left)]:
            self._left[int(one.hashes[place])] = int(more[place])

    def places(self, hashes: Spool) -> Rows:
        """Where such rows stand, so many of each as there are too many."""
        left, found, room = dict(self._left), [], self._most
        for row, block in hashes.blocks() if room else ():
            for hash_ in [one for one in left if left[one]]:
                rows = np.flatnonzero(block == np.uint64(hash_))[: min(left[hash_], room)]
                left[hash_] -= len(rows)
                room -= len(rows)
                found.append(rows + row)
            if not room or not any(left.values()):
                break
        return np.sort(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)


class Counts(NamedTuple):
    """Distinct hashes, ascending, and how often each comes."""

    hashes: Numbers
    counts: Rows


def _counts(hashed: Hashed, wanted: Mask) -> Counts:
    """Of the rows in these partitions; joined as they come, for a row may be there a million times."""
    pieces: list[Counts] = [Counts(np.empty(0, np.uint64), np.empty(0, np.int64))]
    for _, block in hashed.rows.blocks():
        some = np.sort(block[wanted[(block >> _SHIFT).astype(np.intp)]])
        pieces.append(_joined([Counts(some, np.ones(len(some), np.int64))]))
        if sum(len(piece.hashes) for piece in pieces[1:]) > max(_AT_ONCE, len(pieces[0].hashes)):
            pieces = [_joined(pieces)]
    return _joined(pieces)


def _joined(pieces: list[Counts]) -> Counts:
    hashes = np.concatenate([piece.hashes for piece in pieces])
    counts = np.concatenate([piece.counts for piece in pieces])
    if len(pieces) > 1:
        order = np.argsort(hashes, kind="stable")
        hashes, counts = hashes[order], counts[order]
    if not len(hashes):
        return Counts(hashes, counts)
    first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    return Counts(hashes[first], np.add.reduceat(counts, first))


def _add_lonely(found: Found, gone: Rows, new: Rows, most: int) -> None:
    found.removed += len(gone)
    found.added += len(new)
    found.gone = np.sort(np.concatenate([found.gone, gone]))[:most]
    found.new = np.sort(np.concatenate([found.new, new]))[:most]


def _without(rows: Rows, places: npt.NDArray[np.intp]) -> Rows:
    kept = np.ones(len(rows), np.bool_)
    kept[places] = False
    return rows[kept]


def _require_unique(keys: Numbers) -> None:
    ordered = np.sort(keys)
    if (ordered[1:] == ordered[:-1]).any():
        raise NotUniqueError


def is_unique(keys: Spool) -> bool:
    """Whether no number comes twice."""
    slices = max(1, -(-len(keys) // (2 * _AT_ONCE)))
    edges = [(number << 64) // slices for number in range(slices + 1)]
    try:
        for low, high in pairwise(edges):
            some = [block[_between(block, low, high)] if slices > 1 else block for _, block in keys.blocks()]
            if some:
                _require_unique(np.concatenate(some))
    except NotUniqueError:
        return False
    return True


def _between(numbers: Numbers, low: int, high: int) -> Mask:
    return (numbers >= np.uint64(low)) & (numbers <= np.uint64(high - 1))


def _slices(left: Hashed, right: Hashed) -> Iterator[tuple[Slice, Slice]]:
    for wanted in _parted(left, right):
        yield _collect(left, wanted), _collect(right, wanted)


def _parted(left: Hashed, right: Hashed) -> Iterator[Mask]:
    """Partitions that differ, as many at a time as hold so many rows."""
    (sums, counts), (other_sums, other_counts) = _sums(left), _sums(right)
    places = np.flatnonzero((sums != other_sums) | (counts != other_counts))
    ends = np.cumsum((counts + other_counts)[places])
    while len(places):
        take = max(1, int(np.searchsorted(ends, _AT_ONCE, "right")))
        wanted = np.zeros(1 << _BITS, np.bool_)
        wanted[places[:take]] = True
        yield wanted
        ends = ends[take:] - ends[take - 1]
        places = places[take:]


def _sums(hashed: Hashed) -> tuple[Numbers, npt.NDArray[np.int64]]:
    sums, counts = np.zeros(1 << _BITS, np.uint64), np.zeros(1 << _BITS, np.int64)
    for (_, by), (_, hashes) in zip(hashed.by.blocks(), hashed.rows.blocks(), strict=True):
        places = (by >> _SHIFT).astype(np.intp)
        np.add.at(sums, places, hashes)
        counts += np.bincount(places, minlength=1 << _BITS)
    return sums, counts


def _collect(hashed: Hashed, wanted: Mask) -> Slice:
    pieces = []
    for (row, by), (_, hashes) in zip(hashed.by.blocks(), hashed.rows.blocks(), strict=True):
        kept = np.flatnonzero(wanted[(by >> _SHIFT).astype(np.intp)])
        if len(kept):
            pieces.append(Slice(by[kept], hashes[kept], kept + row))
    if not pieces:
        return Slice(np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64))
    return Slice(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
