# SPDX-License-Identifier: Apache-2.0
"""`lineagekit demo --digests`: makes a folder and a table, changes them, and shows which digests notice.

Every line is computed here and now.

>>> [trial.what for trial in scenes(Path("/tmp/demo"))[0]]  # doctest: +SKIP
['as written', 'copied elsewhere', 'one file renamed']
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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

    def effects(self, first: Trial) -> tuple[Effect, ...]:
        """What the digests say, compared with those of the first trial."""
        return tuple("same" if a == b else "changed" for a, b in zip(first.digests, self.digests, strict=True))


def scenes(root: Path) -> tuple[list[Trial], list[Trial]]:
    """A folder and a table, each with what is done to it; the first trial of each is what the others differ from."""
    return list(_folder(root)), list(_table(root))


def is_kept(*played: list[Trial]) -> bool:
    """Whether each digest does what is promised of it."""
    return all(trial.effects(scene[0]) == trial.promised for scene in played for trial in scene)


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


def told(tree: list[Trial], table: list[Trial]) -> Iterator[str]:
    """Both scenes, for a person."""
    yield from ("1. A folder of three files has one digest, of every path and byte in it.", "", *_rows(tree), "")
    yield from (f"2. A table of {ROWS:,} reviews has three digests.", "")
    yield from ("   blake3: the bytes    lkt1: the rows, in any order    lks1: the rows, in order", "")
    yield from (*_rows(table), "")
    yield CONCLUSION if is_kept(tree, table) else "A promise was broken."


def _rows(scene: list[Trial]) -> Iterator[str]:
    yield f"   {'':20}" + "".join(f"{digest.algorithm:18}" for digest in scene[0].digests).rstrip()
    for trial in scene:
        effects = trial.effects(scene[0]) if trial is not scene[0] else ("",) * len(trial.digests)
        cells = (f"{d.hex[:8]} {effect:9}" for d, effect in zip(trial.digests, effects, strict=True))
        yield f"   {trial.what:20}{''.join(cells)}".rstrip()


def to_json(*played: list[Trial]) -> dict[str, Any]:
    """Both scenes, for a program."""
    return {
        "kept": is_kept(*played),
        "trials": [_trial_to_json(trial, scene[0]) for scene in played for trial in scene],
    }


def _trial_to_json(trial: Trial, first: Trial) -> dict[str, Any]:
    names = [digest.algorithm for digest in trial.digests]
    return {
        "what": trial.what,
        "digests": {name: str(digest) for name, digest in zip(names, trial.digests, strict=True)},
        "promised": dict(zip(names, trial.promised, strict=True)),
        "seen": dict(zip(names, trial.effects(first), strict=True)),
    }
