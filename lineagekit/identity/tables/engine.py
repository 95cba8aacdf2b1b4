# SPDX-License-Identifier: Apache-2.0
"""Engine: the six loops that cost time, twice: `pure` runs everywhere, `fast` is compiled. Bit for bit the same.

An engine is a module. Which one ran is never part of a digest.

    >>> choose_engine(words=1000).name
    'pure'
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineagekit.extras import need

if TYPE_CHECKING:
    from lineagekit.identity.profile import ColumnPlan
    from lineagekit.identity.tables.tallies import Tallies

Words = npt.NDArray[np.uint64]  # [words, rows]: word w of all rows lies together
Hashes = npt.NDArray[np.uint64]  # [rows, 4]: the 32 bytes of each row hash
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]
EngineName = Literal["pure", "fast"]

_log = logging.getLogger(__name__)

# Importing numba takes half a second, and a first run compiles for some more: below this, pure is done sooner.
_FAST_PAYS_FROM_WORDS = 2_000_000


class Engine(Protocol):
    """What a table digest asks of an engine."""

    name: EngineName
    rows_at_once: int

    def widen(self, values: Numbers, into: Words) -> None:
        """Write numbers as 64-bit words: integers extended, floats as binary64 with one NaN."""

    def mark_nulls(self, array: pa.Array, matrix: Words, words: range, bit: int) -> None:
        """Zero the words of null rows and set their null bit."""

    def write_slots(self, data: Bytes, offsets: Numbers, scale: int, into: Words) -> None:
        """Write values `data[offsets[i]*scale : offsets[i+1]*scale]` as 40-byte slots."""

    def take(self, dictionary: Words, indices: Numbers, into: Words) -> None:
        """Copy column `indices[i]` of the dictionary's words to row i."""

    def hash_rows(self, matrix: Words, into: Hashes) -> None:
        """BLAKE3-256 of each row's words."""

    def tally(self, tallies: Tallies, columns: tuple[ColumnPlan, ...], matrix: Words, hashes: Hashes) -> None:
        """Add a block of rows to a profile's tallies."""


def choose_engine(*, words: int, name: EngineName | None = None) -> Engine:
    """Pick by the work to do, in row words: compiled where there is much of it and numba is installed."""
    if name is None:
        name = "fast" if words >= _FAST_PAYS_FROM_WORDS and _has_numba() else "pure"
    return _load(name)


@cache
def _load(name: EngineName) -> Engine:
    if name == "fast":
        need("numba", extra="fast")
    _log.debug("table engine: %s", name)
    return cast(Engine, importlib.import_module(f"lineagekit.identity.tables.{name}"))


@cache
def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None
