# SPDX-License-Identifier: Apache-2.0
"""What a run was: its code and parameters, from its events in the log, where the index has only what tells them apart.

>>> detail_of(store, run.run)  # doctest: +SKIP
Detail(commit='be3cae9a5684...', dirty=False, repository='git@...', entry='train.py', digest='ast1;...', params={...})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineagekit.events.edges import EVENT_FACET
from lineagekit.events.lenient import Facets, facet, mapping, objects, parse, text
from lineagekit.events.summary import ENDS
from lineagekit.store.log import Store
from lineagekit.store.rows import Row

_OURS = f'"{EVENT_FACET}":'.encode()


@dataclass(frozen=True, slots=True)
class Detail:
    """Which code ran, and with which parameters. What is not known is empty."""

    commit: str = ""
    dirty: bool = False
    """There were changes that no commit holds."""
    repository: str = ""
    entry: str = ""
    """The file that was started."""
    digest: str = ""
    """Of that file."""
    params: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "code": {
                "commit": self.commit or None,
                "dirty": self.dirty,
                "repository": self.repository or None,
                "entry": self.entry or None,
                "digest": self.digest or None,
            },
            "params": dict(self.params),
        }


def detail_of(store: Store, run: str) -> Detail:
    """Of one run; one whose events are damaged has none."""
    events = [parse(row.body) for row in _telling(store.run_events(run))]
    events.sort(key=lambda event: (text(event.get("eventType")) in ENDS, text(event.get("eventTime"))))
    run_facets = _merged(mapping(event.get("run")) for event in events)
    return _detail(run_facets, _merged(mapping(event.get("job")) for event in events))


def _telling(rows: list[Row]) -> list[Row]:
    """The end of a run of ours tells all of it; of others, every event may tell something."""
    ends = [row for row in rows if row.type in ENDS and _OURS in row.body]
    return ends or [row for row in rows if row.body]


def _merged(things: Iterable[Facets]) -> Facets:
    return {key: value for thing in things for key, value in mapping(thing.get("facets")).items()}


def _detail(run: Facets, job: Facets) -> Detail:
    code, place = facet(run, "lineagekit_code"), facet(job, "sourceCodeLocation")
    modules = objects(code.get("modules"))
    digests = modules[0].get("digests") if modules and text(modules[0].get("name")) == "__main__" else None
    return Detail(
        commit=text(code.get("commit")) or text(place.get("version")),
        dirty=code.get("dirty") is True,
        repository=text(code.get("repository")) or text(place.get("repoUrl")) or text(place.get("url")),
        entry=text(code.get("entry")) or text(place.get("path")),
        digest=text(digests[0]) if isinstance(digests, list) and digests else "",
        params=_params(run),
    )


def _params(run: Facets) -> dict[str, str]:
    ours = objects(facet(run, "lineagekit_params").get("params"))
    found = ours or objects(facet(run, "executionParameters").get("parameters"))
    named = ((text(one.get("name")) or text(one.get("key")), one.get("value")) for one in found)
    return {name: value if isinstance(value, str) else str(value) for name, value in named if name}
