# SPDX-License-Identifier: Apache-2.0
"""What was over budget is hashed by a later settling, if the file is still what the run saw, and never otherwise."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from lineagekit.events.said import Name
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.record import pay as module
from lineagekit.record import prove, reasons
from lineagekit.record.group import ENOUGH
from lineagekit.record.plan import Budget
from lineagekit.store.heard import hear
from lineagekit.store.index import open_index
from lineagekit.store.log import Store, open_store
from tests.record.jobs import Job, World

NOTHING = Budget(bytes=0)


def digest(data: bytes) -> str:
    return f"blake3:{blake3(data).hexdigest()}"


def believed(world: World, run: str) -> dict[str, tuple[str, str | None]]:
    """What the log says of the inputs of a run, with what was learned since: state, digest."""
    with open_store(world.store) as store:
        said = [one for _, one in hear(store.run_events(run), store, refined=True)][-1]
        return {
            name.name: ("exact" if touch.digest else "unknown", touch.digest) for name, touch in said.inputs.items()
        }


def owed(world: World) -> int:
    with open_store(world.store) as store:
        return len(store.debts(os.uname().nodename))


def reader(world: World, *files: Path) -> Job:
    job = world.job()
    for path in files:
        job.read(path)
    job.end()
    return job


@pytest.fixture
def source(world: World) -> Path:
    path = world.data / "in.bin"
    path.write_bytes(b"old")
    return path


def test_what_was_over_budget_is_known_after_a_later_settling(world: World, source: Path) -> None:
    job = reader(world, source)
    assert world.settle(budget=NOTHING).unknown == {reasons.OVER_BUDGET: 1}
    event = world.end(job.run)
    assert believed(world, job.run)[str(source)][0] == "unknown"
    assert world.settle(pays=True).refined == 1
    assert believed(world, job.run)[str(source)] == ("exact", digest(b"old"))
    assert world.end(job.run) == event
    assert (owed(world), world.settle(pays=True).refined) == (0, 0)


def test_all_else_that_the_event_said_of_it_stays(world: World, source: Path) -> None:
    job = reader(world, source)
    world.settle(budget=NOTHING)
    before = world.inputs(job.run)[str(source)]
    world.settle(pays=True)
    with open_store(world.store) as store:
        (row,) = (row for row in store.run_events(job.run) if row.type == "COMPLETE")
        (learned,) = store.refinements(row.key)
    assert learned.facet == {
        **{key: value for key, value in before.items() if key != "reason"},
        "state": "exact",
        "digest": digest(b"old"),
        "kind": "file",
    }


@pytest.mark.parametrize("what", ["written anew", "gone", "replaced by the same bytes"])
def test_what_is_not_the_same_file_any_more_stays_unknown(world: World, source: Path, what: str) -> None:
    job = reader(world, source)
    world.settle(budget=NOTHING)
    if what == "written anew":
        source.write_bytes(b"new")
    else:
        source.unlink()
    if what == "replaced by the same bytes":
        source.write_bytes(b"old")
    assert world.settle(pays=True).refined == 0
    assert believed(world, job.run)[str(source)][0] == "unknown"
    assert owed(world) == 0


def test_a_budget_goes_on_where_the_last_one_ended(world: World) -> None:
    files = [world.data / f"{number}.bin" for number in range(3)]
    for path in files:
        path.write_bytes(b"x" * 100)
    jobs = [reader(world, path) for path in files]
    world.settle(budget=NOTHING)
    assert owed(world) == 3
    assert [world.settle(pays=True, budget=Budget(bytes=250)).refined for _ in range(3)] == [2, 1, 0]
    assert all(believed(world, job.run)[str(path)][0] == "exact" for job, path in zip(jobs, files, strict=True))


def test_what_is_affordable_is_not_held_up_by_what_never_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    large = [world.data / f"{number}.large" for number in range(5)]
    small = [world.data / f"{number}.small" for number in range(5)]
    for path in large + small:
        path.write_bytes(b"x" * (1000 if path in large else 10))
        reader(world, path)
    world.settle(budget=NOTHING)
    assert [world.settle(pays=True, budget=Budget(bytes=900)).refined for _ in range(2)] == [5, 0]
    assert owed(world) == 5


def test_many_debts_are_paid_in_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        path = world.data / f"{number}.bin"
        path.write_bytes(b"x")
        reader(world, path)
    world.settle(budget=NOTHING)
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    written: list[int] = []
    write = Store.write
    monkeypatch.setattr(Store, "write", lambda self, **how: written.append(1) or write(self, **how))
    assert (world.settle(pays=True).refined, owed(world)) == (7, 0)
    assert len(written) == 3


def test_without_time_nothing_is_lost(world: World, source: Path) -> None:
    reader(world, source)
    world.settle(budget=NOTHING)
    assert world.settle(pays=True, budget=Budget(seconds=-1)).refined == 0
    assert owed(world) == 1


def test_who_only_looks_is_not_kept_waiting(world: World, source: Path) -> None:
    reader(world, source)
    world.settle(budget=NOTHING)
    other = reader(world)
    assert (world.settle().refined, owed(world)) == (0, 1)
    assert world.types(other.run) == ["START", "COMPLETE"]


def test_another_hosts_debts_are_left_to_it(world: World, source: Path) -> None:
    job = reader(world, source)
    world.settle(budget=NOTHING)
    with open_store(world.store) as store, store.write() as connection:
        connection.execute("UPDATE debt SET host = 'elsewhere'")  # type: ignore[attr-defined]
    assert world.settle(pays=True).refined == 0
    with open_store(world.store) as store:
        assert len(store.debts("elsewhere")) == 1
    assert believed(world, job.run)[str(source)][0] == "unknown"


def test_parts_of_a_folder_make_it_whole(world: World) -> None:
    """Small ones were hashed in time; one was not."""
    root = world.data / "set"
    root.mkdir()
    bodies = {root / f"part-{n}.csv": b"a\n" * (n + 1) for n in range(ENOUGH)} | {
        root / "part-big.csv": b"b\n" * 50_000
    }
    for path, body in bodies.items():
        path.write_bytes(body)
    job = reader(world, *bodies)
    assert world.settle(budget=Budget(bytes=50_000), content=False).unknown == {reasons.OVER_BUDGET: 1}
    assert list(world.inputs(job.run)) == [str(root)]
    assert world.settle(pays=True, content=False).refined == 1
    entries = [Entry(path.name, len(body), Digest.parse(digest(body))) for path, body in bodies.items()]
    manifest = Manifest.from_entries(entries)
    assert believed(world, job.run)[str(root)] == ("exact", str(manifest.digest))
    with open_store(world.store) as store:
        assert store.object("manifest", str(manifest.digest)) == "".join(manifest.to_lines()).encode()


def test_a_part_whose_stamps_prove_nothing_is_not_paid_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read within the tick of its last write, where the kernel has no finer stamps (before 6.13)."""
    monkeypatch.setattr(prove, "has_fine_stamps", lambda _: False)
    root = world.data / "set"
    root.mkdir()
    settled = [root / f"part-{n:02}.csv" for n in range(ENOUGH + 1)]
    for path in settled:
        path.write_bytes(b"a\n")
    time.sleep(0.05)
    job = world.job()
    for path in settled:
        job.read(path)
    fresh = root / "part-99.csv"
    fresh.write_bytes(b"seen\n")
    job.read(fresh)
    job.end()
    assert world.settle(budget=NOTHING, content=False).unknown == {reasons.CHANGED_TOO_SHORTLY: 1}
    assert (owed(world), world.settle(pays=True, content=False).refined) == (0, 0)
    assert believed(world, job.run)[str(root)][0] == "unknown"


