# SPDX-License-Identifier: Apache-2.0
"""What row hashes add up to: `lkt1` a sum that adds and subtracts, `lks1` leaves in order, `lkm1` sorted buckets.

    >>> (state(january) + state(february)) == state(both)  # doctest: +SKIP
    True

`lkt1` is proof against accidents, not adversaries: sums can be forged in a fraction of a second. What is signed or
audited is `lks1` or `lkm1`, plain hash trees.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from blake3 import blake3

from lineagekit.errors import BadDataError, IncomparableError
from lineagekit.identity.tables.engine import Hashes

LEAF_ROWS = 65_536
HASH_BYTES = 32
_LANES = struct.Struct("<4Q")
_STATE = struct.Struct("<5Q")
_MODULUS = 1 << 64


@dataclass(frozen=True, slots=True)
class TableState:
    """Row count and four lane sums: 40 bytes that add up over partitions, tasks and added files, and subtract."""

    schema_hash: bytes
    rows: int = 0
    lanes: tuple[int, int, int, int] = (0, 0, 0, 0)

    def plus(self, hashes: Hashes) -> TableState:
        """With these rows added."""
        sums = [int(hashes[:, lane].sum(dtype=np.uint64)) for lane in range(4)]  # one by one: five times faster
        return self + TableState(self.schema_hash, len(hashes), _lanes(sums))

    def __add__(self, other: TableState) -> TableState:
        """All rows of both; tables with other columns or types cannot be added."""
        return self._join(other, 1)

    def __sub__(self, other: TableState) -> TableState:
        """The rows of self without those of other."""
        return self._join(other, -1)

    def _join(self, other: TableState, sign: int) -> TableState:
        if self.schema_hash != other.schema_hash:
            raise IncomparableError("cannot add or subtract tables with different columns or types")
        lanes = _lanes([a + sign * b for a, b in zip(self.lanes, other.lanes, strict=True)])
        return TableState(self.schema_hash, (self.rows + sign * other.rows) % _MODULUS, lanes)

    def to_bytes(self) -> bytes:
        """The 40 bytes; the schema hash travels beside them."""
        return _STATE.pack(self.rows, *self.lanes)

    @classmethod
    def from_bytes(cls, schema_hash: bytes, data: bytes) -> TableState:
        """Read what `to_bytes` wrote."""
        if len(data) != _STATE.size:
            raise BadDataError(f"not a table state: got {len(data)} bytes, expected {_STATE.size}")
        rows, *lanes = _STATE.unpack(data)
        return cls(schema_hash, rows, _lanes(lanes))

    def hex(self) -> str:
        """The `lkt1` hex."""
        return blake3(b"lineagekit.table.v1\0" + self.schema_hash + self.to_bytes()).hexdigest()


def _lanes(sums: list[int]) -> tuple[int, int, int, int]:
    a, b, c, d = (lane % _MODULUS for lane in sums)
    return a, b, c, d


class Leaves:
    """The row hashes of any ranges of a table, folded to one leaf per 65,536 rows as soon as a leaf is whole."""

    def __init__(self) -> None:
        """No rows yet."""
        self._whole: dict[int, bytes] = {}
        self._fragments: dict[int, dict[int, bytes]] = {}  # leaf -> first row in it -> row hashes

    def add(self, first_row: int, hashes: Hashes) -> None:
        """Add consecutive rows that start at an absolute row."""
        data = hashes.tobytes()
        at = 0
        while at < len(hashes):
            leaf, start = divmod(first_row + at, LEAF_ROWS)
            end = min(len(hashes), at + LEAF_ROWS - start)
            self._add_fragment(leaf, start, data[at * HASH_BYTES : end * HASH_BYTES])
            at = end

    def merge(self, other: Leaves) -> None:
        """Take over the rows of other, which must be different rows."""
        self._whole |= other._whole
        for leaf, fragments in other._fragments.items():
            for start, data in fragments.items():
                self._add_fragment(leaf, start, data)

    def _add_fragment(self, leaf: int, start: int, data: bytes) -> None:
        fragments = self._fragments.setdefault(leaf, {})
        fragments[start] = data
        if sum(map(len, fragments.values())) == LEAF_ROWS * HASH_BYTES:
            self._whole[leaf] = _fold(self._fragments.pop(leaf), LEAF_ROWS)

    def hex(self, schema_hash: bytes, order_hash: bytes, rows: int) -> str:
        """The `lks1` hex of a table of so many rows; a missing or doubled row is BadDataError."""
        leaves = [
            self._whole.get(leaf) or _fold(self._fragments.get(leaf, {}), min(LEAF_ROWS, rows - leaf * LEAF_ROWS))
            for leaf in range(-(-rows // LEAF_ROWS))
        ]
        head = b"lineagekit.seq.v1\0" + schema_hash + order_hash + struct.pack("<Q", rows)
        return blake3(head + b"".join(leaves)).hexdigest()


def _fold(fragments: dict[int, bytes], rows: int) -> bytes:
    hasher, at = blake3(), 0
    for start in sorted(fragments):
        if start != at:
            break
        hasher.update(fragments[start])
        at += len(fragments[start]) // HASH_BYTES
    if at != rows:
        raise BadDataError(f"rows are missing or doubled: got {at} of a leaf in order, expected {rows}")
    return hasher.digest()


def sorted_hex(schema_hash: bytes, parts: list[Hashes]) -> str:
    """The `lkm1` hex: 256 buckets by first byte, each sorted bytewise. Holds every row hash in memory."""
    hashes = np.concatenate(parts) if parts else np.empty((0, 4), np.uint64)
    keys = hashes.byteswap()  # numeric order of these is byte order of the hashes
    rows = np.lexsort((keys[:, 3], keys[:, 2], keys[:, 1], keys[:, 0]))
    ends = np.searchsorted(keys[rows, 0] >> np.uint64(56), np.arange(257, dtype=np.uint64))
    ordered = hashes[rows]
    leaves = (blake3(ordered[a:b].tobytes()).digest() for a, b in pairwise(ends))
    return sorted_hex_of_leaves(schema_hash, len(hashes), leaves)


def sorted_hex_of_leaves(schema_hash: bytes, rows: int, leaves: Iterable[bytes]) -> str:
    """The `lkm1` hex from the BLAKE3 of each of the 256 buckets, wherever they were sorted."""
    head = b"lineagekit.msort.v1\0" + schema_hash + struct.pack("<Q", rows)
    return blake3(head + b"".join(leaves)).hexdigest()
