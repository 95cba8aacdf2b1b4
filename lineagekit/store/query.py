# SPDX-License-Identifier: Apache-2.0
"""Questions to the index, in SQL, here and in `walk` alone: of names, runs and snapshots.

Each costs what its answer costs.

    >>> find_dataset(index.database, Name("file", "/data/orders.csv"))  # doctest: +SKIP
    17
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from lineagekit.events.said import Name
from lineagekit.store.database import Database
from lineagekit.store.found import Dataset, Run, Snapshot
from lineagekit.store.index_file import BASE
from lineagekit.store.packing import plain
from lineagekit.store.run_ids import STATES, run_key, run_text
from lineagekit.store.snapshots import VERSION

THESE = "SELECT value FROM json_each(?)"


def find_dataset(db: Database, name: Name) -> int | None:
    """The dataset of exactly this name."""
    sql = "SELECT class FROM name WHERE namespace = ? AND name = ?"
    found: int | None = db.value(sql, (plain(name.namespace), plain(name.name)))
    return found


def find_by_last_name(db: Database, text: str) -> list[int]:
    """Datasets of this bare name, in any namespace: all of it, or what stands behind the last slash or dot."""
    sql = (
        "SELECT DISTINCT class FROM name WHERE rank > 0 AND (name = ?1 OR (length(name) > length(?1)"
        " AND substr(name, -length(?1) - 1) IN ('/' || ?1, '.' || ?1)))"
    )
    return [number for (number,) in db.rows(sql, (plain(text),))]


def find_by_glob(db: Database, pattern: str) -> list[int]:
    """Datasets whose path, or namespace and name, fits."""
    sql = (
        "SELECT DISTINCT class FROM name WHERE rank > 0 AND (name GLOB ?1 OR namespace || '/' || name GLOB ?1"
        " OR namespace || ':' || name GLOB ?1)"
    )
    return [number for (number,) in db.rows(sql, (plain(pattern),))]


def all_names(db: Database) -> list[Name]:
    """What datasets are called, all of them: to say which one a person may have meant."""
    return [Name(*row) for row in db.rows("SELECT namespace, name FROM name WHERE rank > 0")]


def datasets(db: Database, ids: Iterable[int]) -> dict[int, Dataset]:
    """Datasets by their numbers."""
    rows = db.rows(
        f"SELECT class, namespace, name, kind, rank FROM name WHERE class IN ({THESE})"
        " ORDER BY class, rank DESC, namespace, name",
        (as_list(ids),),
    )
    found: dict[int, list[tuple[str, str, str, int]]] = {}
    for class_, *row in rows:
        found.setdefault(class_, []).append(tuple(row))
    return {number: _dataset(number, names) for number, names in found.items()}


def _dataset(number: int, names: list[tuple[str, str, str, int]]) -> Dataset:
    namespace, name, *_ = names[0]
    kinds = {kind for _, _, kind, _ in names}
    kind = "MODEL" if "MODEL" in kinds else max(kinds)
    others = tuple(Name(space, other) for space, other, _, rank in names[1:] if rank > 0)
    return Dataset(number, namespace, name, kind, others)


def runs(db: Database, ids: Iterable[int]) -> dict[int, Run]:
    """Runs by their numbers."""
    return {run.id: run for run in _runs(db, f"r.id IN ({THESE})", (as_list(ids),))}


def find_runs(db: Database, prefix: str, *, limit: int = 20) -> list[Run]:
    """Runs whose id begins so, newest first."""
    if len(prefix) == 36:
        return _runs(db, "substr(r.uuid, 1, 4) = substr(?1, 1, 4) AND r.uuid = ?1", (run_key(prefix),))
    digits = prefix.replace("-", "").lower()
    if not digits or any(digit not in "0123456789abcdef" for digit in digits):
        return []
    low, high = bytes.fromhex(digits[:8].ljust(8, "0")), bytes.fromhex(digits[:8].ljust(8, "f"))
    where = "substr(r.uuid, 1, 4) BETWEEN ? AND ? AND lower(hex(r.uuid)) LIKE ? || '%'"
    return sorted(_runs(db, where, (low, high, digits)), key=lambda run: -run.began)[:limit]


def job_runs(db: Database, namespace: str, job: str, *, limit: int = 1) -> list[Run]:
    """Runs of a job, newest first; any namespace where none is given."""
    where = "r.job IN (SELECT id FROM job WHERE name = ? AND (namespace = ? OR ? = ''))"
    found = _runs(db, where, (plain(job), plain(namespace), plain(namespace)))
    return sorted(found, key=lambda run: (-run.began, run.run))[:limit]


def children(db: Database, run: int) -> list[int]:
    """Numbers of the runs that are a part of this one, directly."""
    return [number for (number,) in db.rows("SELECT id FROM run WHERE parent = ? ORDER BY began, id", (run,))]


def all_runs(db: Database) -> list[int]:
    """Numbers of all runs that told of themselves, oldest first: of a small store."""
    return [number for (number,) in db.rows("SELECT id FROM run WHERE state > 0 ORDER BY began, id")]


def _runs(db: Database, where: str, values: Sequence[object]) -> list[Run]:
    sql = (
        "SELECT r.id, r.uuid, j.namespace, j.name, r.state, r.began, r.took, r.parent, r.code, r.params, r.environment"
        f" FROM run r LEFT JOIN job j ON j.id = r.job WHERE {where}"
    )
    return [_run(row) for row in db.rows(sql, values)]


def _run(row: Sequence[Any]) -> Run:
    number, key, namespace, job, state, began, took, *rest = row
    start = (began or 0) + BASE if namespace is not None else 0
    ended = None if took is None else start + took
    return Run(number, run_text(key), namespace or "", job or "", STATES[state], start, ended, *rest)


def snapshots(db: Database, ids: Iterable[int | None]) -> dict[int, Snapshot]:
    """Snapshots by their numbers."""
    return {one.id: one for one in _snapshots(db, f"s.id IN ({THESE})", (as_list(ids),))}


def find_snapshots(db: Database, prefix: str, *, dataset: int | None = None) -> list[Snapshot]:
    """Snapshots whose digest begins so: hex digits, with or without the algorithm."""
    algorithm, _, digits = prefix.rpartition(":")
    if len(digits) < 2 or any(digit not in "0123456789abcdef" for digit in digits.lower()):
        return []
    even = digits.lower()[:8]
    low, high = bytes.fromhex(even.ljust(8, "0")), bytes.fromhex(even.ljust(8, "f"))
    where = (
        "substr(s.hash, 1, 4) BETWEEN ?1 AND ?2 AND lower(hex(s.hash)) LIKE ?3 || '%' AND a.name <> ?4"
        " AND (?5 = '' OR a.name = ?5) AND (?6 IS NULL OR s.dataset = ?6)"
    )
    return _snapshots(db, where, (low, high, digits.lower(), VERSION, algorithm, dataset))


def pinned_snapshots(db: Database, dataset: int, version: str) -> list[Snapshot]:
    """Snapshots that a foreign system calls by this version."""
    return _snapshots(db, "s.id IN (SELECT snap FROM pin WHERE dataset = ? AND version = ?)", (dataset, plain(version)))


def _snapshots(db: Database, where: str, values: Sequence[object]) -> list[Snapshot]:
    sql = (
        "SELECT s.id, s.dataset, a.name, s.hash, s.size FROM snapshot s"
        f" CROSS JOIN algorithm a ON a.id = s.algorithm WHERE {where}"
    )
    return [_snapshot(*row) for row in db.rows(sql, values)]


def _snapshot(number: int, dataset: int, algorithm: str, hash_: bytes, size: int | None) -> Snapshot:
    if algorithm == VERSION:
        return Snapshot(number, dataset, "pin", hash_.decode(errors="replace"), size)
    text = hash_.decode(errors="replace") if algorithm == "other" else f"{algorithm}:{hash_.hex()}"
    return Snapshot(number, dataset, "content", text, size)


def counts(db: Database) -> tuple[int, int]:
    """How many runs and datasets there are."""
    runs = db.value("SELECT count(*) FROM run WHERE state")
    return runs, db.value("SELECT count(DISTINCT class) FROM name WHERE rank > 0")


def as_list(ids: Iterable[int | None]) -> str:
    """Numbers as the one parameter of `THESE`."""
    return json.dumps([number for number in set(ids) if number is not None])
