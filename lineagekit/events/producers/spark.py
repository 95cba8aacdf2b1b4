# SPDX-License-Identifier: Apache-2.0
"""Spark's OpenLineage agent: what its events say that is not so, from recordings of Spark 3.5 to 4.3.

1. FAIL, and a moment later COMPLETE, of one run: it failed, and what it meant to write it did not. A write that was
   refused because the path exists has no FAIL, unless `lineagekit_spark`'s listener was there to say it: it is known
   by the proof that a real one leaves.
2. The rows of a cached frame brought to the driver: the input is said to be the output, too.
3. `read.parquet` without a schema: a job of its own, never ended, that reads the folder in which the file lies.
4. CREATE TABLE AS SELECT is two runs, one in the other, of two jobs; a job's name tells of the plan, which changes.
   A job here is what an application writes (`nightly:/data/orders/dt={}`), or reads where it writes nothing.
5. A table that is dropped is an output. Nobody wrote it: what it was made of is still to be found.
6. A table that is written from itself was read, says the end, as it is afterwards. The start knows how it was.

7. An Iceberg table that is read at an older snapshot is said to have been read at its newest.

A version is what the `version` facet says: the report of Iceberg's scan has it too, as a number that lost its last
digits. A version that is not like that one was not read.

>>> made = Name("file", "/data/out")
>>> note = Note("SQL_JOB", "nightly", frozenset(), frozenset(), counted=frozenset({made}), has_begun=True)
>>> said = Said("run", "COMPLETE", 2, job=Name("n", "nightly.adaptive_spark_plan.data_out"), note=note)
>>> said.outputs = {made: Touch(size=900)}
>>> mend(Told("r", said.job, 1, 2, "COMPLETE", said), [said]).job.name
'nightly:/data/out'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from lineagekit.events.lenient import Facets, facet, mapping, objects, text
from lineagekit.events.roles import role_of
from lineagekit.events.said import Name, Said, Told, Touch, Touches

_APPLICATION, _RDD = "APPLICATION", "RDD_JOB"
_FILES = ".execute_insert_into_hadoop_fs_relation_command."
"""The plan of a write of files: it refuses before its first job, and says how much it wrote unless that is no byte."""
_COUNTED = (_FILES, ".adaptive_spark_plan.", ".execute_create_data_source_table_as_select_command.")
"""Plans that say how much they wrote, whenever they did. The others say nothing of it, or not each time."""
_NAMED = 3
"""Datasets that a job's name tells of, if it has so many."""


class Note(NamedTuple):
    """What an event tells beside its datasets."""

    kind: str
    """APPLICATION, SQL_JOB, RDD_JOB."""
    application: str
    changed: frozenset[Name]
    """Outputs that were said to be made, overwritten or altered."""
    dropped: frozenset[Name]
    counted: frozenset[Name]
    """Outputs of which Spark said how much was written."""
    has_begun: bool
    """A job of Spark's ran for it: not all was planning."""
    scanned: frozenset[tuple[Name, float]] = frozenset()
    """Inputs of which Iceberg reports a snapshot."""


def read(event: Facets, said: Said) -> Said:
    """Note what a run's end is judged by. One event alone is never proof that something was not written."""
    if said.kind != "run" or said.job is None:
        return said
    of_run = mapping(mapping(event.get("run")).get("facets"))
    kind = text(facet(mapping(event.get("job")).get("facets"), "jobType").get("jobType"))
    outputs = objects(event.get("outputs"))
    changes = {_name(one): _change(one) for one in outputs}
    dropped = frozenset(name for name, change in changes.items() if change == "DROP")
    changed = frozenset(name for name, change in changes.items() if change) - dropped
    counted = frozenset(_name(one) for one in outputs if facet(one.get("outputFacets"), "outputStatistics"))
    has_begun = "spark_jobDetails" in of_run
    scanned = frozenset(_scanned(objects(event.get("inputs"))))
    said.note = Note(kind, _application(of_run, said.job.name), changed, dropped, counted, has_begun, scanned)
    return said


def _scanned(inputs: Sequence[Facets]) -> Iterator[tuple[Name, float]]:
    for one in inputs:
        number = facet(one.get("inputFacets"), "icebergScanReport").get("snapshotId")
        if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= 1 << 63:
            yield _name(one), float(number)


def _name(dataset: Facets) -> Name:
    return Name(text(dataset.get("namespace")), text(dataset.get("name")))


def _change(dataset: Facets) -> str:
    return text(facet(dataset.get("facets"), "lifecycleStateChange").get("lifecycleStateChange"))


def _application(of_run: Facets, job: str) -> str:
    """Its name, which jobs' names begin with: that of the parent, where Spark itself is the parent."""
    name = text(mapping(facet(of_run, "parent").get("job")).get("name"))
    return name if name and job.startswith(f"{name}.") else job.partition(".")[0]


