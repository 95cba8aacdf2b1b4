# SPDX-License-Identifier: Apache-2.0
"""Histories for the graph benchmarks: what a company's jobs say of themselves, run by run, over months.

    python benchmarks/histories.py --runs 10000 --store FOLDER

`generate` yields events, `as_lines` the same as JSON, `write_store` keeps them in a store (or finds them there), and
`known_answers` says what some questions must be answered with. Events are exactly what `build_events` makes of a run's
account: it is asked once for each job, and then only what differs from day to day is put into the text.

    >>> next(generate(1000))["eventType"]  # doctest: +SKIP
    'START'
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from answers import Answers, answer
from company import Company
from runs import simulate
from telling import Teller, Told

from lineagekit.store.log import entry_of, open_store

__all__ = ["Answers", "as_lines", "company", "generate", "known_answers", "shape", "tell", "write_lines", "write_store"]

FOLDER = Path(os.environ.get("LINEAGEKIT_BENCH_DATA") or Path(tempfile.gettempdir()) / "lineagekit-bench")
MARK = "history.json"
"""Beside a store: what it was made from."""

_BATCH = 5_000  # events of one transaction
_FEWEST_JOBS = 50


def shape(runs: int, days: int | None = None) -> tuple[int, int]:
    """Jobs and days that make about so many runs: 50 x 200, 274 x 365, 2,740 x 365."""
    if days is None:
        days = 365 if runs >= 50_000 else min(200, max(2, runs // _FEWEST_JOBS))
    return max(1, round(runs / days)), days


def company(runs: int, *, seed: int = 0, days: int | None = None) -> Company:
    """Who makes these runs."""
    jobs, days = shape(runs, days)
    return Company.of(jobs, days, seed=seed)


def generate(runs: int, *, seed: int = 0, days: int | None = None) -> Iterator[dict[str, Any]]:
    """Events in the order of their times: a START and a COMPLETE (or FAIL) for each run, but for a few STARTs."""
    return map(json.loads, as_lines(runs, seed=seed, days=days))


def as_lines(runs: int, *, seed: int = 0, days: int | None = None) -> Iterator[str]:
    """The same events as compact JSON, without the ends of the lines."""
    return (told.text for told in tell(company(runs, seed=seed, days=days)))


def tell(made: Company) -> Iterator[Told]:
    """Events of all runs of a company, in order; those of a day are in memory together."""
    teller = Teller(made)
    for _, runs in groupby(simulate(made), key=attrgetter("day")):
        yield from sorted((told for run in runs for told in teller.events(run)), key=attrgetter("time"))


def known_answers(runs: int, *, seed: int = 0, days: int | None = None) -> Answers:
    """A few good questions about this history, and their answers, from the company alone."""
    return answer(company(runs, seed=seed, days=days))


def write_lines(path: str | os.PathLike[str], runs: int, *, seed: int = 0, days: int | None = None) -> int:
    """A file of JSON lines; how many."""
    with open(path, "w", encoding="ascii") as file:
        return sum(map(bool, map(file.write, (line + "\n" for line in as_lines(runs, seed=seed, days=days)))))


def write_store(folder: str | os.PathLike[str], runs: int, *, seed: int = 0, days: int | None = None) -> Path:
    """A store with this history, through `Store.append`; one that is there already is taken as it is."""
    folder = Path(folder)
    jobs, days = shape(runs, days)
    wanted = {"jobs": jobs, "days": days, "seed": seed, "form": _form()}
    if folder.exists():
        _require_same(folder, wanted)
        return folder
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    began = time.perf_counter()
    events = _fill(part, company(runs, seed=seed, days=days))
    told = {"events": events, "seconds": round(time.perf_counter() - began, 1)}
    (part / MARK).write_text(json.dumps(wanted | told) + "\n")
    part.rename(folder)
    return folder


def _form() -> str:
    """Tells whether generator and builder still say the same: of a small history, the digest."""
    digest = blake2b(digest_size=8)
    for line in as_lines(100):
        digest.update(line.encode())
    return digest.hexdigest()


def _require_same(folder: Path, wanted: dict[str, Any]) -> None:
    mark = folder / MARK
    found = json.loads(mark.read_text()) if mark.exists() else {}
    if {key: found.get(key) for key in wanted} != wanted:
        raise SystemExit(f"{folder} holds something else: got {found}, expected {wanted}. Remove it, or name another.")


def _fill(folder: Path, made: Company) -> int:
    done, began, total = 0, time.perf_counter(), 2 * len(made.jobs) * made.days
    entries = (entry_of(told.brief, told.text.encode()) for told in tell(made))
    with open_store(folder) as store:
        while batch := list(islice(entries, _BATCH)):
            done += store.append(batch, origin="journal")
            speed = done / (time.perf_counter() - began)
            print(f"\r{done:,} of about {total:,} events, {speed:,.0f} events/s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return done


def main() -> None:
    """Measure the generator, then write a store or a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--days", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, help="folder of the store; made, or taken as it is")
    parser.add_argument("--lines", type=Path, help="a file of JSON lines, instead of a store")
    chosen = parser.parse_args()
    said = {"seed": chosen.seed, "days": chosen.days}
    if chosen.lines:
        began = time.perf_counter()
        count = write_lines(chosen.lines, chosen.runs, **said)
        seconds, size = time.perf_counter() - began, chosen.lines.stat().st_size
        print(f"{chosen.lines}: {count:,} events, {size:,} bytes, {count / seconds:,.0f} events/s")
        return
    folder = write_store(chosen.store or FOLDER / f"history-{chosen.runs}-{chosen.seed}", chosen.runs, **said)
    mark, size = json.loads((folder / MARK).read_text()), (folder / "lineage.db").stat().st_size
    speed = mark["events"] / max(mark["seconds"], 0.1)
    print(f"{folder}: {mark['events']:,} events, {size:,} bytes, written at {speed:,.0f} events/s")
    for name, known in known_answers(chosen.runs, **said)._asdict().items():
        print(f"  {name}: {known}")


if __name__ == "__main__":
    main()
