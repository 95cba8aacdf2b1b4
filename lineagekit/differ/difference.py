# SPDX-License-Identifier: Apache-2.0
"""How two differ, as one value: a verdict, the levels that were compared at what cost, and the changes of each.

>>> as_json(Level("schema", "same", "3 columns"))
{'name': 'schema', 'outcome': 'same', 'told': '3 columns'}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from lineagekit.differ.changes import ColumnChange, FileChanges, Level, Outcome, RowChanges, SchemaChanges

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
