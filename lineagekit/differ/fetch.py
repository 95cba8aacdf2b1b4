# SPDX-License-Identifier: Apache-2.0
"""Rows by their numbers, read again: cell hashes to see which columns differ, and texts to show a person.

Only the parts that hold a row asked for are read, and those only up to the last one.

    >>> fetched = fetch(plan, scanned.counts, rows, shown=rows[:3])  # doctest: +SKIP
    >>> fetched.texts[17]  # doctest: +SKIP
    ('17', '"paid"', '3.5')
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineagekit.differ.cells import Numbers
from lineagekit.differ.scan import Plan
from lineagekit.differ.spool import Rows
from lineagekit.identity.tables.engine import choose_engine

_LONGEST = 60


@dataclass(slots=True)
class Fetched:
    """Of each row asked for a column of cell hashes, and of those to show the texts."""

    cells: Numbers
    parts: int = 0
    """How many parts were read."""
    texts: dict[int, tuple[str, ...]] = field(default_factory=dict)


def fetch(plan: Plan, counts: Sequence[int], rows: Rows, *, shown: Rows, threads: int = 1) -> Fetched:
    """Read rows, which ascend and come once each; `counts` are the rows of each part."""
    into = Fetched(np.empty((len(plan.columns), len(rows)), np.uint64))
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    edges = np.searchsorted(rows, starts)
    wanted = [part for part in range(len(counts)) if edges[part + 1] > edges[part]]
    into.parts = len(wanted)
    lock = Lock()

    def read(part: int) -> None:
        first, last = int(edges[part]), int(edges[part + 1])
        piece = _Piece(rows[first:last] - starts[part], np.isin(rows[first:last], shown), into.cells[:, first:last])
        _read(plan, part, piece, threads=threads > len(wanted))
        with lock:
            into.texts |= {int(starts[part]) + row: texts for row, texts in piece.texts.items()}

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(read, wanted))
    return into


@dataclass(slots=True)
class _Piece:
    """What is wanted of one part: rows by their places in it."""

    rows: Rows
    shown: npt.NDArray[np.bool_]
    cells: Numbers
    texts: dict[int, tuple[str, ...]] = field(default_factory=dict)


def _read(plan: Plan, part: int, piece: _Piece, *, threads: bool) -> None:
    engine, row, done = choose_engine(words=len(piece.rows) * 64), 0, 0
    for batch in plan.table.parts[part].read(plan.names, threads=threads):
        until = int(np.searchsorted(piece.rows, row + batch.num_rows))
        if until > done:
            taken = batch.take(pa.array(piece.rows[done:until] - row))
            chosen = np.flatnonzero(piece.shown[done:until])
            columns = []
            for number, column in enumerate(plan.columns):
                values, piece.cells[number, done:until] = column.read(taken.column(number), engine)
                columns.append(_texts(taken.column(number).take(pa.array(chosen)), values.take(pa.array(chosen))))
            for place, texts in zip(chosen, zip(*columns, strict=True), strict=True):
                piece.texts[int(piece.rows[done + place])] = texts
        row, done = row + batch.num_rows, until
        if done == len(piece.rows):
            return


def _texts(written: pa.Array, values: pa.Array) -> list[str]:
    """As they were compared, so that both sides look alike; what says no such value, as it is written."""
    if written is values or not values.null_count:
        return texts_of(values)
    odd = [
        one is None and other is not None for one, other in zip(values.to_pylist(), written.to_pylist(), strict=True)
    ]
    return [own if is_odd else text for own, text, is_odd in zip(texts_of(written), texts_of(values), odd, strict=True)]


def texts_of(array: pa.Array) -> list[str]:
    """Values as a person reads them: text in quotes, bytes in hex, null as null; long ones are cut."""
    if pa.types.is_temporal(array.type):
        try:
            array = pc.cast(array, pa.string())
            return ["null" if text is None else text for text in array.to_pylist()]
        except pa.ArrowException:  # a zone that this machine does not know
            array = array.view(pa.int64())
    return [_text(value) for value in array.to_pylist()]


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bytes):
        text = "0x" + value[:_LONGEST].hex()
    elif isinstance(value, str | list | dict | bool):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 2] + ".."
