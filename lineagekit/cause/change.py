# SPDX-License-Identifier: Apache-2.0
"""A change: one difference between two builds that nothing further up explains.

>>> change = Change("params", "train.py", "lr", "0.01", "0.02")
>>> change.sentence
'parameter lr of train.py: 0.01 -> 0.02'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lineagekit.events.roles import role_of
from lineagekit.store.found import Identity

Kind = Literal[
    "restated",
    "missing",
    "stale",
    "late",
    "entered",
    "expired",
    "source",
    "schema",
    "out of band",
    "input added",
    "input removed",
    "writer",
    "code",
    "params",
    "packages",
    "environment",
    "response",
    "hidden",
]

CARRIERS = ("entered", "expired")
"""What every build of a moving window brings: they carry a fault, and are none by themselves."""

SETTINGS = ("code", "params", "packages", "environment")

_WORDS = {
    "restated": "{where} {key} was rewritten",
    "missing": "{where} {key} is missing",
    "stale": "{where} {key} has the content of an older part",
    "late": "{where} {key} came late",
    "entered": "{where} {key} is new",
    "expired": "{where} {key} is no longer read",
    "source": "{where} has other bytes",
    "schema": "{where} {key} has other columns",
    "out of band": "{where} {key} was changed by nobody who is recorded",
    "input added": "{where} is read now",
    "input removed": "{where} is no longer read",
    "writer": "{where} is written by another job",
    "code": "code {key} of {where}",
    "params": "parameter {key} of {where}",
    "packages": "package {key} of {where}",
    "environment": "{key} in the environment of {where}",
    "response": "the answer of {where}",
    "hidden": "{where} gives another output, though all recorded inputs are equal",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What is different in the bad build."""

    kind: Kind
    where: str
    """The dataset, or the job for a setting."""
    key: str = ""
    """The partition, parameter, module, package or variable."""
    before: str = ""
    after: str = ""
    """Digest, version or value; empty where there is none."""
    identity: Identity = "content"
    """How the two sides are known to differ."""
    inert: bool = False
    """Other bytes, the same content; or code that differs in nothing that runs."""
    dataset: int = 0
    run: str = ""
    """Where it is: the run that reads it, or has the setting."""
    good_run: str = ""
    at: int | None = None
    """When it appeared, in microseconds."""
    path: tuple[str, ...] = ()
    """Jobs from the model up to it."""
    details: tuple[str, ...] = field(default=(), compare=False)
    """What more is known: columns, rows."""

    @property
    def id(self) -> tuple[str, str, str]:
        """What is one change, in whichever pair of builds it is seen, and whichever jobs share that module."""
        return self.kind, "" if self.kind in ("code", "packages", "environment") else self.where, self.key

    @property
    def is_carrier(self) -> bool:
        """Whether every build brings something like it: a part of a moving window, a date among the parameters."""
        return self.kind in CARRIERS or (self.kind in ("params", "environment") and _moves(self.before, self.after))

    @property
    def sentence(self) -> str:
        """In words."""
        if self.kind == "stale" and not self.key:
            return f"{self.where} stayed as it was: {_short(self.after)}"
        words = " ".join(_WORDS[self.kind].format(where=self.where, key=self.key).split())
        if not (self.before or self.after):
            return words
        return f"{words}: {_short(self.before) or 'none'} -> {_short(self.after) or 'none'}"


def _moves(before: str, after: str) -> bool:
    """Whether two values differ in nothing but a date or a counter."""
    old, new = role_of(f"/{before}"), role_of(f"/{after}")
    return old.template == new.template and bool(old.key and new.key)


def _short(value: str) -> str:
    algorithm, mark, digits = value.rpartition(":")
    if mark and len(digits) >= 32:
        return f"{algorithm.partition(';')[0]}:{digits[:10]}"
    return value if len(value) <= 60 else f"{value[:57]}..."
