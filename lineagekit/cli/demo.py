# SPDX-License-Identifier: Apache-2.0
"""`lineagekit demo`: makes a folder and a table, changes them, and shows which digests notice.

Every line is computed here and now; the exit code is 0 only where each digest does what is promised of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.identity.digest import Digest

if TYPE_CHECKING:
    import pyarrow as pa

Effect = Literal["same", "changed"]
ROWS = 1000
CONCLUSION = "To encode data anew is not to change it. To flip one label is."


@dataclass(frozen=True, slots=True)
class Trial:
    """Something done to the data, its digests afterwards, and what each of them promises to say of it."""

    what: str
    digests: tuple[Digest, ...]
    promised: tuple[Effect, ...]
    titles: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What each digest is called: its algorithm, where nothing better was said."""
        return self.titles or tuple(digest.algorithm for digest in self.digests)

    def effects(self, first: Trial) -> tuple[Effect, ...]:
        """What the digests say, compared with those of the first trial."""
        return tuple("same" if a == b else "changed" for a, b in zip(first.digests, self.digests, strict=True))


@dataclass(frozen=True, slots=True)
class Demo:
    """Show, on data made up here, what each digest notices."""

    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Play all scenes in a temporary folder."""
        with TemporaryDirectory(prefix="lineagekit-demo-") as name:
            scenes = list(_folder(Path(name))), list(_table(Path(name))), list(_jobs(Path(name, "jobs")))
        trials = [(trial, scene[0]) for scene in scenes for trial in scene]
        kept = all(trial.effects(first) == trial.promised for trial, first in trials)
        out.say(*_text(*scenes), CONCLUSION if kept else "A promise was broken.")
        out.show({"kept": kept, "trials": [_to_json(trial, first) for trial, first in trials]})
        return 0 if kept else 1


def _folder(root: Path) -> Iterator[Trial]:
    first = root / "corpus"
    (first / "raw").mkdir(parents=True)
    for name in ("README", "raw/a.txt", "raw/b.txt"):
        (first / name).write_text(f"this is {name}\n")
    yield Trial("as written", _digests(first, "lkd1"), ("same",))
    copy = shutil.copytree(first, root / "elsewhere")
    yield Trial("copied elsewhere", _digests(copy, "lkd1"), ("same",))
    (copy / "raw/a.txt").rename(copy / "raw/c.txt")
    yield Trial("one file renamed", _digests(copy, "lkd1"), ("changed",))


def _table(root: Path) -> Iterator[Trial]:
    from pyarrow.parquet import write_table

    reviews, path, all_three = _reviews(), root / "reviews.parquet", ("blake3", "lkt1", "lks1")
    write_table(reviews, path, compression="snappy")
    yield Trial("as written, snappy", _digests(path, *all_three), ("same", "same", "same"))
    write_table(reviews, path, compression="zstd", row_group_size=100)
    yield Trial("written anew, zstd", _digests(path, *all_three), ("changed", "same", "same"))
    write_table(reviews.take(list(range(ROWS))[::-1]), path)
    yield Trial("rows backwards", _digests(path, *all_three), ("changed", "same", "changed"))
    write_table(_flip_one_label(reviews), path)
    yield Trial("one label flipped", _digests(path, *all_three), ("changed", "changed", "changed"))


def _jobs(root: Path) -> Iterator[Trial]:
    from lineagekit.cli.demo_jobs import recorded_digests

    rows = [("id", "text", "label"), ("1", "ship it", "pos"), ("2", "it crashed", "neg"), ("3", "converged", "pos")]
    titles = ("raw.csv", "features.csv", "model.json")
    trials: list[tuple[str, str, Effect]] = [("run once", "pos", "same"), ("run again", "pos", "same")]
    for what, last, effect in (*trials, ("run on one flipped", "neg", "changed")):
        raw = "".join(",".join(row) + "\n" for row in [*rows, ("4", "on time", last)])
        yield Trial(what, tuple(recorded_digests(root, raw)), (effect,) * 3, titles)


def _reviews() -> pa.Table:
    import pyarrow as pa

    verdicts = [("pos", "ship the model"), ("neg", "the run crashed"), ("pos", "all-reduce converged")]
    texts = [f"{verdicts[i % 3][1]} on day {i}" for i in range(ROWS)]
    return pa.table({"id": range(ROWS), "text": texts, "label": [verdicts[i % 3][0] for i in range(ROWS)]})


def _flip_one_label(reviews: pa.Table) -> pa.Table:
    labels = reviews["label"].to_pylist()
    labels[417] = "neg" if labels[417] == "pos" else "pos"
    return reviews.set_column(2, "label", [labels])


def _digests(path: Path, *algorithms: str) -> tuple[Digest, ...]:
    from lineagekit.identity.fingerprint import fingerprint

    snapshot = fingerprint(str(path))
    return tuple(snapshot.digest(algorithm) for algorithm in algorithms)


def _text(tree: list[Trial], table: list[Trial], jobs: list[Trial]) -> Iterator[str]:
    yield from ("1. A folder of three files has one digest, of every path and byte in it.", "", *_rows(tree), "")
    yield from (f"2. A table of {ROWS:,} reviews has three digests.", "")
    yield from ("   blake3: the bytes    lkt1: the rows, in any order    lks1: the rows, in order", "")
    yield from (*_rows(table), "")
    yield from ("3. Two jobs, each run with `lineagekit run`: what they read and wrote.", "")
    yield from (*_rows(jobs), "")


def _rows(scene: list[Trial]) -> Iterator[str]:
    yield f"   {'':20}" + "".join(f"{name:18}" for name in scene[0].names).rstrip()
    for trial in scene:
        effects = trial.effects(scene[0]) if trial is not scene[0] else ("",) * len(trial.digests)
        cells = (f"{d.hex[:8]} {effect:9}" for d, effect in zip(trial.digests, effects, strict=True))
        yield f"   {trial.what:20}{''.join(cells)}".rstrip()


def _to_json(trial: Trial, first: Trial) -> dict[str, Any]:
    names = trial.names
    return {
        "what": trial.what,
        "digests": {name: str(digest) for name, digest in zip(names, trial.digests, strict=True)},
        "promised": dict(zip(names, trial.promised, strict=True)),
        "seen": dict(zip(names, trial.effects(first), strict=True)),
    }
