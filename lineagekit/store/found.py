# SPDX-License-Identifier: Apache-2.0
"""What questions to the index find, as values. Numbers are those of the index; times are microseconds since 1970.

>>> Dataset(7, "s3://raw", "orders/2026.parquet", "FILE").title
's3://raw/orders/2026.parquet'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from lineagekit.events.said import Name

Identity = Literal["content", "pin", "name"]


class How(IntEnum):
    """How sure it is who wrote what was read, the weakest first."""

    NOBODY = 0
    COPY = 1
    TIME = 2
    DIGEST = 3
    EVIDENCE = 4


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset by all of its names; `namespace` and `name` are what it is called."""

    id: int
    namespace: str
    name: str
    kind: str
    """MODEL, TABLE, FILE... or "" """
    others: tuple[Name, ...] = ()
    """Other spellings of it."""

    @property
    def title(self) -> str:
        """What a person calls it: a path, a URI, or namespace and name."""
        return title_of(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `code`, `params` and `environment` tell equal from different and nothing more; None is unknown."""

    id: int
    run: str
    namespace: str
    job: str
    state: str
    """"" for one that was only named by another."""
    began: int
    ended: int | None
    parent: int | None
    code: int | None
    params: int | None
    environment: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Bytes under a name: by their digest, else by a foreign system's version."""

    id: int
    dataset: int
    identity: Identity
    text: str
    """`algorithm:hex`, or the version."""
    size: int | None


@dataclass(frozen=True, slots=True)
class Write:
    """A run wrote a dataset. Without a snapshot the run is all that tells this version from others."""

    run: int
    dataset: int
    at: int | None
    snap: int | None


@dataclass(frozen=True, slots=True)
class Read:
    """A run read a dataset, which another run (or nobody known) had written."""

    run: int
    dataset: int
    src: int
    """0: nobody who is known."""
    via: int
    """The dataset as which it was written, where that is another one."""
    at: int
    snap: int | None
    how: int
    """A `How`."""
    parts: int
    """How many parts of the dataset these are; 0 for the whole."""


@dataclass(frozen=True, slots=True)
class Build:
    """A run made a version of a model."""

    run: int
    dataset: int
    model: str
    version: str
    at: int | None
    snap: int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a run reported; of which model, as far as is known."""

    run: int
    name: str
    value: float | str | None
    dataset: int | None
    of: str
    on: str
    higher_is_better: bool | None


@dataclass(frozen=True, slots=True)
class Sender:
    """A software that sent events, for jobs of one namespace."""

    producer: str
    namespace: str
    first: int
    last: int
    events: int


def job_title(namespace: str, job: str) -> str:
    """What a person calls a job."""
    return job if namespace in ("", "default") else f"{namespace}/{job}"


def title_of(namespace: str, name: str) -> str:
    """What a person calls a dataset."""
    return name if namespace == "file" else f"{namespace}/{name.removeprefix('/')}"


@dataclass(frozen=True, slots=True)
class Flow:
    """A job makes one dataset of another, over all of its runs; 0 is nothing."""

    job: int
    src: int
    dst: int
    designed: bool
    """Said by a design, not by a run."""
    first: int | None
    last: int | None
    runs: int


@dataclass(frozen=True, slots=True)
class ColumnFlow:
    """A job makes one column of another; without a column it is all of them."""

    job: int
    src: int
    src_column: str
    dst: int
    dst_column: str
