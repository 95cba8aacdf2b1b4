# SPDX-License-Identifier: Apache-2.0
"""One run into the index: what it wrote and read, what it measured and was set to. Told again, it replaces itself.

>>> pending = put_run(connection, names, told)  # doctest: +SKIP
>>> bind(connection, names, pending)  # doctest: +SKIP
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3

from lineagekit.events.said import Column, Name, Piece, Told, Touch
from lineagekit.events.wire import as_relayed
from lineagekit.identity.canonical import encode_block
from lineagekit.store.grades import put_grades
from lineagekit.store.index_file import BASE
from lineagekit.store.names import Names
from lineagekit.store.packing import plain
from lineagekit.store.run_ids import STATES, number_of_run
from lineagekit.store.snapshots import VERSION, Snapshots

LINKED = -1
"""Parts of a use that is the same as another one, by the name that a link led to."""

_PUT_WRITE = "INSERT INTO write VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FACTS = ("code", "params", "environment")


@dataclass(slots=True)
class Sight:
    """What a run saw in one place: enough to say who wrote it."""

    place: int
    snap: int | None
    mark: int | None
    size: int | None


@dataclass(slots=True)
class Pending:
    """A read whose writer is to be found when all writers are known."""

    run: int
    at: int
    whole: Sight
    pieces: list[Sight]
    also: int = 0
    """Where a link led to."""


WriteRow = tuple[int, int, int | None, int | None, int | None, int, int | None, int]
"""Run, dataset, at, snapshot, mark, done, the dataset that this is a part of, parts."""


@dataclass(slots=True)
class Put:
    """What was put of a run, and the reads that are still to be bound."""

    job: int
    began: int
    writes: list[WriteRow] = field(default_factory=list)
    reads: list[Pending] = field(default_factory=list)
    edges: set[tuple[int, int]] | None = None


class Putter:
    """Puts runs in, within one transaction."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        """Remember what was put: most runs read what another has just written."""
        self.connection, self.names = connection, names
        self.snapshots = Snapshots(connection)
        self._facts: dict[tuple[int, str], tuple[Mapping[str, Any], int]] = {}

    def put(self, told: Told, run: int) -> Put:
        """Everything but the reads, which are returned, to be bound."""
        put = Put(job=self.names.job(told.job), began=told.began - BASE)
        self._put_run(told, run, put.job)
        outputs = {name: self._dataset(name, touch) for name, touch in told.said.outputs.items()}
        inputs = {name: self._dataset(name, touch) for name, touch in told.said.inputs.items()}
        for name, touch in told.named.items():
            self._dataset(name, touch)
        written = [
            row
            for name, touch in told.said.outputs.items()
            for row in self._writes(told, run, (outputs[name], name, touch))
        ]
        if written:
            # A dataset that is also a part of another one, or that a link led to, is itself first of all.
            put.writes = list({row[1]: row for row in sorted(written, key=_first_last)}.values())
            self.connection.executemany(_PUT_WRITE, put.writes)
        put.reads = [self._pending(told, run, (inputs[name], name, touch)) for name, touch in told.said.inputs.items()]
        if told.edges is not None:
            put.edges = {(inputs.get(a, 0) if a else 0, outputs.get(b, 0) if b else 0) for a, b in told.edges}
            rows = [(run, *pair) for pair in put.edges]
            self.connection.executemany("INSERT OR IGNORE INTO run_flow VALUES (?, ?, ?)", rows)
        self._put_columns(told, put.job)
        self._put_models(told, run, outputs)
        if told.said.grades:
            put_grades(self.connection, self.names, told, run, {**inputs, **outputs})
        self.put_owners("job", put.job, told.said.owners)
        return put

    def _put_run(self, told: Told, run: int, job: int) -> None:
        parent = number_of_run(self.connection, told.said.parent)[0] if told.said.parent else None
        facts = [self._fact(job, kind, told.said.facts.get(kind)) for kind in _FACTS]
        self.connection.execute(
            "UPDATE run SET job = ?, began = ?, took = ?, state = ?, parent = ?, code = ?, params = ?, environment = ?"
            " WHERE id = ?",
            (
                job,
                told.began - BASE,
                told.ended - told.began if told.ended else None,
                STATES.index(told.state) if told.state in STATES else 1,
                parent,
                *facts,
                run,
            ),
        )

    def _dataset(self, name: Name, touch: Touch) -> int:
        dataset = self.names.dataset(name, touch.links)
        self.names.set_kind(dataset, touch.kind)
        self.put_owners("dataset", dataset, touch.owners)
        return dataset

    def _writes(self, told: Told, run: int, output: tuple[int, Name, Touch]) -> list[WriteRow]:
        dataset, name, touch = output
        at = touch.at or told.ended
        timed = at - BASE if at else None
        done = int(told.state == "COMPLETE")
        whole = self._sight(dataset, touch)
        rows: list[WriteRow] = [(run, dataset, timed, whole.snap, whole.mark, done, None, len(touch.pieces))]
        if touch.realpath:
            place = self.names.piece(Name(name.namespace, touch.realpath))
            snap = self.snapshots.number(place, touch.digest, touch.size)
            rows.append((run, place, timed, snap, whole.mark, done, dataset, LINKED))
        for sight in self._pieces(name, touch):
            rows.append((run, sight.place, timed, sight.snap, sight.mark, done, dataset, 0))
        self._put_pin(dataset, touch, whole)
        return rows

    def _pending(self, told: Told, run: int, given: tuple[int, Name, Touch]) -> Pending:
        dataset, name, touch = given
        whole = self._sight(dataset, touch)
        also = self.names.piece(Name(name.namespace, touch.realpath)) if touch.realpath else 0
        self._put_pin(dataset, touch, whole)
        return Pending(run, (touch.at or told.began) - BASE, whole, self._pieces(name, touch), also)

    def _put_pin(self, dataset: int, touch: Touch, whole: Sight) -> None:
        if touch.version and whole.snap is not None:
            pin = (dataset, plain(touch.version), whole.snap)
            self.connection.execute("INSERT OR IGNORE INTO pin VALUES (?, ?, ?)", pin)

    def _sight(self, place: int, touch: Touch) -> Sight:
        snap = self.snapshots.number(
            place, touch.digest or (touch.version and f"{VERSION}:{touch.version}"), touch.size
        )
        return Sight(place, snap, _mark(touch.evidence or touch.version), touch.size)

    def _pieces(self, name: Name, touch: Touch) -> list[Sight]:
        return [self._piece(name, piece) for piece in touch.pieces]

    def _piece(self, name: Name, piece: Piece) -> Sight:
        place = self.names.piece(Name(name.namespace, f"{name.name.rstrip('/')}/{piece.path}"))
        return Sight(place, self.snapshots.number(place, piece.digest, piece.size), _mark(piece.evidence), piece.size)

    def _fact(self, job: int, kind: str, fact: Mapping[str, Any] | None) -> int | None:
        """What tells code, parameters or environment from others; runs of a job mostly have those of the run before."""
        if not fact:
            return None
        known = self._facts.get((job, kind))
        if known is None or known[0] != fact:
            known = self._facts[job, kind] = (fact, hash_of(encode_block([as_relayed(fact)]).decode()))
        return known[1]

    def _put_columns(self, told: Told, job: int) -> None:
        for columns in told.said.columns.values():
            for column in columns:
                self.put_column(job, column, told.began - BASE)

    def put_column(self, job: int, column: Column, at: int) -> None:
        """A column that another is made of."""
        source, target = self.names.dataset(column.source), self.names.dataset(column.target)
        words = self.names.word(column.column), self.names.word(column.to_column)
        row = (job, source, words[0], target, words[1], self.names.word(column.kind), at)
        self.connection.execute(
            "INSERT INTO column_flow VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET last = max(last, excluded.last), kind = max(kind, excluded.kind)",
            row,
        )

    def _put_models(self, told: Told, run: int, outputs: Mapping[Name, int]) -> None:
        for name, touch in told.said.outputs.items():
            if touch.kind == "MODEL" or touch.model is not None:
                model, version = touch.model or ("", "")
                row = (run, outputs[name], self.names.word(model or model_name(name.name)), plain(version))
                self.connection.execute("INSERT OR IGNORE INTO build VALUES (?, ?, ?, ?)", row)

    def put_owners(self, kind: str, subject: int, owners: Iterable[str]) -> None:
        """Who is asked about a job or dataset."""
        if rows := [(kind, subject, plain(owner)) for owner in owners]:
            self.connection.executemany("INSERT OR IGNORE INTO owner VALUES (?, ?, ?)", rows)


def model_name(name: str) -> str:
    """What a model is called whose author gave it no name: the file without its ending."""
    last = name.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last


def _first_last(row: WriteRow) -> tuple[bool, bool]:
    """Parts first, then what links led to, then what is called so."""
    return row[6] is None, row[7] == LINKED


def hash_of(text: str) -> int:
    """47 bits, which SQLite keeps in 6 bytes: enough to tell a few values of one job or dataset apart."""
    return int.from_bytes(blake3(plain(text).encode()).digest(6), "big") >> 1


def _mark(evidence: str) -> int | None:
    """31 bits, which take 4 bytes: evidence is compared with that of a few writes of one dataset."""
    return hash_of(evidence) >> 16 if evidence else None