def mend(told: Told, events: Sequence[Said]) -> Told:
    """The run with what it really read and wrote, as a run of a job that is the same tomorrow."""
    notes = [said.note for said in events if isinstance(said.note, Note)]
    kinds = {note.kind for note in notes}
    if _APPLICATION in kinds or (_RDD in kinds and not told.ended and not told.said.outputs):
        return _with(told, {}, {})  # of an application it is known that it ended, not how: the others are its children
    inputs = _as_read(told.said, events)
    proof = _Proof(
        told.state,
        changed=frozenset(name for note in notes for name in note.changed),
        counted=frozenset(name for note in notes for name in note.counted),
        would_count=any(said.type == "START" for said in events) and any(plan in told.job.name for plan in _COUNTED),
        has_written=_FILES in told.job.name and any(note.has_begun for note in notes),
    )
    dropped = frozenset(name for note in notes for name in note.dropped) - proof.changed
    outputs = {
        name: touch if _is_new(touch, inputs.get(name)) else replace(touch, version="")
        for name, touch in told.said.outputs.items()
        if name not in dropped and _is_written(name, touch, inputs.get(name), proof)
    }
    job = _job(told, min((note.application for note in notes), default=""), outputs)
    return replace(_with(told, inputs, outputs), job=job)


def _as_read(said: Said, events: Sequence[Said]) -> Touches:
    """The inputs; those that are outputs too as they were before."""
    inputs = {**said.inputs}
    for name in inputs.keys() & said.outputs.keys():
        starts = [one.inputs[name] for one in events if one.type == "START" and name in one.inputs]
        if starts:
            inputs[name] = replace(inputs[name], version=starts[0].version, size=starts[0].size)
        elif inputs[name].version == said.outputs[name].version:
            inputs[name] = replace(inputs[name], version="", size=None)
    for name, number in {pair for one in events if isinstance(one.note, Note) for pair in one.note.scanned}:
        if name in inputs and inputs[name].version.isdecimal() and float(inputs[name].version) != number:
            inputs[name] = replace(inputs[name], version="")
    return inputs


class _Proof(NamedTuple):
    """What else there is to judge the outputs of a run by."""

    state: str
    changed: frozenset[Name]
    counted: frozenset[Name]
    would_count: bool
    """It was followed from its start, and plans like its say how much they wrote."""
    has_written: bool
    """Though it does not say how much: of files it wrote none but empty ones."""


def _is_written(name: Name, touch: Touch, before: Touch | None, proof: _Proof) -> bool:
    """Whether this was written: what goes on is believed, what failed is not, and of the rest only what has proof.

    Proof are statistics, a version that was not there before, or content that was proven. From plans that are silent
    nothing can be asked, but that the input is not said to be the output for no reason at all.
    """
    if proof.state != "COMPLETE":
        return proof.state == "RUNNING"
    if name in proof.counted or touch.digest or (touch.version and _is_new(touch, before)):
        return True
    if proof.would_count:
        return proof.has_written
    return before is None or name in proof.changed


def _is_new(touch: Touch, before: Touch | None) -> bool:
    return before is None or touch.version != before.version


def _job(told: Told, application: str, outputs: Iterable[Name]) -> Name:
    """The application and what this run writes; what it was to write; what it reads; else as the agent called it."""
    inputs = told.said.inputs
    _, _, target = told.job.name.removeprefix(f"{application}.").partition(".")
    meant = list(outputs) or [name for name in told.said.outputs if target or name not in inputs]
    if meant:
        return Name(told.job.namespace, f"{application}:{_places(meant)}")
    return Name(told.job.namespace, f"{application}:read:{_places(inputs)}") if inputs else told.job


def _places(names: Iterable[Name]) -> str:
    """Paths without what moves in them, as few as tell one job from another."""
    places = sorted({role_of(_place(name)).template for name in names})
    more = f",+{len(places) - _NAMED}" if len(places) > _NAMED else ""
    return ",".join(places[:_NAMED]) + more


def _place(name: Name) -> str:
    return name.name if name.namespace == "file" else f"{name.namespace.rstrip('/')}/{name.name.lstrip('/')}"


def _with(told: Told, inputs: Touches, outputs: Touches) -> Told:
    """The run with these inputs and outputs; the others are only named."""
    said = told.said
    columns = {name: columns for name, columns in said.columns.items() if name in outputs}
    sources = {column.source: Touch() for name in said.columns.keys() - columns for column in said.columns[name]}
    named = {**sources, **said.inputs, **said.outputs}
    return replace(told, said=replace(said, inputs=inputs, outputs=outputs, columns=columns), named=named)
