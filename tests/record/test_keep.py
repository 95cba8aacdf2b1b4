# SPDX-License-Identifier: Apache-2.0
"""What a job read can be had again, whatever happens to the files: by the digests that the log has."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from lineagekit.identity.batch import SMALL
from lineagekit.identity.hashing import Hashing
from lineagekit.record import bench
from lineagekit.record.keep import Keeper, Proven
from lineagekit.record.plan import Budget, Plan
from lineagekit.record.prove import Prover
from lineagekit.settings import Settings
from lineagekit.store.kept import Kept
from lineagekit.store.log import open_store
from tests.record.jobs import World


def b3(body: bytes) -> str:
    return f"blake3:{blake3(body).hexdigest()}"


def kept(world: World, digest: str) -> bytes | None:
    place = Kept(world.store).find(digest)
    return Path(place).read_bytes() if place else None


def rested(path: Path, body: bytes) -> Path:
    """A file that was not written just now: a later write shows in its times."""
    path.write_bytes(body)
    time.sleep(0.02)
    return path


JOB = """
import mine
rows = open("raw.csv").read()
with open("raw.csv", "w") as file:  # its own input
    file.write(rows * mine.TIMES)
"""


def test_what_a_recorded_job_read_and_ran_is_found_by_the_digests_in_the_log(tmp_path: Path) -> None:
    raw, mine = b"id,label\n1,pos\n", b"TIMES = 2\n"
    (tmp_path / "job.py").write_text(JOB)
    rested(tmp_path / "raw.csv", raw)
    (tmp_path / "mine.py").write_bytes(mine)
    store = tmp_path / ".lineagekit"
    environ = {**os.environ, "LINEAGEKIT_STORE": str(store), "LINEAGEKIT_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "lineagekit", "run", "--", sys.executable, "job.py"]
    subprocess.run(command, cwd=tmp_path, env=environ, check=True)
    for name in ("raw.csv", "mine.py", "job.py"):
        with open(tmp_path / name, "r+b") as file:
            file.write(b"#")
    with open_store(store) as log:
        (end,) = (row.event for row in log.events() if row.type == "COMPLETE")
    (input_,) = end["inputs"]
    modules = {module[0]: module[2] for module in modules_of(end)}
    source = next(digest for digest in modules["mine"] if digest.startswith("sha256:"))
    assert input_["inputFacets"]["lineagekit_inputContent"]["digest"] == b3(raw)
    assert source == f"sha256:{hashlib.sha256(mine).hexdigest()}"
    found = Kept(store)
    assert [Path(found.find(digest) or "").read_bytes() for digest in (b3(raw), source)] == [raw, mine]
    script = next(digest for digest in modules["__main__"] if digest.startswith("sha256:"))
    assert Path(found.find(script) or "").read_text() == JOB
    assert found.find(b3(raw * 2)) is None  # an output that nobody has read


def modules_of(event: Any) -> list[list[Any]]:
    """Wherever the code facet has them."""
    if isinstance(event, dict):
        found = event.get("modules")
        if isinstance(found, list) and found:
            return [[one["name"], one["path"], one["digests"]] if isinstance(one, dict) else one for one in found]
        return next((modules for value in event.values() if (modules := modules_of(value))), [])
    return []


@pytest.mark.parametrize("size", [0, 20, 3 * SMALL])
def test_an_input_outlives_the_file(world: World, size: int) -> None:
    body = os.urandom(size)
    path = rested(world.data / "a.csv", body)
    job = world.job()
    job.read(path)
    job.end()
    world.settle()
    path.write_bytes(b"other")
    assert kept(world, b3(body)) == body


def test_what_a_job_overwrote_is_kept_from_the_copy_beside_its_journal(world: World) -> None:
    path = rested(world.data / "a.csv", b"old\n")
    job = world.job()
    job.read(path)
    job.write(path, b"new\n")
    job.end()
    world.settle()
    assert kept(world, b3(b"old\n")) == b"old\n"


def test_what_changed_before_it_was_settled_is_not_kept_as_what_was_read(world: World) -> None:
    path = rested(world.data / "a.csv", b"old\n")
    job = world.job()
    job.read(path)
    job.end()
    path.write_bytes(b"new\n")
    assert world.settle().unknown
    assert (kept(world, b3(b"old\n")), kept(world, b3(b"new\n"))) == (None, None)


def test_every_file_of_a_folder_that_was_read_whole_is_kept(world: World) -> None:
    (world.data / "set").mkdir()
    bodies = [b"one", b"two", os.urandom(2 * SMALL)]
    for number, body in enumerate(bodies):
        rested(world.data / "set" / str(number), body)
    job = world.job()
    job.read_folder(world.data / "set")
    job.end()
    world.settle()
    assert [kept(world, b3(body)) for body in bodies] == bodies


@pytest.mark.parametrize(
    ("keep", "wanted"), [("changed", (True, False)), ("all", (True, True)), ("none", (False,) * 2)]
)
def test_outputs_are_kept_only_where_all_is(world: World, keep: str, wanted: tuple[bool, bool]) -> None:
    job = world.job()
    job.read(rested(world.data / "a.csv", b"read\n"))
    job.write(world.data / "b.csv", b"written\n")
    job.end()
    world.settle(keep=keep)
    assert (kept(world, b3(b"read\n")) is not None, kept(world, b3(b"written\n")) is not None) == wanted
    assert (world.store / "objects").exists() == any(wanted)


def test_what_one_run_wrote_is_kept_once_another_has_read_it(world: World) -> None:
    first = world.job()
    path = first.write(world.data / "clean.csv", b"clean\n")
    first.end()
    world.settle()
    assert kept(world, b3(b"clean\n")) is None
    time.sleep(0.02)
    second = world.job()
    second.read(path)
    second.end()
    world.settle()
    assert kept(world, b3(b"clean\n")) == b"clean\n"


def test_of_one_content_there_is_one_copy(world: World) -> None:
    for number in range(3):
        job = world.job()
        job.read(rested(world.data / f"{number}.csv", b"same\n"))
        job.end()
        world.settle()
    assert Kept(world.store).size() == 5


def test_the_limit_holds_and_runs_are_told_all_the_same(world: World) -> None:
    job = world.job()
    for number in range(10):
        job.read(rested(world.data / f"{number}.bin", bytes([number]) * (100 + number)))
    run = job.end()
    assert world.settle(keep_limit=550).exact == 10
    assert Kept(world.store).size() == 510  # the smallest five
    assert Kept(world.store, most=550).refused() == "limit"
    assert {one["state"] for one in world.inputs(run).values()} == {"exact"}


def test_where_nothing_can_be_kept_runs_are_told_all_the_same(world: World) -> None:
    (world.store / "objects").write_text("not a folder")
    job = world.job()
    job.read(rested(world.data / "a.csv", b"read\n"))
    job.end()
    settled = world.settle()
    assert (settled.runs, settled.exact, settled.failed) == (1, 1, 0)


def test_odd_modules_are_passed_over(world: World) -> None:
    os.mkfifo(world.data / "pipe.py")
    large = rested(world.data / "large.py", bytes(5 << 20))
    mine = rested(world.data / "mine.py", b"RATE = 3\n")
    sha = f"sha256:{hashlib.sha256(b'RATE = 3' + bytes([10])).hexdigest()}"
    big = f"sha256:{hashlib.sha256(large.read_bytes()).hexdigest()}"
    told = [["gone", "/nowhere/x.py", sha], ["pipe", str(world.data / "pipe.py"), sha], ["nul", "\0", sha]]
    job = world.job()
    job.say("code", entry=str(mine), modules=[*told, ["large", str(large), big], ["mine", str(mine), ["ast1:0", sha]]])
    job.end()
    assert world.settle().runs == 1
    assert (kept(world, sha), kept(world, big)) == (b"RATE = 3\n", None)


def test_the_time_for_keeping_is_not_taken_from_hashing(world: World) -> None:
    keeper = Keeper(Kept(world.store), seconds=60.0)
    took = keeper.keep([], [], Proven({}, {}))
    assert keeper.seconds == 60.0 - took
    prover = Prover(Hashing(), Budget(seconds=0.0))
    assert not prover.affords(1)
    prover.grant(60.0)
    assert prover.affords(1)


def test_whoever_waits_lets_bytes_be_kept_for_some_seconds_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_PATIENCE", 0.0)
    for waits, wanted in ((True, None), (False, b"False\n")):
        job = world.job()
        job.read(rested(world.data / f"{waits}.csv", f"{waits}\n".encode()))
        run = job.end()
        assert world.settle(runs=[run] if waits else None).exact == 1
        assert kept(world, b3(f"{waits}\n".encode())) == wanted


def test_settings_say_what_is_kept_and_how_much() -> None:
    plan = Plan.of(Settings())
    assert (plan.keep, plan.keep_limit) == ("changed", 10 << 30)
    plan = Plan.of(Settings(keep="all", keep_limit="1.5 GB"))
    assert (plan.keep, plan.keep_limit) == ("all", 1_500_000_000)


def test_several_settle_at_once_and_the_limit_holds(world: World) -> None:
    runs = []
    for number in range(12):
        job = world.job()
        job.read(rested(world.data / f"{number}.bin", bytes([number]) * 100_000))
        runs.append(job.end())
    children = []
    for number in range(4):
        mine = runs[number::4]
        pid = os.fork()
        if pid == 0:
            try:
                world.settle(runs=mine, keep_limit=750_000)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert Kept(world.store).size() == 700_000