def test_a_table_gets_what_it_says_too(world: World) -> None:
    path = world.data / "in.csv"
    path.write_bytes(b"a,b\n1,2\n3,4\n")
    job = reader(world, path)
    world.settle(budget=NOTHING)
    world.settle(pays=True)
    with open_store(world.store) as store:
        (row,) = (row for row in store.run_events(job.run) if row.type == "COMPLETE")
        (learned,) = store.refinements(row.key)
        assert (learned.facet["rows"], learned.facet["kind"]) == (2, "table")
        assert store.object("profile", learned.facet["lkt1"])


def test_the_index_is_the_same_whether_it_was_there_before(world: World, source: Path) -> None:
    reader(world, source)
    world.settle(budget=NOTHING)

    def digests() -> list[Any]:
        with open_store(world.store) as store, open_index(store, world.store) as index:
            index.catch_up()
            return index.database.rows("SELECT * FROM read ORDER BY 1, 2")

    before = digests()
    world.settle(pays=True)
    followed = digests()
    (world.store / "index.db").unlink()
    assert followed == digests() != before


def test_who_is_killed_in_between_learns_it_once(world: World, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = reader(world, source)
    world.settle(budget=NOTHING)
    with monkeypatch.context() as patched:
        patched.setattr(module, "proven", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.settle(pays=True)
    assert owed(world) == 1
    assert world.settle(pays=True).refined == 1
    assert believed(world, job.run)[str(source)] == ("exact", digest(b"old"))


def test_outputs_too(world: World) -> None:
    job = world.job()
    made = job.write(world.data / "out.bin", b"new")
    job.end()
    world.settle(budget=NOTHING)
    assert world.settle(pays=True).refined == 1
    with open_store(world.store) as store:
        said = [one for _, one in hear(store.run_events(job.run), store, refined=True)][-1]
    assert said.outputs[Name("file", str(made))].digest == digest(b"new")


def test_paying_where_there_is_no_store_makes_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.settle(pays=True).refined == 0
    assert not (world.store / "lineage.db").exists()
