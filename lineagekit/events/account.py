# SPDX-License-Identifier: Apache-2.0
"""Account: one run told in full, between the journals it is made from and the events it becomes.

Texts are as the journal has them: names may hold anything a file system allows, surrogates included. Making them safe
is the business of `build`. Times are nanoseconds since 1970.

    >>> rows = Use("file", "/data/orders.csv", path="/data/orders.csv", format="csv", rows=3)
    >>> account = Account(run="0197a1b2-0000-7000-8000-000000000001", job="train.py", journal="0197...", inputs=(rows,))
    >>> account.inputs[0].state, account.ended
    ('unknown', None)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.snapshot import Snapshot

if TYPE_CHECKING:
    from lineagekit.identity.profile import Profile

Columns = tuple[tuple[str, str], ...]
"""Names and types, in the order of the table."""

State = Literal["COMPLETE", "FAIL", "ABORT"]


class RunName(NamedTuple):
    """A run of a job: a parent, a root."""

    run: str
    namespace: str
    job: str


class ModelName(NamedTuple):
    """What a person calls a model; both may be empty."""

    name: str
    version: str


class Part(NamedTuple):
    """One file of a dataset, as a run read or wrote it; `digest` is `algorithm:hex`, or empty when not known."""

    path: str
    size: int | None = None
    digest: str = ""
    evidence: Evidence | None = None
    table: str = ""
    """`lkt1` of what the file says, where that was taken: by it, its profile is found."""
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure of ours inside the job, or a hook that a library no longer has."""

    where: str
    error: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Use:
    """A dataset as one run saw it: what it was called, and which bytes it was."""

    namespace: str
    name: str
    path: str = ""
    """Absolute lexical path; empty when there is no file."""
    snapshot: Snapshot | None = None
    """Digests, with profile and manifest where they were taken; a digest of a query's result too."""
    reason: str = ""
    """Why the digests are not proven; empty when they are."""
    evidence: Evidence | None = None
    """What the file system said of these bytes; None for a folder and for what is no file."""
    kind: str = ""
    """`query`, `http`, `dataset`; empty leaves it to the snapshot (file, directory, table, records, stream)."""
    format: str = ""
    """`csv`, `parquet`, `joblib`, `delta`..."""
    pins: tuple[Mapping[str, object], ...] = ()
    """Foreign systems' own names: `{"system": "delta", "version": "12"}`; version ids and etags of objects too."""
    realpath: str = ""
    """Where the links of `path` lead; empty or equal when nowhere else."""
    mount: str = ""
    """What is mounted there (`server:/export`), for joining the spellings of several machines."""
    at: int = 0
    """When this run read it first, or wrote it last."""
    door: str = ""
    """Where it was seen: `pandas.read_csv`, `open`."""
    columns: Columns = ()
    """As the job saw them; empty leaves it to the snapshot. Likewise `rows` and `bytes`."""
    rows: int | None = None
    bytes: int | None = None
    statement: str = ""
    """The SQL of a query, the method and URL of a request."""
    tables: tuple[str, ...] = ()
    """Tables that the statement reads."""
    model: ModelName | None = None
    """Not None says that this is a model."""
    files: tuple[Part, ...] = ()
    """Parts, of a dataset of several files; the whole list is the snapshot's manifest, where there is one."""
    subset: tuple[str, ...] = ()
    """What was read of it, as paths or patterns; empty means all."""
    owners: tuple[str, ...] = ()
    """Who is asked about it, as for an account's job."""

    @property
    def state(self) -> Literal["exact", "unknown"]:
        """`exact` when digests are there and nothing speaks against them."""
        proven = self.snapshot is not None and self.snapshot.digests and not (self.reason or self.snapshot.reason)
        return "exact" if proven else "unknown"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a run reported: of which model, on which data (paths or names; empty when not said)."""

    name: str
    value: float | None
    of: str = ""
    on: str = ""
    higher_is_better: bool | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """What ran: each module is (name, path, digests), each cell of a notebook likewise or its digest alone."""

    repository: str = ""
    """URL of the remote (any spelling of git's), or the absolute path of a repository without one."""
    commit: str = ""
    dirty: bool | None = None
    entry: str = ""
    """The script, relative to the repository where there is one."""
    modules: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    cells: tuple[object, ...] = ()
    clock: tuple[str, ...] = ()
    """Where it asks what day it is, as `features.py:12 date.today`: such a run is another one tomorrow."""


@dataclass(frozen=True, slots=True)
class Account:
    """One run, told in full."""

    run: str
    """Its UUID."""
    job: str
    namespace: str = ""
    """Of the job; empty becomes `default`."""
    journal: str = ""
    """Id of the journal where the run began: with run and sequence it names an event for good."""
    began: int = 0
    ended: int | None = None
    """None while it goes on: then it has a START only."""
    state: State = "COMPLETE"
    """How it ended."""
    parent: RunName | None = None
    root: RunName | None = None
    """The topmost ancestor; None when not known."""
    error: str = ""
    killed: bool = False
    """The process died without saying how the run ended."""
    how: str = ""
    """`process`, `with`, `job`, `command`, `notebook`."""
    host: str = ""
    cwd: str = ""
    entry: str = ""
    argv: tuple[str, ...] = ()
    exit: int | None = None
    owners: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    """What the author said of the run: `owner` and `description` have standard facets, the rest become tags."""
    inputs: tuple[Use, ...] = ()
    outputs: tuple[Use, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    code: Code | None = None
    environment: Mapping[str, object] = field(default_factory=dict)
    """`python`, `platform`, `hardware`, `packages`, `seeds`, `variables` (keyed digests, never values)."""
    facets: Mapping[str, object] = field(default_factory=dict)
    """Run facets that the journal brought ready-made, by key."""
    troubles: tuple[Trouble, ...] = ()
    unwatched: tuple[str, ...] = ()
    """What the job did where nobody looked: `socket db:5432`, `child ./train.sh`."""
