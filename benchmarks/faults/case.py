# SPDX-License-Identifier: Apache-2.0
"""A case: one pipeline from its first build to its last, recorded; and the same without the fault, unrecorded.

    >>> played = play(Case(LINEAR, fault, decoys, seed=3), folder, warm)  # doctest: +SKIP
    >>> played.hurt, played.harm  # doctest: +SKIP
    (0.061, 0.001)

That the fault hurts and the rest does not is not believed but measured: the world without the fault is built too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.faults.decoys import Decoy
from benchmarks.faults.faults import Fault
from benchmarks.faults.world import Shape, World
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FIRST_DECOY = 2
"""The first day, counted from 0, on which something harmless happens."""

PLAYED = "played.json"
Decoys = tuple[tuple[int, Decoy], ...]
WARM = Path(__file__).with_name("warm.py")


class Warm:
    """The Python that forks for each job."""

    def __init__(self) -> None:
        """Start it."""
        env = {**os.environ, **_ONE_THREAD}
        self._process = subprocess.Popen([sys.executable, WARM], stdin=-1, stdout=-1, text=True, bufsize=1, env=env)

    def run(self, world: World, script: str, argv: list[str], env: Mapping[str, str]) -> str:
        """What the job printed. Raises RuntimeError if it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"script": script, "argv": argv, "cwd": str(world.root), "env": {**world.env, **env}}
        print(json.dumps(request), file=self._process.stdin)
        answer = json.loads(self._process.stdout.readline())
        if answer["code"]:
            raise RuntimeError(f"{script} of {world.shape.name} failed:\n{answer['output']}")
        return str(answer["output"])

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Case:
    """What happens in which pipeline, and when."""

    shape: Shape
    fault: Fault | None
    decoys: Decoys
    """Each with its day."""
    seed: int

    @property
    def fault_day(self) -> int:
        """Counted from 0."""
        return self.shape.days - self.shape.bad_days

    @property
    def parts_on(self) -> int:
        """The day from which on the world is built a second time, without what is to be proven."""
        return self.fault_day if self.fault else FIRST_DECOY


@dataclass(slots=True)
class Played:
    """What came of it."""

    store: Path
    grades: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    """Of the same days, without the fault from when it happens; where there is none, without the decoys."""
    alone: list[list[float]] = field(default_factory=list)
    """Likewise with one of several faults only; a list for each."""
    begins: list[int] = field(default_factory=list)
    """When each day began in truth, in nanoseconds since 1970."""
    seconds: float = 0.0

    def keep(self) -> None:
        """Beside the store, to be judged again."""
        told = {**asdict(self), "store": str(self.store)}
        (self.store.parent.parent / PLAYED).write_text(json.dumps(told))

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """What was played here; None if nothing was."""
        path = folder / PLAYED
        if not path.exists():
            return None
        told = json.loads(path.read_text())
        return cls(**{**told, "store": Path(told["store"])})


def play(case: Case, folder: Path, warm: Warm) -> Played:
    """Build day by day."""
    began = time.monotonic()
    world = World(folder / "case", case.shape, case.seed)
    world.root.mkdir(parents=True)
    world.set_up()
    played = Played(world.root / ".lineagekit")
    healthy: World | None = None
    alone: list[World] = []
    parts = case.fault.parts if case.fault else ()
    for day in range(case.shape.days):
        if day == case.parts_on:
            healthy = world.copy(folder / "without")
            alone = [world.copy(folder / f"alone-{number}") for number in range(len(parts))]
            played.alone = [[] for _ in parts]
        played.begins.append(time.time_ns())
        _happen(world, day, case.fault if day == case.fault_day else None, case.decoys)
        if healthy is not None:
            _happen(healthy, day, None, case.decoys if case.fault else ())
        played.grades.append(_build(world, warm, played.store))
        settle(str(played.store), plan=Plan(cache_folder=str(folder / "cache")))
        if healthy is not None:
            played.without.append(_build(healthy, warm, None))
        for number, other in enumerate(alone):
            _happen(other, day, parts[number] if day == case.fault_day else None, case.decoys)
            played.alone[number].append(_build(other, warm, None))
    played.begins.append(time.time_ns())
    played.seconds = time.monotonic() - began
    played.keep()
    return played


def _happen(world: World, day: int, fault: Fault | None, decoys: Decoys) -> None:
    world.begin_day()
    for when, decoy in decoys:
        if when == day:
            decoy.do(world)
    if fault is not None:
        fault.do(world)


def _build(world: World, warm: Warm, store: Path | None) -> float:
    """All jobs of a day; what the last one printed is the grade."""
    recorded = {"LINEAGEKIT_STORE": str(store), "LINEAGEKIT_SETTLE": "off"} if store else {"LINEAGEKIT_DISABLED": "1"}
    env = {"PATH": "/usr/bin:/bin", **_ONE_THREAD, **recorded}
    grades: dict[str, float] = {}
    for step in world.shape.steps:
        argv = [*map(str, step.argv(world))]
        output = warm.run(world, step.script, argv, env)
        if step.script == "grade.py":
            grades.setdefault(next(iter(argv[1:]), "label"), float(output.split()[-1]))
        if step.script in world.after:
            world.after[step.script](world)
    return grades[world.shape.model]


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the case is one: the fault hurts by more than noise, the rest does not."""

    noise: float
    hurt: float
    """By how much the fault made it worse, on the median of the bad days."""
    harm: float
    """By how much the decoys did."""
    alone: tuple[float, ...] = ()
    """By how much each of several faults does by itself."""

    @property
    def hurts(self) -> bool:
        """By more than four times the noise; each of several by itself by more than that and a third of it all."""
        least = max(4 * self.noise, 1e-3)
        return self.hurt > least and all(one > max(least, self.hurt / 3) for one in self.alone)

    @property
    def is_harmless(self) -> bool:
        """Harmed by less than a quarter of the hurt, or by nothing that is more than noise."""
        return self.harm < max(self.hurt / 4, 2 * self.noise)


def prove(case: Case, played: Played) -> Proof:
    """From the grades with and without the fault."""
    sign = 1 if case.shape.higher_is_better else -1
    good = played.grades[: case.fault_day] if case.fault else played.grades
    pairs = zip(played.without, played.grades[case.parts_on :], strict=True)
    worse = statistics.median(sign * (without - grade) for without, grade in pairs)
    if case.fault is None:
        return Proof(statistics.stdev(good), 0.0, worse)
    alone = (
        statistics.median(sign * (a - b) for a, b in zip(played.without, one, strict=True)) for one in played.alone
    )
    harm = sign * (statistics.median(good) - statistics.median(played.without))
    return Proof(statistics.stdev(good), worse, harm, tuple(alone))
