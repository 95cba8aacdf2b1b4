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


def prove(db: Database, store: Store, intent: Intent, past: Mapping[str, str] | None = None) -> Proof:
    """Look at every run of the probe's own store; `past` are digests of what was read past the copy that it ran in."""
    views = Views(db, store)
    made = Made()
    runs = query.all_runs(db)
    for run in runs:
        add_run(made, views.of(run))
    read = {**made.files, **made.sources}
    troubles = [_trouble_past(path, digest, made, intent) for path, digest in (past or {}).items()]
    troubles += [_trouble(path, digest, made, intent) for path, digest in read.items()]
    trouble = next(filter(None, troubles), "")
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


def _trouble_past(path: str, digest: str, made: Made, intent: Intent) -> str:
    """What lies at its own place is as good as what was put into the copy, if its bytes are the same."""
    wanted = intent.files.get(path)
    is_made_anew = path in intent.rebuilt or path in made.written
    is_as_intended = path not in intent.files or (wanted is not None and (digest == wanted or not wanted))
    if is_as_intended and not is_made_anew:
        return ""
    return (
        f"it read {path} by its absolute path, which cannot be put back here: user namespaces are forbidden. "
        "Use a path relative to the folder (PYTHONPATH=src for modules), or run where they are allowed"
    )
