# SPDX-License-Identifier: Apache-2.0
"""What changed, as values: files, columns, statistics, rows.

>>> SchemaChanges(added=(Column("note", "utf8"),), reordered=True).words()
['added', 'reordered']
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Outcome = Literal["same", "different", "unknown"]


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the comparison: what it found, what it cost, or why it could not be taken."""

    name: str
    outcome: Outcome | Literal["taken"]
    """What was only taken, such as a profile to compare with, is neither same nor different."""
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
