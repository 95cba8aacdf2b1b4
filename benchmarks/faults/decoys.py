# SPDX-License-Identifier: Apache-2.0
"""Decoys: harmless things that happen to pipelines, which must not be blamed.

>>> sorted({decoy.is_hard for decoy in decoys_for("linear")})
[False, True]

Easy ones can be told from the record to be harmless; hard ones are real changes of what runs, or of what is read, that
happen not to matter: in the build of a fault they are rightly suspects too, and only a rebuild can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.faults.world import Act, World

STATIC = {"linear": "base", "join": "customers", "fanin": "places", "rolling": "places"}
"""A source of each shape that seldom changes."""


@dataclass(frozen=True, slots=True)
class Decoy:
    """Something harmless."""

    kind: str
    do: Act
    is_hard: bool = False


def decoys_for(shape: str) -> tuple[Decoy, ...]:
    """All that can happen to a pipeline of this shape."""
    static = STATIC[shape]
    return (
        Decoy("encoded anew", lambda world: _encode_anew(world, static)),
        Decoy("rows in another order", lambda world: _rewrite(world, static, _shuffled)),
        Decoy("a comment", lambda world: _prepend(world, "transforms.py", "# as agreed in May\n")),
        Decoy("a docstring", lambda world: world.edit("train.py", "import argparse", "import argparse  # options")),
        Decoy(
            "laid out anew",
            lambda world: world.edit("transforms.py", "    found = []\n", "    found = (\n        []\n    )\n"),
        ),
        Decoy("the same bytes again", lambda world: _touch(world, static)),
        Decoy("a column that nobody reads", lambda world: _rewrite(world, static, _with_column), is_hard=True),
        Decoy("rewritten, to do the same", _refactor, is_hard=True),
        Decoy(
            "a note among the parameters",
            lambda world: world.argv.setdefault("train.py", []).extend(["--note", "x"]),
            True,
        ),
        Decoy("a new version of plots", _bump_plots, is_hard=True),
        Decoy("how much is logged", lambda world: world.env.update(LOG_LEVEL="debug"), is_hard=True),
        Decoy("a helper that does nothing", _add_module, is_hard=True),
        Decoy("a few rows corrected", lambda world: _rewrite(world, static, _corrected), is_hard=True),
    )


def _prepend(world: World, name: str, text: str) -> None:
    path = world.root / name
    path.write_text(text + path.read_text())


def _encode_anew(world: World, name: str) -> None:
    table = world.read_feed(name)
    if world.feed(name).format == "csv":
        path = world.path(name)
        path.write_text(path.read_text().replace("\n", "\r\n"))
    else:
        world.write_feed(name, table, compression="zstd")


def _touch(world: World, name: str) -> None:
    path = world.path(name)
    path.write_bytes(path.read_bytes())


def _rewrite(world: World, name: str, surgery: Callable[[pa.Table], pa.Table]) -> None:
    world.write_feed(name, surgery(world.read_feed(name)))


def _shuffled(table: pa.Table) -> pa.Table:
    return table.take(np.random.default_rng(0).permutation(len(table)))


def _with_column(table: pa.Table) -> pa.Table:
    return (
        table if "phone" in table.column_names else table.append_column("phone", pa.array(np.arange(len(table)) % 997))
    )


def _corrected(table: pa.Table) -> pa.Table:
    place = next(k for k, name in enumerate(table.column_names) if name.startswith("age"))  # after a fault: age_years
    values = table.column(place).to_numpy().copy()
    values[:5] += 1
    return table.set_column(place, table.column_names[place], pa.array(values))


def _refactor(world: World) -> None:
    world.edit("transforms.py", "    return values\n", "    result = values\n    return result\n")


def _bump_plots(world: World) -> None:
    world.edit("lib/site-packages/plottools/__init__.py", '"0.9.1"', '"0.9.2"')


def _add_module(world: World) -> None:
    world.write("tracing.py", "def trace(*words):\n    return None\n")
    world.edit("train.py", "import plottools\n", "import plottools\nimport tracing\n")
