# SPDX-License-Identifier: Apache-2.0
"""The only reader of lineage in an event: datasets and what identifies their bytes, edges, columns, other names.

Whatever is not as the specification says is passed over, facet by facet: the event was accepted, and the rest of it is
true. A facet that is deleted (`_deleted`) says nothing.

>>> job = {"namespace": "n", "name": "j"}
>>> event = {"eventTime": "2026-11-01T00:00:00Z", "run": {"runId": "r"}, "job": job,
...          "inputs": [{"namespace": "file", "name": "/a", "facets": {"version": {"datasetVersion": "12"}}}]}
>>> read_edges(event, time=0).inputs[Name("file", "/a")].identity
('pin', '12')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from lineagekit.events.facets import PRODUCER
from lineagekit.events.facts import read_facts, read_owners
from lineagekit.events.lenient import Facets, count, facet, mapping, microseconds, objects, text
from lineagekit.events.producers import known_producer
from lineagekit.events.said import Column, Name, Piece, Said, Touch, Touches

Role = Literal["input", "output"]
Edge = tuple[Name | None, Name | None]

_OURS = PRODUCER.partition("/tree/")[0]
_DIGESTS = ("lks1", "lkt1", "records")
EVENT_FACET = "lineagekit_event"
_JOB_OUTPUT = "job"
"""Namespace prefix of what a job hands to another without any dataset in between."""


def read_edges(event: Mapping[str, Any], *, time: int) -> Said:
    """What one event says; `time` is its own, in microseconds."""
    run, job = mapping(event.get("run")), mapping(event.get("job"))
    said = Said("run" if run else "job" if job else "dataset", str(event.get("eventType") or ""), time)
    said.sender = text(event.get("producer"))
    if job:
        said.job = _name(job)
        said.inputs = _touches(event.get("inputs"), "input")
        said.outputs = _touches(event.get("outputs"), "output")
        said.columns = dict(_all_columns(event.get("outputs")))
        said.explicit = _edges_of_job(mapping(job.get("facets")), said)
    else:
        _read_dataset(mapping(event.get("dataset")), said)
    if run:
        said.run = str(run.get("runId") or "")
        said.is_ours = EVENT_FACET in mapping(run.get("facets"))
        _read_parents(mapping(run.get("facets")), said)
    read_facts(mapping(run.get("facets")), mapping(job.get("facets")), said)
    producer = known_producer(said.sender)
    return producer.read(event, said) if producer else said


def _name(named: Mapping[str, Any]) -> Name | None:
    namespace, name = named.get("namespace"), named.get("name")
    return Name(namespace, name) if isinstance(namespace, str) and isinstance(name, str) and name else None


def _touches(datasets: object, role: Role) -> Touches:
    found: Touches = {}
    for dataset in objects(datasets):
        name = _name(dataset)
        if name is not None:
            # One name twice in one event (partitions whose names were trimmed): both say something of it.
            touch = read_touch(dataset, role)
            found[name] = merge(found[name], touch) if name in found else touch
    return found


def read_touch(dataset: Mapping[str, Any], role: Role) -> Touch:
    """A dataset of an event."""
    touch = Touch()
    told = mapping(dataset.get(f"{role}Facets"))
    if content := facet(told, f"lineagekit_{role}Content"):
        _read_content(content, touch)
    facets = mapping(dataset.get("facets"))
    # Asked for with `in` first: most events have few of these, and there may be a million events.
    if "version" in facets and not touch.version:
        version = text(facet(facets, "version").get("datasetVersion"))
        touch.version = "" if version == touch.digest else version
    if "datasetType" in facets:
        touch.kind = text(facet(facets, "datasetType").get("datasetType")).upper()
    if model := facet(facets, "lineagekit_model"):
        touch.model = text(model.get("name")), text(model.get("version"))
    if "symlinks" in facets:
        touch.links = tuple(_links(facet(facets, "symlinks")))
    if "ownership" in facets:
        touch.owners = tuple(read_owners(facet(facets, "ownership")))
    if touch.size is None and told:
        touch.size = count(facet(told, f"{role}Statistics").get("size"))
    return touch


def merge(earlier: Touch, later: Touch) -> Touch:
    """Two events of a run of one dataset: the later one replaces what it speaks of, but unknown never hides exact."""
    content, other = (later, earlier) if later.digest or not earlier.digest else (earlier, later)
    return Touch(
        digest=content.digest,
        file=content.file or (other.file or other.digest if other.evidence and not content.evidence else ""),
        version=later.version or earlier.version,
        evidence=content.evidence or other.evidence,
        at=content.at or other.at,
        size=content.size if content.size is not None else other.size,
        pieces=content.pieces or other.pieces,
        pieces_total=content.pieces_total or other.pieces_total,
        realpath=content.realpath or other.realpath,
        kind=later.kind or earlier.kind,
        model=later.model or earlier.model,
        links=later.links or earlier.links,
        owners=later.owners or earlier.owners,
        is_unknown=not content.digest and (earlier.is_unknown or later.is_unknown),
    )


def _read_content(content: Facets, touch: Touch) -> None:
    if content.get("state") == "exact":
        touch.digest = text(content.get("digest")) or next(
            (text(content[key]) for key in _DIGESTS if key in content), ""
        )
    touch.is_unknown = not touch.digest
    touch.evidence = text(content.get("evidence"))
    if at := text(content.get("at")):
        touch.at = microseconds(at) or 0
    touch.size = count(content.get("bytes"))
    if "realpath" in content:
        touch.realpath = text(content["realpath"])
    if "pins" in content:
        touch.version = _pinned(content)
    if parts := content.get("parts"):
        touch.pieces = tuple(_piece(path, part) for part in objects(parts) if (path := text(part.get("path"))))
        touch.pieces_total = count(content.get("partsTotal")) or len(touch.pieces)


def _piece(path: str, part: Facets) -> Piece:
    digest, evidence, table = text(part.get("digest")), text(part.get("evidence")), text(part.get("lkt1"))
    return Piece(path, digest, evidence, count(part.get("bytes")), table)


def _pinned(content: Facets) -> str:
    """The first pin that says a version; of an object in a store its version id or etag does."""
    for pin in objects(content.get("pins")):
        for key in ("version", "snapshot", "version_id", "etag"):
            if version := text(pin.get(key)):
                return version
    return ""


def _links(symlinks: Facets) -> Iterator[Name]:
    """Other names for good. Ours is where a link led this time, and it may lead elsewhere tomorrow."""
    if not text(symlinks.get("_producer")).startswith(_OURS):
        for identifier in objects(symlinks.get("identifiers")):
            if (name := _name(identifier)) is not None:
                yield name


def _read_parents(facets: Facets, said: Said) -> None:
    parent = facet(facets, "parent") or facet(facets, "parentRun")  # as it was called once
    said.parent = text(mapping(parent.get("run")).get("runId"))
    said.root = text(mapping(mapping(parent.get("root")).get("run")).get("runId"))


def _read_dataset(dataset: Mapping[str, Any], said: Said) -> None:
    """A dataset by design: what it is made of is said without a job."""
    name = _name(dataset)
    if name is None:
        return
    said.outputs = {name: read_touch(dataset, "output")}
    said.owners = said.outputs[name].owners
    columns = tuple(_columns_of(name, dataset))
    lineage = facet(dataset.get("facets"), "lineage")
    sources = [*_sources(lineage, None), *(source for source, _, _ in _fields(lineage))]
    said.explicit = frozenset((source, name) for source in (*sources, *(one.source for one in columns)))
    said.columns = {name: columns} if columns else {}
    for source, _ in said.explicit:
        if source is not None:
            said.inputs.setdefault(source, Touch())


def _edges_of_job(facets: Facets, said: Said) -> frozenset[Edge] | None:
    """What the `lineage` facet spells out; and then nothing may be inferred from inputs and outputs."""
    lineage = facet(facets, "lineage")
    if not isinstance(lineage.get("entries"), list):
        return None
    edges: set[Edge] = set()
    for entry in objects(lineage["entries"]):
        target = _target(entry, said)
        if target is not None:
            said.outputs.setdefault(target, Touch())
            said.columns.update(_columns_of_entry(target, entry))
        fields = list(_fields(entry))
        sources = [*_sources(entry, said.job), *(source for source, _, _ in fields)]
        edges.update((source, target) for source in sources)
        if not sources:
            edges.add((None, target))
    for source, _ in edges:
        if source is not None:
            said.inputs.setdefault(source, Touch())
    return frozenset(edges)


def _target(entry: Mapping[str, Any], said: Said) -> Name | None:
    """The dataset that an entry is about; None where it is the event's own job."""
    if entry.get("type") != "JOB":
        return _name(entry)
    named = _name(entry)
    return None if named is None or named == said.job else job_output(named)


