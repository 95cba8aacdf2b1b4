# SPDX-License-Identifier: Apache-2.0
"""Spool: a 64-bit number for each row of a table, on disk, so that memory stays bounded however many there are.

>>> with Spool() as spool:
...     spool.append(0, 0, np.array([7, 8], np.uint64))
...     [block.tolist() for _, block in spool.blocks()]
[[7, 8]]
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from threading import Lock
from typing import Self

import numpy as np
import numpy.typing as npt

from lineagekit.errors import StoreError

Numbers = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

_ITEM = 8
_BLOCK = 1 << 18
"""Numbers that are read at once."""


class Spool:
    """Filled by many threads, a piece of consecutive rows of one part at a time; read in the order of the table."""

    def __init__(self) -> None:
        """Make a file without a name: nothing is left behind."""
        try:
            self._file = tempfile.TemporaryFile(prefix="lineagekit-diff-")  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise _refused(error) from error
        self._lock = Lock()
        self._pieces: list[tuple[int, int, int, int]] = []  # part, first row in it, rows, place in the file
        self._size = 0

    def __enter__(self) -> Self:
        """The spool itself, gone at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget all of it."""
        self._file.close()

    def __len__(self) -> int:
        """Count the rows."""
        return self._size

    def append(self, part: int, first: int, numbers: Numbers) -> None:
        """Add consecutive rows of a part; StoreError where the disk is full."""
        with self._lock:
            place = self._size
            self._size += len(numbers)
            self._pieces.append((part, first, len(numbers), place))
        data, at = np.ascontiguousarray(numbers).view(np.uint8).data, place * _ITEM
        try:
            while data:
                written = os.pwrite(self._file.fileno(), data, at)
                data, at = data[written:], at + written
        except OSError as error:
            raise _refused(error) from error

    def blocks(self) -> Iterator[tuple[int, Numbers]]:
        """The number of the first row, and so many numbers as in the same block of any other spool."""
        pieces = iter(self._runs())
        place = count = 0
        for row in range(0, self._size, _BLOCK):
            block = np.empty(min(_BLOCK, self._size - row), np.uint64)
            filled = 0
            while filled < len(block):
                if not count:
                    place, count = next(pieces)
                size = min(count, len(block) - filled)
                block[filled : filled + size] = self._read(place, size)
                place, count, filled = place + size, count - size, filled + size
            yield row, block

    def at(self, rows: Rows) -> Numbers:
        """The numbers of these rows, which ascend."""
        found = [block[rows[first:last] - row] for row, block, first, last in self._cuts(rows)]
        return np.concatenate(found) if found else np.empty(0, np.uint64)

    def _cuts(self, rows: Rows) -> Iterator[tuple[int, Numbers, int, int]]:
        for row, block in self.blocks():
            first, last = np.searchsorted(rows, [row, row + len(block)])
            if last > first:
                yield row, block, int(first), int(last)

    def _runs(self) -> list[tuple[int, int]]:
        """Places and lengths of what lies together in the file and in the table, in the table's order."""
        runs: list[tuple[int, int]] = []
        for _, _, count, place in sorted(self._pieces):
            if runs and sum(runs[-1]) == place:
                runs[-1] = runs[-1][0], runs[-1][1] + count
            elif count:
                runs.append((place, count))
        return runs

    def _read(self, place: int, count: int) -> Numbers:
        data = os.pread(self._file.fileno(), count * _ITEM, place * _ITEM)
        return np.frombuffer(data, np.uint64)


def _refused(error: OSError) -> StoreError:
    folder = tempfile.gettempdir()
    return StoreError(
        f"cannot keep row digests in {folder}: {error.strerror}", advice="Free some space, or set TMPDIR to a folder."
    )
