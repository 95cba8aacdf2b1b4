# SPDX-License-Identifier: Apache-2.0
"""What a probe really read, from its own journal: it counts only if these were exactly the bytes that were intended.

>>> proof = prove(store, index, intent)  # doctest: +SKIP
>>> proof.trouble, proof.read  # doctest: +SKIP
('', {'/data/labels.csv', '/src/features.py'})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lineagekit.cause.files import Made, add_run
from lineagekit.cause.views import Views
from lineagekit.events.said import Name
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
    model: str = ""
    """The model's file; "" where it is no file here. Grades of other models are not its own."""


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
    read = {**made.files, **made.sources}
    trouble = next((why for path, digest in read.items() if (why := _trouble(path, digest, made, intent))), "")
    if not read:
        trouble = "it read nothing that is recorded"
    return Proof(trouble, frozenset(read), _metrics(db, runs, intent.model))


def _metrics(db: Database, runs: Sequence[int], model: str) -> dict[str, float]:
    """The last value of each name; what is said of another model is none of this one's."""
    told = [one for one in walk.metrics_of(db, runs=runs) if isinstance(one.value, float)]
    place = query.find_dataset(db, Name("file", model)) if model else None
    told = [one for one in told if place is None or one.dataset in (place, None)]
    told.sort(key=lambda one: place is not None and one.dataset == place)
    return {one.name: one.value for one in told if isinstance(one.value, float)}


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
