# SPDX-License-Identifier: Apache-2.0
"""Whatever a run does to its files, its inputs and outputs are what a simple model says, and no digest is wrong."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from lineagekit.events.account import Account, RunName, Use
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.snapshot import Snapshot
from lineagekit.record.ask import ask
from lineagekit.record.gather import gather
from lineagekit.record.journals import find_journals, read_head
from lineagekit.record.plan import Budget
from lineagekit.record.prove import Prover
from lineagekit.record.survey import Names, judge_runs, survey
from lineagekit.record.tell import tell
from lineagekit.record.uses import Known
from lineagekit.record.where import Links
from tests.record.jobs import Job, World

NAMES = ("a", "b", "c", "d", "in/a", "in/b", "out/a", "out/b")

names = st.sampled_from(NAMES)
step = st.one_of(
    st.tuples(st.just("read"), names),
    st.tuples(st.sampled_from(["w", "a", "r+"]), names),
    st.tuples(st.just("look"), names),
    st.tuples(st.just("move"), names, names),
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("rename"), st.sampled_from(["in", "out"])),
    st.tuples(st.just("other"), names),
)


class Model:
    """What a run is to be told as: the bytes of each input at first touch, of each output when it was left."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.inputs: dict[Path, bytes] = {}
        self.outputs: dict[Path, bytes] = {}
        self.doubtful: set[Path] = set()

    def touch(self, path: Path) -> None:
        if path not in self.outputs:
            self.inputs.setdefault(path, path.read_bytes())

    def leave(self, path: Path) -> None:
        self.outputs[path] = path.read_bytes()

    def move(self, old: Path, new: Path) -> None:
        self.outputs.pop(old, None)
        self.leave(new)

    def rename(self, old: Path, new: Path) -> None:
        for path in [path for path in self.outputs if path.parent == old]:
            self.outputs[new / path.name] = self.outputs.pop(path)


@contextmanager
def new_world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp())
    try:
        yield World(folder)
    finally:
        shutil.rmtree(folder)


def live(world: World, jobs: list[Job], steps: list[Any]) -> Model:
    """Do these things, each by one of the processes of the run."""
    model = Model(world.data)
    for number, (what, *where) in enumerate(steps):
        job, path = jobs[number % len(jobs)], world.data / where[0]
        if what == "rename":
            rename_folder(job, model, path)
        elif what == "other":
            path.write_bytes(b"another process %d" % number)
            model.doubtful |= {path} & (model.inputs.keys() | model.outputs.keys())
        elif what == "w" or path.exists():
            do(job, model, what, path, number, world.data / where[-1])
    return model


def do(job: Job, model: Model, what: str, path: Path, number: int, target: Path) -> None:
    if what == "read":
        model.touch(path)
        job.read(path)
    elif what == "look":  # opened to be changed, and left as it was
        model.touch(path)
        job.write(path, b"", "r+")
    elif what in ("w", "a", "r+"):
        if what != "w":
            model.touch(path)
        job.write(path, b"%d %s" % (number, what.encode()), what)
        model.leave(path)
    elif what == "remove":
        job.remove(path)
        model.outputs.pop(path, None)
    elif what == "move" and path != target:
        job.move(path, target)
        model.move(path, target)


def rename_folder(job: Job, model: Model, folder: Path) -> None:
    """Rename a folder of which the run has written all, as staging folders are; and have a new one in its place."""
    target = folder.with_name(folder.name + "-renamed")
    files = set(folder.iterdir())
    if files and files <= model.outputs.keys() and not target.exists():
        job.move(folder, target)
        model.rename(folder, target)
        folder.mkdir()


def tell_story(world: World, run: str) -> Account:
    surveys = []
    for path in find_journals(str(world.journals)):
        head = read_head(path)
        assert head.owner is not None
        surveys.append(survey(head, head.owner, "alive", start=0, taken=lambda _: 0, names=Names()))
    later = time.time_ns() + 10**12
    found = judge_runs(surveys, now=later, age=0, is_settled=lambda _: False)
    assert [(one.id, one.stage) for one in found] == [(run, "ended")]
    story = gather(found)[run]
    asked = ask(story, kept=str(world.kept))
    proofs = Prover(Hashing(threads=2), Budget()).prove(asked.claims())
    snapshots = {c: Snapshot(c.place, "file", (p.digest,)) for c, p in proofs.items() if p.digest}
    known = Known(proofs, snapshots, {}, frozenset(), Links(), lambda run: RunName(run, "", ""))
    return tell(story, asked, known, host="here")


def is_right(use: Use, data: bytes) -> bool:
    return use.snapshot is None or use.snapshot.digests[0].hex == blake3(data).hexdigest()


def check(steps: list[Any], processes: int, keeps: bool, says_was: bool) -> None:
    with new_world() as world:
        for name in NAMES:
            (world.data / name).parent.mkdir(exist_ok=True)
            (world.data / name).write_bytes(name.encode())
        first = world.job()
        jobs = [first, *(world.job(first.run, begins=False) for _ in range(processes - 1))]
        for job in jobs:
            job.keeps, job.says_was = keeps, says_was
        model = live(world, jobs, steps)
        first.end()
        for job in jobs:
            job.journal.close()
        account = tell_story(world, first.run)
    inputs = {Path(use.path): use for use in account.inputs}
    outputs = {Path(use.path): use for use in account.outputs}
    assert inputs.keys() == model.inputs.keys()
    assert all(is_right(use, model.inputs[path]) for path, use in inputs.items())
    assert outputs.keys() == {path for path in model.outputs if path in outputs or path not in model.doubtful}
    assert all(is_right(use, model.outputs[path]) for path, use in outputs.items())
    if keeps and says_was and not model.doubtful:
        assert {use.reason for use in [*account.inputs, *account.outputs]} <= {""}


histories = given(st.lists(step, max_size=20), st.integers(1, 3), st.booleans(), st.booleans())


@settings(deadline=None, max_examples=40)
@histories
def test_inputs_and_outputs_are_those_of_the_model(
    steps: list[Any], processes: int, keeps: bool, says_was: bool
) -> None:
    check(steps, processes, keeps, says_was)


@pytest.mark.slow
@settings(deadline=None, max_examples=3_000)
@histories
def test_inputs_and_outputs_are_those_of_the_model_in_thousands_of_histories(
    steps: list[Any], processes: int, keeps: bool, says_was: bool
) -> None:
    check(steps, processes, keeps, says_was)
