# SPDX-License-Identifier: Apache-2.0
"""The events of the log: appended once each, together with the marks of the journals they came from, and read back.

>>> append(database, [entry], origin="journal", marks=[Mark("0197...", 4096)])  # doctest: +SKIP
1
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from operator import lt

from lineagekit.agent.journal import json_encoder
from lineagekit.errors import BadDataError
from lineagekit.store.database import Database, SqlRow
from lineagekit.store.packing import pack_all, plain, unpack
from lineagekit.store.rows import Entry, Mark, Row
from lineagekit.store.runs import add_to_runs

_BATCH = 1000
_FEW = 16
# Rows of one statement. Between two of them, not between two rows, the thread that parses what comes next has to wait.
_ROWS = 1000
_KNOWN = "SELECT CAST(key AS BLOB) FROM event WHERE key IN ({})"
_INSERT = "INSERT INTO event (key, run, kind, type, time, origin, body) VALUES {}"
_VALUES = "(?, ?, ?, ?, ?, ?, ?)"
# Two who settle one journal: the one who saw less of it does not turn the mark back.
_MARK = (
    "INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT (journal) DO UPDATE"
    " SET offset = max(offset, excluded.offset), finished = max(finished, excluded.finished)"
)
_OFFSETS = "SELECT journal, offset FROM mark WHERE journal IN (SELECT value FROM json_each(?))"
_SELECT = "SELECT seq, CAST(key AS BLOB), run, kind, type, time, origin, CAST(body AS BLOB) FROM event"
_AFTER = f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT ?"
_THESE = f"{_SELECT} WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
_LAST = ("SELECT seq FROM sqlite_sequence WHERE name = 'event'", "SELECT max(seq) FROM event")

Packed = tuple[Entry, SqlRow]


def append(
    database: Database, entries: Iterable[Entry], *, origin: str, marks: Iterable[Mark] = (), durable: bool = False
) -> int:
    """Append what is not there yet, and the marks, in one transaction; the number of new events."""
    packed = _pack(entries, plain(origin))
    with database.write(durable=durable) as connection:
        fresh = _without_known(connection, packed)
        for some in _slices(fresh):
            _insert(connection, some)
        connection.executemany(_MARK, [(mark.journal, mark.offset, mark.finished) for mark in marks])
    return len(fresh)


def events(database: Database, *, after: int, limit: int) -> list[Row]:
    """Events behind a place, in the order of the log."""
    rows = database.intact_rows(_AFTER, (after, limit))
    # Places grow, or a reader that goes on behind the last one would never come to an end of a damaged file.
    if rows is not None and _grow([after, *(row[0] for row in rows)]):
        return [_row(row) for row in rows]
    seqs = range(after + 1, min(after + limit, last_seq(database)) + 1)
    found = {row.seq: row for row in events_at(database, seqs)}
    return [found.get(seq) or _stand_in(seq) for seq in seqs] if found else []


def events_at(database: Database, seqs: Iterable[int]) -> list[Row]:
    """Events at these places, in the order of the log; a place that was never used is left out."""
    rows, lost = database.pick(_THESE, sorted(set(seqs)))
    found = [_row(row) for row in rows]
    return sorted(found + [_stand_in(seq) for seq in lost], key=lambda row: row.seq)


def last_seq(database: Database) -> int:
    """The place of the newest event; 0 if there is none."""
    # The file says it twice: in one small place, and at the end of the largest table, where damage is likelier.
    told = (database.intact_rows(sql) for sql in _LAST)
    return next((rows[0][0] or 0 for rows in told if rows), 0)


def run_events(database: Database, run: str) -> list[Row]:
    """Events of a run, in the order of the log."""
    return events_at(database, _places(database, run))


def each_event(database: Database, run: str) -> Iterator[Row]:
    """Events of a run, in the order of the log, unpacked a few at a time as they are asked for."""
    places = _places(database, run)
    for start in range(0, len(places), _FEW):
        yield from events_at(database, places[start : start + _FEW])


def event_of(database: Database, key: bytes) -> Row | None:
    """The event with this key; None if it is not there, or damaged."""
    found = database.intact_rows(f"{_SELECT} WHERE key = ?", (key,))
    row = _row(found[0]) if found else None
    return row if row and not row.damaged else None


def read_marks(database: Database) -> dict[str, Mark]:
    """Every journal's mark, by the journal's id."""
    rows = database.rows("SELECT journal, offset, finished FROM mark")
    return {journal: Mark(journal, offset, bool(finished)) for journal, offset, finished in rows}


def offsets_of(database: Database, journals: Iterable[str]) -> dict[str, int]:
    """How far these journals have been settled; those that never were are left out."""
    return dict(database.rows(_OFFSETS, (json.dumps(list(journals)),)))


def offset_of(database: Database, journal: str) -> int:
    """How far a journal has been settled."""
    return database.value("SELECT offset FROM mark WHERE journal = ?", (journal,)) or 0


def damaged(database: Database) -> list[int]:
    """Places of events that cannot be read."""
    lost: list[int] = []
    after = 0
    while rows := events(database, after=after, limit=_BATCH):
        lost += [row.seq for row in rows if row.damaged]
        after = rows[-1].seq
    return lost


def to_json(value: object) -> bytes:
    """Compact JSON in ASCII. Raises BadDataError for what JSON cannot say."""
    try:
        encoded: bytes = json_encoder()(value).encode("ascii")
        return encoded
    except (TypeError, ValueError, RecursionError) as error:
        raise BadDataError(
            f"what is to be kept is no JSON: {error}", advice="Give it text and finite numbers."
        ) from error


def _places(database: Database, run: str) -> list[int]:
    return [seq for (seq,) in database.rows("SELECT seq FROM event WHERE run = ?", (plain(run),))]


def _grow(numbers: list[int]) -> bool:
    return all(map(lt, numbers, numbers[1:]))


def _pack(entries: Iterable[Entry], origin: str) -> list[Packed]:
    """Each entry once, and its row."""
    unique: dict[bytes, Entry] = {}
    for entry in entries:
        unique.setdefault(entry.key, entry)
    kept = list(unique.values())
    names = [(entry.key, plain(entry.run), entry.kind, entry.type, entry.time, origin) for entry in kept]
    bodies = pack_all([_body(entry) for entry in kept], names)
    return [(entry, (*name, body)) for entry, name, body in zip(kept, names, bodies, strict=True)]


def _body(entry: Entry) -> bytes:
    return entry.body if isinstance(entry.body, bytes) else to_json(entry.body)


def _without_known(connection: sqlite3.Connection, packed: Sequence[Packed]) -> list[Packed]:
    # Asked first, because an insert that is ignored would still use up a place.
    known: set[bytes] = set()
    for some in _slices(packed):
        keys = [entry.key for entry, _ in some]
        known.update(key for (key,) in connection.execute(_KNOWN.format(_list("?", len(keys))), keys))
    return [one for one in packed if one[0].key not in known] if known else list(packed)


def _insert(connection: sqlite3.Connection, packed: Sequence[Packed]) -> None:
    values = [value for _, row in packed for value in row]
    last = connection.execute(_INSERT.format(_list(_VALUES, len(packed))), values).lastrowid or 0
    first = last - len(packed) + 1  # places follow one another: nobody else writes meanwhile
    add_to_runs(connection, [(entry, first + place) for place, (entry, _) in enumerate(packed) if entry.run])


def _slices(packed: Sequence[Packed]) -> list[Sequence[Packed]]:
    return [packed[start : start + _ROWS] for start in range(0, len(packed), _ROWS)]


def _list(item: str, count: int) -> str:
    return ", ".join([item] * count)


def _row(row: SqlRow) -> Row:
    seq, key, run, kind, type_, time, origin, body = row
    return Row(seq, key, run, kind, type_, time, origin, unpack(body, key, run, kind, type_, time, origin) or b"")


def _stand_in(seq: int) -> Row:
    return Row(seq, b"", "", "", "", 0, "", b"")