def _sources(entry: Mapping[str, Any], own: Name | None) -> Iterator[Name]:
    for source in objects(entry.get("inputs")):
        named = _name(source)
        if source.get("type") != "JOB":
            if named is not None:
                yield named
        elif named is not None and named != own:
            yield job_output(named)


def job_output(job: Name) -> Name:
    """What stands for the unnamed result of a job, where one job hands it to another directly."""
    return Name(f"{_JOB_OUTPUT}:{job.namespace}", job.name)


def _fields(entry: Mapping[str, Any]) -> Iterator[tuple[Name, str, tuple[str, str]]]:
    """Source, its column, and (target column, kind) of each field that an entry or columnLineage facet tells of."""
    for to_column, field in mapping(entry.get("fields")).items():
        sources = mapping(field)
        for source in objects(sources.get("inputFields") or sources.get("inputs")):
            if (named := _name(source)) is not None:
                yield named, text(source.get("field")), (str(to_column), _kind(source))


def _kind(source: Mapping[str, Any]) -> str:
    return next((text(one.get("type")) for one in objects(source.get("transformations"))), "")


def _columns_of_entry(target: Name, entry: Mapping[str, Any]) -> dict[Name, tuple[Column, ...]]:
    columns = tuple(Column(source, column, target, to, kind) for source, column, (to, kind) in _fields(entry))
    return {target: columns} if columns else {}


def _all_columns(outputs: object) -> Iterator[tuple[Name, tuple[Column, ...]]]:
    for dataset in objects(outputs):
        name = _name(dataset)
        if name is not None and (columns := tuple(_columns_of(name, dataset))):
            yield name, columns


def _columns_of(name: Name, dataset: Mapping[str, Any]) -> Iterator[Column]:
    facets = mapping(dataset.get("facets"))
    for key in ("columnLineage", "lineage"):
        if key not in facets:
            continue
        lineage = facet(facets, key)
        for source, column, (to, kind) in _fields(lineage):
            yield Column(source, column, name, to, kind)
        for source_of_all in objects(lineage.get("dataset")):
            if (named := _name(source_of_all)) is not None:
                yield Column(named, text(source_of_all.get("field")), name, "", "INDIRECT")
