# SPDX-License-Identifier: Apache-2.0
"""What a person typed, and what it means: a dataset, one version of it, a model, a run, or several by a pattern.

`orders.csv`, `s3://raw/orders`, `file:/data/orders.csv`, `/data/*.csv`; `orders@9f3c07`, `orders@v12`, `orders@2`;
`model-42`, `model-42@3`; `9f3c0717` (a digest); `0197a1b2` (a run); `train.py` (a job's latest run).

    >>> find_target(index.database, "orders@v12").kind  # doctest: +SKIP
    'snapshot'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from lineagekit.agent.naming import dataset_name
from lineagekit.errors import NotFoundError, UsageError
from lineagekit.events.naming import safe_name, safe_namespace
from lineagekit.events.said import Name
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Build, Snapshot, title_of

Kind = Literal["dataset", "snapshot", "model", "build", "run"]

_SHORTEST = 6
_HEX = re.compile(r"([a-z][a-z0-9;=,.%-]*:)?[0-9a-fA-F-]+")
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Target:
    """What was meant."""

    text: str
    kind: Kind
    datasets: tuple[int, ...] = ()
    """Of a model, those that its versions were written to; of a pattern, all that fit."""
    snaps: tuple[int, ...] = ()
    """The bytes that were meant, where it is one version."""
    run: int = 0
    """The run, or the one that made this version of a model."""
    model: str = ""

    @property
    def is_version(self) -> bool:
        """Whether certain bytes are meant, rather than a name."""
        return self.kind in ("snapshot", "build")


def find_target(db: Database, text: str, *, kinds: Iterable[Kind] = ()) -> Target:
    """The one thing that was meant, of these kinds if any are given.

    Raises NotFoundError, which says what may have been meant, and UsageError for what may be several things.
    """
    wanted = tuple(kinds)
    for look in (_as_dataset, _as_version, _as_model, _as_number, _as_last_name, _as_job, _as_pattern):
        found = [target for target in look(db, text) if not wanted or target.kind in wanted]
        if len(found) > 1:
            raise _ambiguous(db, text, found)
        if found:
            return found[0]
    raise _unknown(db, text)


def _as_dataset(db: Database, text: str) -> Iterator[Target]:
    for name in spellings(text):
        dataset = query.find_dataset(db, name)
        if dataset is not None:
            yield Target(text, "dataset", (dataset,))
            return


def spellings(text: str) -> Iterator[Name]:
    """The names that a text may be: a path, a URI, `namespace:name` cut at any colon."""
    namespace, name = dataset_name(text)
    yield Name(safe_namespace(namespace), safe_name(name))
    for cut in (place for place, sign in enumerate(text) if sign in ":/"):
        if 0 < cut < len(text) - 1:
            yield Name(text[:cut], text[cut + 1 :])
            yield Name(text[:cut], text[cut:])


def _as_version(db: Database, text: str) -> Iterator[Target]:
    """`NAME@VERSION`; the name may have an `@` of its own."""
    base, mark, version = text.rpartition("@")
    if not mark or not base or not version:
        return
    try:
        of = find_target(db, base, kinds=("dataset", "model"))
    except NotFoundError:
        return
    if of.kind == "model":
        yield from _as_build(db, of, version)
        return
    for dataset in of.datasets:
        snaps = [one.id for one in _versions(db, dataset, version)]
        if len(snaps) > 1:
            digests = ", ".join(one.text for one in query.snapshots(db, snaps).values())
            raise UsageError(f"several versions of {base} begin with {version}: {digests}", advice="Give more of it.")
        if snaps:
            yield Target(text, "snapshot", (dataset,), tuple(snaps))


def _versions(db: Database, dataset: int, version: str) -> Iterator[Snapshot]:
    """By digest, by a foreign system's version (`v12`), by number in the order of time (`1`, `-1` the newest)."""
    pinned = query.pinned_snapshots(db, dataset, version) or (
        query.pinned_snapshots(db, dataset, version[1:]) if version[:1] == "v" else []
    )
    if pinned:
        yield from pinned
        return
    if re.fullmatch(r"-?\d{1,5}", version):
        if (snap := _nth(walk.versions_of(db, dataset), int(version))) is not None:
            yield from query.snapshots(db, [snap]).values()
        if len(version) < _SHORTEST:
            return
    yield from query.find_snapshots(db, version, dataset=dataset)


