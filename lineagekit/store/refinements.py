# SPDX-License-Identifier: Apache-2.0
"""What was learned of a dataset after its event was built, kept beside the event, and what to believe in the end.

>>> resolve([{"state": "unknown", "reason": "over budget"}, {"state": "exact", "digest": "blake3:ab"}])["digest"]
'blake3:ab'
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from lineagekit.store.database import Database
from lineagekit.store.entries import to_json
from lineagekit.store.packing import pack, unpack
from lineagekit.store.rows import Refinement

_KEEP = "INSERT OR IGNORE INTO refinement (key, sum, body) VALUES (?, ?, ?)"
_OF_EVENT = "SELECT CAST(body AS BLOB) FROM refinement WHERE key = ? ORDER BY id"
_DIGESTS = ("digest", "lks1", "lkt1")


def refine(database: Database, refinements: Iterable[Refinement]) -> int:
    """Keep them all, in one transaction; the number of new ones."""
    rows = [_sealed(refinement) for refinement in refinements]
    with database.write() as connection:
        before = connection.total_changes
        connection.executemany(_KEEP, rows)
        return connection.total_changes - before


def refinements(database: Database, key: bytes) -> list[Refinement]:
    """All that was learned after this event, oldest first; what was damaged is left out."""
    bodies = (unpack(body, key) for (body,) in database.rows(_OF_EVENT, (key,)))
    return [Refinement(key, *json.loads(body)) for body in bodies if body]


def last_refinement(database: Database) -> int:
    """The number of the newest one; 0 if there is none."""
    return database.value("SELECT max(id) FROM refinement") or 0


def refined_runs(database: Database, after: int) -> list[str]:
    """Runs of which something was learned behind this number."""
    sql = "SELECT DISTINCT e.run FROM refinement f CROSS JOIN event e ON e.key = f.key WHERE f.id > ? AND e.run <> ''"
    return [run for (run,) in database.rows(sql, (after,))]


def resolve(facets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What to believe of one dataset of one run: the facet of its event and those learned later, oldest first.

    Exact beats unknown. Two exact facets that contradict each other are a conflict, which is unknown. Digests of
    different algorithms say nothing about each other; then a plain `sha256:`, which the job took itself for want of
    anything better, stands behind.
    """
    exact = [facet for facet in facets if facet.get("state") == "exact"]
    if not exact:
        return dict(facets[0]) if facets else {}
    conflict = _conflict(exact)
    if conflict:
        rest = {name: value for name, value in exact[0].items() if name not in _DIGESTS}
        return {**rest, "state": "unknown", "reason": conflict}
    merged: dict[str, Any] = {}
    for facet in sorted(exact, key=_is_stopgap):
        merged = {**facet, **merged}
    return merged


def _sealed(refinement: Refinement) -> tuple[bytes, bytes, bytes]:
    told = [refinement.role, refinement.namespace, refinement.name, dict(refinement.facet)]
    body = to_json(told)
    return refinement.key, sha256(body).digest()[:16], pack(body, refinement.key)


def _conflict(exact: Sequence[Mapping[str, Any]]) -> str:
    """Which two digests contradict each other; "" if none."""
    first: dict[tuple[str, str], str] = {}
    for facet in exact:
        for field in _DIGESTS:
            digest = facet.get(field)
            if digest:
                earlier = first.setdefault((field, str(digest).rpartition(":")[0]), digest)
                if earlier != digest:
                    return f"conflict: both {earlier} and {digest}"
    return ""


def _is_stopgap(facet: Mapping[str, Any]) -> bool:
    return str(facet.get("digest", "")).startswith("sha256:")
