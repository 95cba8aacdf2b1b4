# SPDX-License-Identifier: Apache-2.0
"""How a hybrid is rebuilt and judged: the command, where parameters go in it, and what its result is measured by.

>>> recipe = Recipe(("python", "train.py", "--day", "{day}"), "/work", words={"lr": "--rate={value}"})
>>> recipe.command_for({"day": "2026-05-01", "lr": "0.1"})
['python', 'train.py', '--day', '2026-05-01', '--rate=0.1']
>>> recipe.has_place_for("depth")
False
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a hybrid is rebuilt and judged."""

    command: tuple[str, ...]
    """`{name}` stands for a parameter's value."""
    folder: str
    """Where it starts."""
    metric: str = ""
    """"" leaves it to the exit code: 0 good, 125 skip, all else bad."""
    threshold: float = 0.0
    higher_is_better: bool = True
    metric_file: str = ""
    """`m.json:auc`: a number in a file that the command writes; `m.json:test.auc` is in an object in it."""
    by_exit_status: bool = False
    timeout: float | None = None
    is_unsafe: bool = False
    repeat: int = 1
    """Each hybrid is built so often, and judged by the mean."""
    param_file: str = ""
    """JSON from which the command reads parameters."""
    in_copy: bool = False
    """Where no cage can be built: what cannot be tried there may be tried elsewhere, which is another session."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What to add to the command for a parameter; `{value}` stands for its value."""

    @property
    def judged_by(self) -> str:
        """The measure and the border, for people and for the session."""
        what = self.metric_file or self.metric
        judged = f"{what} {self.threshold!r} {'up' if self.higher_is_better else 'down'}" if what else "exit code"
        judged += " in a copy" if self.in_copy else ""
        return " ".join([judged, f"x{self.repeat}", self.param_file, *(f"{k}={v}" for k, v in self.words.items())])

    @property
    def metric_place(self) -> tuple[str, str]:
        """The file that has the number, and the key in it; empty where there is none."""
        path, _, key = self.metric_file.rpartition(":")
        return path, key

    def command_for(self, values: Mapping[str, str]) -> list[str]:
        """The command with these values of parameters."""
        words = list(self.command)
        for name, value in values.items():
            words = [word.replace(f"{{{name}}}", value) for word in words]
        return words + [word.replace("{value}", values[name]) for name, word in self.words.items() if name in values]

    def has_place_for(self, name: str, *, may_be_absent: bool = False) -> bool:
        """Whether a parameter, or a variable as `$NAME`, reaches the command, and can be left out of it."""
        if name.startswith("$") or self.param_file or name in self.words:
            return True
        return not may_be_absent and any(f"{{{name}}}" in word for word in self.command)

    def is_good(self, value: float) -> bool:
        """On the good side of the border."""
        return value == self.threshold or (value > self.threshold) == self.higher_is_better


def number_in(told: Any, key: str) -> float:
    """What JSON has under a key, else under its parts, one in the other.

    Raises KeyError, TypeError or ValueError where that is no number.

    >>> number_in({"auc": 0.8, "test": {"rmse": 2}}, "test.rmse")
    2.0
    """
    if key in told:
        return float(told[key])
    first, _, rest = key.partition(".")
    return number_in(told[first], rest)
