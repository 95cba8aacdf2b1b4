# SPDX-License-Identifier: Apache-2.0
"""What an event says of lineage, and what all events of a run say together, as values without any facet in them.

>>> Touch(digest="blake3:ab", version="12").identity
('content', 'blake3:ab')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Kind = Literal["run", "job", "dataset"]


class Name(NamedTuple):
    """Of a dataset or a job: what identifies it in OpenLineage."""

    namespace: str
    name: str


class Piece(NamedTuple):
    """A part of a dataset, as one run read or wrote it; `path` is relative to the dataset."""

    path: str
    digest: str
    evidence: str
    size: int | None = None
    table: str = ""
    """`lkt1` of what is in it."""


class Column(NamedTuple):
    """A column that another was made of; `kind` is DIRECT, INDIRECT or "". Without `to_column` it is the whole."""

    source: Name
    column: str
    target: Name
    to_column: str
    kind: str


class Grade(NamedTuple):
    """A metric as it was said; `of` and `on` are names as the author wrote them."""

    name: str
    value: float | str | None
    of: str
    on: str
    higher_is_better: bool | None
    step: int | None


@dataclass(slots=True)
class Touch:
    """A dataset as one run read or wrote it. What was not said is empty."""

    digest: str = ""
    """`algorithm:hex` of what was proven; of the bytes, else of the content."""
    file: str = ""
    """Of the bytes of a file whose `digest` is of what it answered (SQLite): with these it is built again."""
    version: str = ""
    """A foreign system's own name for it: a pin."""
    evidence: str = ""
    at: int = 0
    """Microseconds since 1970: when it was read first or written last, by the job's own clock."""
    size: int | None = None
    pieces: tuple[Piece, ...] = ()
    pieces_total: int = 0
    realpath: str = ""
    kind: str = ""
    """MODEL, TABLE, FILE..."""
    model: tuple[str, str] | None = None
    """Name and version of a model."""
    links: tuple[Name, ...] = ()
    """Other names of the same dataset."""
    owners: tuple[str, ...] = ()
    is_unknown: bool = False
    """The run said that the bytes are not known, rather than nothing."""

    @property
    def identity(self) -> tuple[str, str]:
        """What tells these bytes from others, and how strongly: content, pin, or the name alone."""
        if self.digest:
            return "content", self.digest
        return ("pin", self.version) if self.version else ("name", "")


Touches = dict[Name, Touch]


@dataclass(slots=True)
class Said:
    """What one event says."""

    kind: Kind
    type: str
    time: int
    run: str = ""
    job: Name | None = None
    parent: str = ""
    """Id of the run that began this one."""
    root: str = ""
    inputs: Touches = field(default_factory=dict)
    outputs: Touches = field(default_factory=dict)
    explicit: frozenset[tuple[Name | None, Name | None]] | None = None
    """Edges that the producer spelled out; None where inputs and outputs are all there is."""
    columns: dict[Name, tuple[Column, ...]] = field(default_factory=dict)
    """By output: a later event replaces what an earlier one said of the same output."""
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Facets that are compared as a whole: code, params, environment."""
    grades: tuple[Grade, ...] = ()
    owners: tuple[str, ...] = ()
    sender: str = ""
    """The software that sent it."""
    is_ours: bool = False
    """Built by `events.build`, whose end of a run tells all of it."""
    note: Any = None
    """What `events.producers` has to know of this event when all of its run is there; None of most."""


@dataclass(slots=True)
class Told:
    """What all events of one run say together."""

    run: str
    job: Name
    began: int
    ended: int
    """0 while it goes on."""
    state: str
    """RUNNING, COMPLETE, FAIL, ABORT."""
    said: Said
    """Inputs, outputs and the rest, merged."""
    edges: frozenset[tuple[Name | None, Name | None]] | None = None
    """Which input went into which output, where that is not simply all into all. None on either side is nothing."""
    named: Touches = field(default_factory=dict)
    """Datasets that its events name, and that it neither read nor wrote: what else is said of them is true."""
