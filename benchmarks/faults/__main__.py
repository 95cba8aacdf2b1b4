# SPDX-License-Identifier: Apache-2.0
"""Play cases and print how often the right change is found.

    python -m benchmarks.faults --shape join --cases 16 --quiet 4
    python -m benchmarks.faults --shape join --cases 16 --keep FOLDER    # twice: what lies there is only judged again

Cases go through the kinds of fault in turn, with other decoys and another seed each. A case in which the fault did not
hurt by more than noise, or something harmless did, is no case: it is counted and left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.case import FIRST_DECOY, Case, Played, Proof, Warm, play, prove
from benchmarks.faults.decoys import Decoy, decoys_for
from benchmarks.faults.faults import SHAPES, faults_for, pairs_for
from benchmarks.faults.figures import Place, line, share
from benchmarks.faults.judge import Judged, judge
from benchmarks.faults.rebuild import Rebuilt, rebuild
from benchmarks.faults.rebuilt import sum_up_rebuilt
from benchmarks.faults.retell import Calendar, retell
from benchmarks.faults.shapes.fanin import FANIN
from benchmarks.faults.shapes.join import JOIN
from benchmarks.faults.shapes.linear import LINEAR
from benchmarks.faults.shapes.rolling import ROLLING
from benchmarks.faults.world import Shape, random_for

MISSING = (0.0, 0.05, 0.2)
"""Shares of the inputs that are taken out of what was recorded."""

_OF_ALL = 0.5
"""The share of the decoys that happen in a case."""

_BY_NAME = {shape.name: shape for shape in (LINEAR, JOIN, FANIN, ROLLING)}


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was one, and what was said of it for each share of missing inputs."""

    case: Case
    proof: Proof
    judged: dict[float, Judged]
    seconds: float
    rebuilt: Rebuilt | None = None

    @property
    def has_rivals(self) -> bool:
        """Whether something as real happened in the build of the fault."""
        return any(decoy.is_hard and day == self.case.fault_day for day, decoy in self.case.decoys)

    def to_json(self) -> dict[str, Any]:
        """For a closer look."""
        fault = self.case.fault
        return {
            "shape": self.case.shape.name,
            "fault": fault.kind if fault else None,
            "seed": self.case.seed,
            "decoys": [[day, decoy.kind] for day, decoy in self.case.decoys],
            "proof": asdict(self.proof),
            "rebuilt": asdict(self.rebuilt) if self.rebuilt else None,
            "judged": {str(share): asdict(judged) for share, judged in self.judged.items()},
        }


