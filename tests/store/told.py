# SPDX-License-Identifier: Apache-2.0
"""Small events for tests of the index and of what is asked of it: `run("clean", reads=..., writes=...)`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lineagekit.store.index import Index, Rules, open_index
from lineagekit.store.log import Store, entry_of, open_store

Event = dict[str, Any]

PRODUCER = "https://example.com/spark"


def moment(minute: float) -> str:
    """Minutes after the beginning of a day."""
    return (datetime(2026, 5, 1) + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def dataset(name: str, role: str = "input", *, at: float | None = None, namespace: str = "file", **said: Any) -> Event:
    """What is said goes into our facet (`digest`, `evidence`, `parts`...), but for `version`, `kind`, `model`."""
    facets = dict(said.pop("facets", {}))
    if version := said.pop("version", None):
        facets["version"] = {"datasetVersion": version}
    if kind := said.pop("kind", None):
        facets["datasetType"] = {"datasetType": kind}
    if model := said.pop("model", None):
        facets["datasetType"] = {"datasetType": "MODEL"}
        facets["lineagekit_model"] = {"name": model}
    if at is not None:
        said["at"] = moment(at)[:-1] + "000Z"
    if said:
        said = {"state": "exact" if "digest" in said else "unknown", "bytes": 1000} | said
        if "digest" in said:
            said["digest"] = digest(said["digest"])
        return _named(namespace, name) | {"facets": facets, f"{role}Facets": {f"lineagekit_{role}Content": said}}
    return _named(namespace, name) | {"facets": facets}


def digest(short: str) -> str:
    """`a` is `blake3:aaaa...`."""
    return "blake3:" + (short * 64)[:64]


def run(  # noqa: PLR0913 - so that a test tells a run in one line
    job: str,
    begin: float,
    end: float | None = None,
    *,
    reads: Sequence[Event | str] = (),
    writes: Sequence[Event | str] = (),
    state: str = "COMPLETE",
    namespace: str = "shop",
    **more: Any,
) -> list[Event]:
    """START and end of a run; its id follows from job and begin."""
    inputs = [dataset(one) if isinstance(one, str) else one for one in reads]
    outputs = [dataset(one, "output") if isinstance(one, str) else one for one in writes]
    run_facets, job_facets = more.pop("run_facets", {}), more.pop("job_facets", {})
    head = {
        "producer": PRODUCER,
        "run": {"runId": run_id(job, begin), "facets": run_facets},
        "job": {"namespace": namespace, "name": job, "facets": job_facets},
    } | more
    events = [{"eventType": "START", "eventTime": moment(begin), **head}]
    if end is not None:
        events.append({"eventType": state, "eventTime": moment(end), **head, "inputs": inputs, "outputs": outputs})
    return events


def run_id(job: str, begin: float) -> str:
    """The id of the run of a job that began then."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job}/{begin}"))


@contextmanager
def told(folder: Path, *events: Sequence[Event], rules: Rules | None = None) -> Iterator[tuple[Store, Index]]:
    """A store and its index, to which these events were told, portion by portion."""
    with open_store(folder) as store, open_index(store, folder, rules=rules) as index:
        for portion in events:
            store.append(map(entry_of, portion))
            index.catch_up()
        yield store, index


def bindings(index: Index) -> Mapping[tuple[str, str], tuple[str, int]]:
    """(job of the reader, dataset) to (job of the writer, how)."""
    rows = index.database.rows(
        "SELECT j.name, d.name, coalesce(k.name, ''), r.how FROM read r JOIN run u ON u.id = r.run"
        " JOIN job j ON j.id = u.job JOIN name d ON d.id = r.dataset LEFT JOIN run s ON s.id = r.src"
        " LEFT JOIN job k ON k.id = s.job"
    )
    return {(reader, name): (writer, how) for reader, name, writer, how in rows}


def _named(namespace: str, name: str) -> Event:
    return {"namespace": namespace, "name": name}
