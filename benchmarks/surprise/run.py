# SPDX-License-Identifier: Apache-2.0
"""Claim: of twelve feeds that all change every day, the one with the fault is first in .80 and in the top three in .90.

Rankers that people use stand beside ours: newest, largest row change, largest PSI, z-scores. `--history` shows what
7 to 56 days of history give, `--groups` what each group of levels adds, `--quiet` worlds without any fault.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import KINDS as FAULTS
from rankers import RANKERS, Scores, ours, with_facts
from worlds import CELLS, Cell, Pool, World, make_pools, make_world

from lineagekit.cause.levels import KINDS as LEVELS

Ranker = Callable[[World], Scores]
Place = tuple[int, int]
"""How many feeds go before, and how many tie, itself counted."""
_POOLS: list[Pool] = []


def main() -> None:
    """Print the tables that were asked for."""
    args = _arguments()
    began = time.perf_counter()
    make_pools(args.seed, args.pools)  # once, before each worker reads them
    with ProcessPoolExecutor(2, initializer=_load, initargs=(args.seed, args.pools)) as workers:
        Bench(args.worlds, args.seed, workers).print(args)
    print(f"{time.perf_counter() - began:.0f} s")


@dataclass(frozen=True, slots=True)
class Bench:
    """Worlds by number, ranked on two cores."""

    worlds: int
    seed: int
    workers: ProcessPoolExecutor

    def print(self, args: argparse.Namespace) -> None:
        """Print what was asked for."""
        if args.history:
            self.compare(CELLS[:1], {f"{days} days": partial(with_facts, days=days) for days in (7, 14, 28, 56)})
        elif args.groups:
            groups = dict.fromkeys(kind.group for kind in LEVELS.values())
            left_out = {f"without {group}": partial(ours, without=group) for group in groups}
            self.compare(CELLS[:1], {"ours": ours, **left_out, "rows only": partial(ours, only=("rows",))})
        elif args.quiet:
            self.print_quiet()
        else:
            cells = [cell for cell in CELLS if args.cell in ("", cell.name)]
            self.compare(cells, RANKERS)
            self.print_kinds(cells[0], with_facts)

    def compare(self, cells: Sequence[Cell], rankers: Mapping[str, Ranker]) -> None:
        """One line a ranker, one column a cell."""
        print(f"{self.worlds} worlds a cell of 12 feeds: first / in the top three (95 % interval of first)")
        print(f"{'':26}" + "".join(f"{cell.name:>23}" for cell in cells))
        places = [self.places(cell, list(rankers.values())) for cell in cells]
        for number, name in enumerate(rankers):
            print(f"{name:26}" + "".join(f"{_shares([ranks[number] for _, ranks in cell]):>23}" for cell in places))

    def print_kinds(self, cell: Cell, ranker: Ranker) -> None:
        """One line a kind of fault."""
        places = self.places(cell, [ranker])
        print(f"by kind of fault, {cell.name}, ours with facts on top")
        for kind in FAULTS:
            print(f"  {kind:24}{_shares([ranks[0] for name, ranks in places if name == kind]):>23}")

    def print_quiet(self) -> None:
        """Without any fault the first is often far ahead all the same: surprise is order, not verdict."""
        jobs = [(CELLS[0], "", self._number(i), [ours]) for i in range(self.worlds)]
        tops = [sorted(scores[0], reverse=True)[:2] for scores, _ in self.workers.map(_score, jobs, chunksize=8)]
        ahead = sum(first >= 1.5 * second for first, second in tops)
        print(f"no fault: first >= 1.5 x second in {_interval(ahead, self.worlds)} of {self.worlds} worlds")

    def places(self, cell: Cell, rankers: Sequence[Ranker]) -> list[tuple[str, list[Place]]]:
        """For each world the kind of fault, and where each ranker puts the feed that has it."""
        kinds = list(FAULTS)
        jobs = [(cell, kinds[i % len(kinds)], self._number(i), rankers) for i in range(self.worlds)]
        found = self.workers.map(_score, jobs, chunksize=8)
        return [
            (job[1], [_place(scores, culprit) for scores in by_ranker])
            for job, (by_ranker, culprit) in zip(jobs, found, strict=True)
        ]

    def _number(self, i: int) -> int:
        return self.seed * 1_000_000 + i


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--worlds", type=int, default=336)
    parser.add_argument("--pools", type=int, default=8, help="calendars of 24 feeds that the worlds are drawn from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cell", choices=[cell.name for cell in CELLS], default="", help="only this column")
    for name in ("history", "groups", "quiet"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def _load(seed: int, count: int) -> None:
    _POOLS.extend(make_pools(seed, count))


def _score(job: tuple[Cell, str, int, Sequence[Ranker]]) -> tuple[list[Scores], int]:
    cell, kind, number, rankers = job
    world = make_world(_POOLS, cell, kind=kind, seed=number)
    return [ranker(world) for ranker in rankers], world.culprit


def _place(scores: Scores, culprit: int) -> Place:
    mine = scores[culprit]
    return sum(score > mine for score in scores), sum(score == mine for score in scores)


def _within(places: Sequence[Place], most: int) -> float:
    """How many are among the first so many; of those that tie, as many as a draw would give."""
    return sum(min(1.0, max(0, most - ahead) / tied) for ahead, tied in places)


def _shares(places: Sequence[Place]) -> str:
    first, top = _within(places, 1), _within(places, 3)
    return f"{first / len(places):.2f}/{top / len(places):.2f} {_interval(first, len(places))[4:]}".replace("0.", ".")


def _interval(count: float, total: int) -> str:
    """Wilson's, 95 %."""
    share, z = count / total, 1.96
    middle, spread = share + z * z / (2 * total), z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2))
    low, high = ((middle + sign * spread) / (1 + z * z / total) for sign in (-1, 1))
    return f"{share:.2f} ({low:.2f}-{high:.2f})".replace("0.", ".")


if __name__ == "__main__":
    main()