def main() -> None:
    """Play, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--shape", choices=SHAPES, action="append", help="all four if not said")
    parser.add_argument("--cases", type=int, default=2, help="of each shape, with a fault")
    parser.add_argument("--quiet", type=int, default=1, help="of each shape, with decoys only")
    parser.add_argument("--two", type=int, default=0, help="of each shape, with two faults at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", help="only faults of this kind")
    parser.add_argument("--keep", type=Path, help="leave the cases in this folder, and take those that are there")
    parser.add_argument("--json", type=Path, help="a line for each case")
    parser.add_argument("--bisect", action="store_true", help="rebuild each case instead of leaving inputs out")
    parser.add_argument("--rival", action="store_true", help="of a window, try the plain swap of feeds as well")
    options = parser.parse_args()
    root = options.keep or Path(tempfile.mkdtemp(prefix="lineagekit-faults-"))
    results, left_out = [], 0
    try:
        with Warm() as warm:
            for case in _cases(options):
                result = _try(case, root, warm, options)
                left_out += result is None
                if result is not None:
                    results.append(result)
                    _tell(result)
                    if options.json:
                        with options.json.open("a") as lines:
                            print(json.dumps(result.to_json()), file=lines)
    finally:
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    _sum_up(results, left_out)


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for name in options.shape or SHAPES:
        shape = _BY_NAME[name]
        for number in range(options.cases):
            seed = options.seed + number
            faults = [fault for fault in faults_for(name, seed=seed) if options.fault in (None, fault.kind)]
            yield Case(shape, faults[seed % len(faults)], tuple(_decoys(shape, seed)), seed)
        for number in range(options.two):
            seed = options.seed + 5_000 + number
            pairs = pairs_for(name, seed=seed)
            yield Case(shape, pairs[number % len(pairs)], tuple(_decoys(shape, seed)), seed)
        for number in range(options.quiet):
            seed = options.seed + 10_000 + number
            yield Case(shape, None, tuple(_decoys(shape, seed)), seed)


def _decoys(shape: Shape, seed: int) -> Iterator[tuple[int, Decoy]]:
    """Some of them, each on some day after the second."""
    random = random_for(seed, shape.name, "decoys")
    for decoy in decoys_for(shape.name):
        day = int(random.integers(FIRST_DECOY, shape.days))
        if random.random() < _OF_ALL:
            yield day, decoy


def _try(case: Case, root: Path, warm: Warm, options: argparse.Namespace) -> Result | None:
    kind = case.fault.kind if case.fault else "none"
    folder = root / f"{case.shape.name}-{case.seed}-{kind.replace(' ', '_').replace(',', '')}"
    try:
        played = Played.find(folder)
        if played is None:
            shutil.rmtree(folder, ignore_errors=True)
            played = play(case, folder, warm)
        proof = prove(case, played)
        if not proof.is_harmless or not (proof.hurts or case.fault is None):
            print(f"{case.shape.name:8} {case.seed:5} {kind:20} is no case: {proof}", flush=True)
            return None
        judged = {}
        for missing in MISSING[:1] if options.bisect else MISSING:
            store = folder / f"told-{missing:g}"
            shutil.rmtree(store, ignore_errors=True)
            retell(played.store, store, Calendar.of(played.begins), missing=missing, seed=case.seed)
            judged[missing] = judge(store, case)
        rebuilt = rebuild(folder, case, rival=options.rival) if options.bisect else None
        return Result(case, proof, judged, played.seconds, rebuilt)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _tell(result: Result) -> None:
    case, whole = result.case, result.judged[0.0]
    kind = case.fault.kind if case.fault else "none"
    ranks = "/".join(str(judged.rank) for judged in result.judged.values())
    print(
        f"{case.shape.name:8} {case.seed:5} {kind:20} {result.seconds:5.1f} s  hurt {result.proof.hurt:.4f}"
        f" noise {result.proof.noise:.4f}  {whole.verdict}, {whole.gate}  builds {whole.pair}  rank {ranks}"
        f" of {whole.changes}{'  (a hard decoy beside it)' if result.has_rivals else ''}",
        flush=True,
    )
    if result.rebuilt is not None:
        one = result.rebuilt
        said = f"{one.word} ({one.status}), {one.atoms} changes, {one.probes} rebuilds, {one.seconds:.0f} s: {one.said}"
        print(f"         bisect: {said[:300]}", flush=True)
        if one.swap is not None:
            print(f"         plain swap: {one.swap}"[:400], flush=True)
    for sentence in whole.suspects[:3] if case.fault is not None and whole.rank != 1 else ():
        print(f"         {sentence}", flush=True)


def _sum_up(results: list[Result], left_out: int) -> None:
    single = [one for one in results if one.case.fault and not one.case.fault.parts]
    named = [one for one in single if one.case.fault and one.case.fault.truth.what == "change"]
    graded = [one for one in single if one.case.fault and one.case.fault.truth.what != "change"]
    quiet = [one for one in results if one.case.fault is None]
    print(f"\n{len(results)} cases, {left_out} left out: the fault did not hurt, or something harmless did")
    for name in sorted({one.case.shape.name for one in named}):
        _table(name, [one for one in named if one.case.shape.name == name])
    _table("all", named)
    alone = [one for one in named if not one.has_rivals]
    _table("without a hard decoy in the build of the fault", alone)
    right = sum(one.judged[0.0].rank == 1 for one in graded)
    print(f"exam or metric code changed, said so and nothing else: {share(right, len(graded))} of {len(graded)}")
    false = sum(one.judged[0.0].gate == "real" for one in quiet)
    blamed = sum(one.judged[0.0].verdict == "suspects" and one.judged[0.0].gate == "real" for one in quiet)
    print(f"no fault, called real: {share(false, len(quiet))} of {len(quiet)}; of these {blamed} with suspects")
    sum_up_rebuilt([(one.case, one.rebuilt) for one in results if one.rebuilt])
    for missing in MISSING[1:] if all(len(one.judged) > 1 for one in results) else ():
        _print_missing(missing, [one for one in named if one.judged[0.0].rank == 1])


def _table(title: str, results: list[Result]) -> None:
    print(f"\n{title}: {len(results)} cases\n  {'':18} {'AC@1':18} {'AC@3':18} MRR")
    print(line("blame", [Place.of_rank(one.judged[0.0].rank) for one in results]))
    for rule in ("newest change", "largest diff", "all that changed"):
        print(line(rule, [Place(*one.judged[0.0].rivals[rule]) for one in results]))


def _print_missing(missing: float, results: list[Result]) -> None:
    """Of those that were right with all that was recorded."""
    judged = [one.judged[missing] for one in results]
    right = sum(one.rank == 1 for one in judged)
    unsure = sum(one.rank != 1 and not one.suspects for one in judged)
    wrong = sum(one.rank != 1 and bool(one.suspects) for one in judged)
    said = f"of {len(judged)} {right} still right, {unsure} name nobody, {wrong} wrong"
    print(f"{missing:.0%} of the inputs missing: {said}")


if __name__ == "__main__":
    main()
