# SPDX-License-Identifier: Apache-2.0
"""What a probe really read, from its own journal: it counts only if these were exactly the bytes that were intended.

>>> proof = prove(store, index, intent)  # doctest: +SKIP
>>> proof.trouble, proof.read  # doctest: +SKIP
('', {'/data/labels.csv', '/src/features.py'})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lineagekit.cause.files import Made, add_run
from lineagekit.cause.views import Views
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.log import Store


@dataclass(frozen=True, slots=True)
class Intent:
    """What a probe is to read."""

    files: Mapping[str, str | None]
    """Digests by path; None must not be read."""
    rebuilt: frozenset[str] = frozenset()
    """Paths that differ between the builds because runs on the way wrote them: to be written before they are read."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read, and why it does not count; "" if it does."""

    trouble: str
    read: frozenset[str] = frozenset()
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The last value of each."""


def prove(db: Database, store: Store, intent: Intent) -> Proof:
    """Look at every run of the probe's own store."""
    views = Views(db, store)
    made = Made()
    runs = query.all_runs(db)
    for run in runs:
        add_run(made, views.of(run))
    metrics = {one.name: one.value for one in walk.metrics_of(db, runs=runs) if isinstance(one.value, float)}
    read = {**made.files, **made.sources}
    trouble = next((why for path, digest in read.items() if (why := _trouble(path, digest, made, intent))), "")
    if not read:
        trouble = "it read nothing that is recorded"
    return Proof(trouble, frozenset(read), metrics)


def _trouble(path: str, digest: str, made: Made, intent: Intent) -> str:
    if path in made.written and (path in made.bound or path in made.parts):
        return ""
    if path in intent.rebuilt:
        return f"it read {path}, which it did not make anew"
    if path not in intent.files:
        return "" if path in made.sources else f"it read {path}, which neither build read"
    wanted = intent.files[path]
    if wanted is None:
        return f"it read {path}, which is not to be there"
    if not digest:
        return f"it read {path}, and its bytes are not known"
    return "" if digest == wanted or not wanted else f"it read other bytes of {path} than intended"