def _nth(snaps: list[int], number: int) -> int | None:
    place = number - 1 if number > 0 else number
    return snaps[place] if number and -len(snaps) <= place < len(snaps) else None


def _as_build(db: Database, of: Target, version: str) -> Iterator[Target]:
    builds = walk.builds_of_model(db, of.model)
    named = [build for build in builds if version in (build.version, f"v{build.version}")]
    if not named and re.fullmatch(r"-?\d{1,5}", version):
        nth = int(version)
        place = nth - 1 if nth > 0 else nth
        named = [builds[place]] if nth and -len(builds) <= place < len(builds) else []
    if not named:
        by_digest = {snap.id for build in builds for snap in query.find_snapshots(db, version, dataset=build.dataset)}
        named = [build for build in builds if build.snap in by_digest]
    if named:
        yield build_target(of.text + "@" + version, named[-1])


def build_target(text: str, build: Build) -> Target:
    """A version of a model, as a target."""
    return Target(text, "build", (build.dataset,), _some(build.snap), build.run, build.model)


def _as_model(db: Database, text: str) -> Iterator[Target]:
    builds = walk.builds_of_model(db, text)
    if builds:
        yield Target(text, "model", tuple(dict.fromkeys(build.dataset for build in builds)), model=text)


def _as_number(db: Database, text: str) -> Iterator[Target]:
    """A digest or a run's id, or the beginning of either."""
    if len(text) < _SHORTEST or not _HEX.fullmatch(text):
        return
    for run in query.find_runs(db, text):
        yield Target(text, "run", run=run.id)
    snaps = query.find_snapshots(db, text)
    by_digest: dict[str, list[Snapshot]] = {}
    for snap in snaps:
        by_digest.setdefault(snap.text, []).append(snap)
    for same in by_digest.values():
        yield Target(text, "snapshot", tuple(one.dataset for one in same), tuple(one.id for one in same))


def _as_last_name(db: Database, text: str) -> Iterator[Target]:
    for dataset in query.find_by_last_name(db, text):
        yield Target(text, "dataset", (dataset,))


def _as_job(db: Database, text: str) -> Iterator[Target]:
    namespace, _, job = text.rpartition("/")
    for space, name in (("", text), (namespace, job)):
        if runs := query.job_runs(db, space, name):
            yield Target(text, "run", run=runs[0].id)
            return


def _as_pattern(db: Database, text: str) -> Iterator[Target]:
    if not any(sign in text for sign in "*?["):
        return
    found = query.find_by_glob(db, text) or query.find_by_glob(db, dataset_name(text)[1])
    if found:
        yield Target(text, "dataset", tuple(found))


def _some(snap: int | None) -> tuple[int, ...]:
    return () if snap is None else (snap,)


def _ambiguous(db: Database, text: str, found: list[Target]) -> UsageError:
    named = query.datasets(db, (dataset for target in found for dataset in target.datasets))
    runs = query.runs(db, (target.run for target in found if target.run))
    told = [runs[target.run].run if target.run in runs else named[target.datasets[0]].title for target in found]
    more = ", ..." if len(told) > _SHOWN else ""
    return UsageError(
        f"{text!r} may be several things: {', '.join(told[:_SHOWN])}{more}", advice="Give the whole name of one."
    )


def _unknown(db: Database, text: str) -> NotFoundError:
    """Say what it may have been; reads all names, which only who mistyped one has to wait for."""
    from difflib import get_close_matches

    titles = [title_of(*name) for name in query.all_names(db)]
    names = {title.rpartition("/")[2]: title for title in titles} | {title: title for title in titles}
    names |= {model: model for model in walk.model_names(db)}
    close = list(dict.fromkeys(names[one] for one in get_close_matches(text.rpartition("@")[0] or text, names, n=3)))
    advice = f"Did you mean {' or '.join(close)}?" if close else "Run: lineagekit log"
    expected = "a path, a name, a model, a digest, or a run's id"
    return NotFoundError(f"nothing of this name: got {text!r}, expected {expected} that was recorded", advice=advice)
