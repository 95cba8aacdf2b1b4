# SPDX-License-Identifier: Apache-2.0
"""What is remembered of bytes: their digests, schema, size, manifest and profile; enough to compare when they are gone.

>>> kept = kept_of(seen, store)  # doctest: +SKIP
>>> kept.digest("lkt1"), kept.rows  # doctest: +SKIP
(Digest(algorithm='lkt1', ...), 1204)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from lineagekit.errors import BadDataError
from lineagekit.events.lenient import count, facet, objects, text
from lineagekit.events.naming import original_name
from lineagekit.events.summary import RunSummary, Seen, summarize
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.profile import Profile
from lineagekit.identity.snapshot import Snapshot
from lineagekit.identity.tables.layout import Layout
from lineagekit.store.database import Database
from lineagekit.store.log import Store
from lineagekit.store.refinements import resolve

_DIGESTS = ("digest", "lks1", "lkt1", "lkm1", "records")
_CONTENT = ("lks1", "lkt1", "lkm1", "records-sha256")
Columns = tuple[tuple[str, str], ...]


class Known(NamedTuple):
    """A store and its index."""

    store: Store
    db: Database


@dataclass(frozen=True)
class Kept:
    """What is remembered; whatever is not known is empty."""

    digests: tuple[Digest, ...] = ()
    pin: str = ""
    """A foreign system's name for it, where there is no digest."""
    columns: Columns = ()
    rows: int | None = None
    bytes: int | None = None
    files: int | None = None
    manifest: Manifest | None = None
    profile: Profile | None = None
    reason: str = ""
    """Why the bytes are not known."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Kept:
        """Of bytes that are at hand."""
        return cls(
            snapshot.digests,
            columns=snapshot.columns,
            rows=snapshot.rows,
            bytes=snapshot.bytes,
            files=snapshot.files,
            manifest=snapshot.manifest,
            profile=snapshot.profile,
            reason=snapshot.reason,
        )

    def digest(self, algorithm: str) -> Digest | None:
        """The digest of an algorithm, if it was taken."""
        return next((one for one in self.digests if one.algorithm == algorithm), None)

    @property
    def of_bytes(self) -> Digest | None:
        """The digest of the bytes, or of a folder's manifest."""
        return next((one for one in self.digests if one.algorithm not in _CONTENT), None)

    @property
    def is_text(self) -> bool:
        """Whether the cells are text that has no types: CSV."""
        return any(name == "csv" for one in self.digests for name, _ in one.parameters)

    @cached_property
    def profiled(self) -> Columns:
        """Names and types of the profile's columns, in its order; empty where they are not surely these."""
        if self.profile is None or not self.columns:
            return ()
        ordered = tuple(sorted(self.columns, key=lambda column: column[0].encode()))
        layout = Layout(ordered, (), (), tuple(name for name, _ in self.columns), 0, 0)
        return ordered if layout.schema_hash == self.profile.schema_hash else ()


def kept_of(seen: Seen, store: Store) -> Kept:
    """What one run said of a dataset, and what the store keeps under the digests that it named."""
    content = seen.content
    if content.get("state") == "unknown":
        return Kept(reason=text(content.get("reason")) or "unknown", bytes=count(content.get("bytes")))
    digests = tuple(filter(None, (_digest(content.get(key)) for key in _DIGESTS)))
    pin = "" if digests else text(facet(seen.facets, "version").get("datasetVersion"))
    fields = objects(facet(seen.facets, "schema").get("fields"))
    table = next((one for one in digests if one.algorithm == "lkt1"), None)
    folder = next((one for one in digests if one.algorithm == "lkd1"), None)
    return Kept(
        digests,
        pin,
        tuple((original_name(text(one.get("name"))), text(one.get("type"))) for one in fields),
        count(content.get("rows")),
        count(content.get("bytes")),
        count(content.get("files")),
        None if folder is None else _manifest(store.object("manifest", str(folder))),
        None if table is None else _profile(store.object("profile", str(table))),
        "" if digests or pin else "no digest was recorded",
    )


def _digest(value: object) -> Digest | None:
    try:
        return Digest.parse(text(value)) if value else None
    except BadDataError:
        return None


def _manifest(body: bytes | None) -> Manifest | None:
    return None if body is None else Manifest.from_lines(body.decode().splitlines())


def _profile(body: bytes | None) -> Profile | None:
    try:
        return None if body is None else Profile.from_bytes(body)
    except BadDataError:  # of a newer version
        return None


def summary_of(store: Store, run: str) -> RunSummary | None:
    """A run, with what was learned of its datasets later; None where nothing of it is left."""
    rows = [row for row in store.run_events(run) if row.body]
    events = [_with_learned(row.event, store.refinements(row.key)) for row in rows]
    return summarize(events) if events else None


def _with_learned(event: Mapping[str, Any], learned: Sequence[Any]) -> Mapping[str, Any]:
    for one in learned:
        side, of_side, ours = f"{one.role}s", f"{one.role}Facets", f"lineagekit_{one.role}Content"
        event = {**event, side: [_resolved(dataset, of_side, ours, one) for dataset in event.get(side) or ()]}
    return event


def _resolved(dataset: Mapping[str, Any], of_side: str, ours: str, one: Any) -> Mapping[str, Any]:
    if (dataset.get("namespace"), dataset.get("name")) != (one.namespace, one.name):
        return dataset
    facets = dict(dataset.get(of_side) or {})
    facets[ours] = resolve([told for told in (facets.get(ours), one.facet) if told])
    return {**dataset, of_side: facets}


def best(found: Iterable[Kept]) -> Kept:
    """The one that tells most."""
    return max(found, key=lambda one: (one.profile is not None, len(one.digests), len(one.columns)), default=Kept())
