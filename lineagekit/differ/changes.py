# SPDX-License-Identifier: Apache-2.0
"""What a diff says, as values: a verdict, the levels that were compared at what cost, and the changes of each.

>>> as_json(Level("schema", "same", "3 columns"))
{'name': 'schema', 'outcome': 'same', 'told': '3 columns'}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

Outcome = Literal["same", "different", "unknown"]
Kind = Literal[
    "identical",
    "same content",
    "other order",
    "other format",
    "schema only",
    "appended",
    "changed",
    "not comparable",
    "unknown",
]

INERT = ("identical", "same content", "other order", "other format")
"""Verdicts under which the data are the same, however they are written down."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the comparison: what it found, what it cost, or why it could not be taken."""

    name: str
    outcome: Outcome
    told: str = ""
    cost: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of a folder; `before` and `after` are sizes, `path` is where it is now, `was` where it was before."""

    path: str
    before: int | None = None
    after: int | None = None
    was: str = ""


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Two manifests."""

    before: int
    after: int
    added: tuple[FileChange, ...] = ()
    removed: tuple[FileChange, ...] = ()
    changed: tuple[FileChange, ...] = ()
    renamed: tuple[FileChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.removed or self.changed or self.renamed)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and logical type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A column that is there under another name; `alike` is 1 where the content is the same."""

    before: str
    after: str
    alike: float = 1.0


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column of another type. `note` says how the values were compared all the same."""

    name: str
    before: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SchemaChanges:
    """Two schemas."""

    added: tuple[Column, ...] = ()
    dropped: tuple[Column, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    retyped: tuple[Retyped, ...] = ()
    reordered: bool = False
    nullable: tuple[str, ...] = ()
    """Columns that may hold nulls now."""
    required: tuple[str, ...] = ()
    """Columns that may hold none any more."""

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return any(getattr(self, one.name) for one in fields(self))

    def words(self) -> list[str]:
        """What was done to the columns."""
        done = [word for word in ("added", "dropped", "renamed", "retyped") if getattr(self, word)]
        done += ["reordered"] * self.reordered
        return done + ["nullability"] * bool(self.nullable or self.required)


@dataclass(frozen=True, slots=True)
class Facts:
    """A column in numbers; None is unknown. `low` and `high` are texts where they are dates."""

    rows: int
    nulls: int | None = None
    nans: int | None = None
    distinct: int | None = None
    low: float | int | str | None = None
    high: float | int | str | None = None
    mean: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 5, 25, 50, 75 and 95 %."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of the categories, the most frequent first."""


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """The statistics of a column that changed."""

    name: str
    type: str
    before: Facts
    after: Facts
    psi: float | None = None
    ks: float | None = None
    sample: tuple[int, int] = (0, 0)
    """How many values the drift scores and quantiles are taken from, on either side."""
    new_categories: tuple[str, ...] = ()
    gone_categories: tuple[str, ...] = ()
    exact: bool = True
    """Whether counts and bounds are exact; drift scores never are."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row that changed, by its key; `cells` are (column, before, after), one side None where there is no row."""

    kind: Literal["added", "removed", "changed"]
    key: tuple[tuple[str, str], ...]
    cells: tuple[tuple[str, str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Two tables row by row. Without a key a changed row is one removed and one added."""

    before: int
    after: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: tuple[tuple[str, int], ...] = ()
    """In how many changed rows a column differs, of those that were looked at."""
    examined: int = 0
    key: tuple[str, ...] = ()
    how: Literal["given", "guessed", "position", "none"] = "none"
    """Where the key is from; rows of the same place are pairs where there is none and all others are equal."""
    note: str = ""
    reordered: bool = False
    at_end: bool = False
    """All added rows stand behind all old ones, which are in their old order."""
    exact: bool = True
    examples: tuple[Example, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether there are other rows, whatever their order."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class TextChanges:
    """A unified diff, cut where it is long."""

    added: int
    removed: int
    lines: tuple[str, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class FactChange:
    """A parameter, a metric, a module, a package... of a run; None is not there."""

    section: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class UseChange:
    """What a run read or wrote; `outcome` is "unknown" where the bytes of one side are not known."""

    role: Literal["input", "output"]
    name: str
    outcome: Outcome
    before: str = ""
    after: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class RunChanges:
    """Two runs."""

    before: str
    after: str
    uses: tuple[UseChange, ...] = ()
    facts: tuple[FactChange, ...] = ()
    same: tuple[str, ...] = ()
    """Sections that are known on both sides and equal."""
    unknown: tuple[str, ...] = ()
    """Sections of which one side said nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two differ. What was not compared, or has no meaning for them, is None."""

    a: str
    b: str
    kind: Kind
    verdict: str
    levels: tuple[Level, ...] = ()
    files: FileChanges | None = None
    schema: SchemaChanges | None = None
    statistics: tuple[ColumnChange, ...] | None = None
    rows: RowChanges | None = None
    text: TextChanges | None = None
    run: RunChanges | None = None
    parts: tuple[Difference, ...] = ()
    """Of files of a folder, or of a model."""
    warnings: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the data are known to be other data."""
        return self.kind not in (*INERT, "unknown")

    @property
    def is_complete(self) -> bool:
        """Whether all levels could be compared."""
        return all(level.outcome != "unknown" for level in self.levels)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; what is not known is left out."""
        told: dict[str, Any] = as_json(self)
        return told | {"differs": self.differs, "complete": self.is_complete}


def as_json(value: object) -> Any:
    """Dataclasses as objects without what is empty, and numbers that JSON has none of as texts."""
    if is_dataclass(value):
        told = ((one.name, getattr(value, one.name)) for one in fields(value))
        return {name: as_json(one) for name, one in told if one is not None and one not in ("", ())}
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): as_json(one) for name, one in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
