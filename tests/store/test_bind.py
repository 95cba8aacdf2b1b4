# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from pathlib import Path

from lineagekit.store.found import How
from tests.store.told import Event, bindings, dataset, moment, run, told

RAW = "/data/raw.csv"


def bound(folder: Path, *runs: list[Event], reader: str = "reader", name: str = RAW) -> tuple[str, int]:
    events = [event for one in runs for event in one]
    with told(folder / "in order", events) as (_, index):
        found = bindings(index)[reader, name]
    shuffled = random.Random(0).sample(events, len(events))
    with told(folder / "shuffled", *[[event] for event in shuffled]) as (_, index):
        assert bindings(index)[reader, name] == found
    return found


def wrote(job: str, minute: float, **said: object) -> list[Event]:
    return run(job, minute - 1, minute + 5, writes=[dataset(RAW, "output", at=minute, **said)])


def read(minute: float, **said: object) -> list[Event]:
    return run("reader", minute - 1, minute + 5, reads=[dataset(RAW, at=minute, **said)])


def test_equal_evidence_needs_no_clock(tmp_path: Path) -> None:
    found = bound(
        tmp_path,
        wrote("a", 10, evidence="1:1:1:1:1"),
        wrote("b", 20, evidence="2:2:2:2:2"),
        read(19, evidence="2:2:2:2:2"),
    )
    assert found == ("b", How.EVIDENCE)


def test_content_that_returns_binds_to_the_run_that_wrote_it_last_before_the_read(tmp_path: Path) -> None:
    found = bound(
        tmp_path,
        wrote("a", 10, digest="a"),
        wrote("b", 20, digest="b"),
        wrote("c", 40, digest="a"),
        read(30, digest="a"),
    )
    assert found == ("a", How.DIGEST)


def test_what_was_written_after_the_read_is_never_its_source(tmp_path: Path) -> None:
    assert bound(tmp_path, wrote("a", 40, digest="a"), read(30, digest="a")) == ("", How.NOBODY)


def test_bytes_that_are_not_those_last_written_are_nobodys(tmp_path: Path) -> None:
    assert bound(tmp_path, wrote("a", 10, digest="a"), read(30, digest="b")) == ("", How.NOBODY)


def test_without_digests_the_last_writer_before_the_read_is_taken_and_marked(tmp_path: Path) -> None:
    plain = run("a", 1, 5, writes=[RAW]), run("b", 6, 9, writes=[RAW]), run("reader", 10, 12, reads=[RAW])
    assert bound(tmp_path, *plain) == ("b", How.TIME)


def test_a_writer_that_failed_is_not_taken_for_want_of_digests(tmp_path: Path) -> None:
    plain = run("a", 1, 5, writes=[RAW]), run("b", 6, 9, writes=[RAW], state="FAIL"), run("reader", 10, 12, reads=[RAW])
    assert bound(tmp_path, *plain) == ("a", How.TIME)


def test_a_writer_that_still_ran_when_it_was_read_is_not_taken(tmp_path: Path) -> None:
    plain = run("a", 1, 5, writes=[RAW]), run("b", 6, 11, writes=[RAW]), run("reader", 10, 12, reads=[RAW])
    assert bound(tmp_path, *plain) == ("a", How.TIME)


def test_an_equal_version_of_a_foreign_system_binds_whatever_the_clocks_say(tmp_path: Path) -> None:
    plain = (
        run("a", 1, 50, writes=[dataset(RAW, "output", version="12")]),
        run("b", 2, 60, writes=[dataset(RAW, "output", version="13")]),
        run("reader", 20, 30, reads=[dataset(RAW, version="12")]),
    )
    assert bound(tmp_path, *plain) == ("a", How.EVIDENCE)


def test_a_copy_binds_weakly_to_who_wrote_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    elsewhere = run("a", 1, 5, writes=[dataset("/data/other.csv", "output", at=4, digest="c")])
    assert bound(tmp_path, elsewhere, read(30, digest="c")) == ("a", How.COPY)


def test_what_was_seen_here_before_it_was_written_elsewhere_is_no_copy(tmp_path: Path) -> None:
    """A job that passes a file on unchanged is not where that file comes from."""
    passed = run(
        "a", 1, 5, reads=[dataset(RAW, at=2, digest="c")], writes=[dataset("/o.csv", "output", at=4, digest="c")]
    )
    assert bound(tmp_path, passed, read(30, digest="c")) == ("", How.NOBODY)


def test_equal_bytes_of_a_tiny_file_say_nothing(tmp_path: Path) -> None:
    elsewhere = run("a", 1, 5, writes=[dataset("/data/other.csv", "output", at=4, digest="c")])
    assert bound(tmp_path, elsewhere, read(30, digest="c", bytes=2)) == ("", How.NOBODY)


def test_a_run_is_never_its_own_source(tmp_path: Path) -> None:
    own = run("reader", 1, 9, reads=[dataset(RAW, at=6, digest="a")], writes=[dataset(RAW, "output", at=5, digest="a")])
    assert bound(tmp_path, own) == ("", How.NOBODY)


def part(path: str, of: str, evidence: str) -> dict[str, str | int]:
    return {"path": path, "digest": "blake3:" + of * 64, "evidence": evidence, "bytes": 1000}


def parted(job: str, minute: float, *parts: dict[str, str | int]) -> list[Event]:
    return run(job, minute - 1, minute + 5, writes=[dataset("/x", "output", at=minute, digest="d", parts=list(parts))])


DAY_1, DAY_2 = part("dt=1/f", "1", "1:1:1:1:1"), part("dt=2/f", "2", "2:2:2:2:2")


def test_a_reader_of_one_file_binds_to_the_run_that_wrote_that_file(tmp_path: Path) -> None:
    reads = run("reader", 30, 40, reads=[dataset("/x/dt=1/f", at=31, digest="1")])
    found = bound(tmp_path, parted("one", 10, DAY_1), parted("two", 20, DAY_2), reads, name="/x/dt=1/f")
    assert found == ("one", How.DIGEST)


def test_a_reader_of_several_parts_binds_to_all_of_their_writers(tmp_path: Path) -> None:
    reads = run("reader", 30, 40, reads=[dataset("/x", at=31, digest="9", parts=[DAY_1, DAY_2])])
    events = [*parted("one", 10, DAY_1), *parted("two", 20, DAY_2), *reads]
    for seed in range(4):
        shuffled = random.Random(seed).sample(events, len(events))
        with told(tmp_path / str(seed), *[[event] for event in shuffled]) as (_, index):
            rows = index.database.rows(
                "SELECT j.name, r.how, r.parts FROM read r JOIN run u ON u.id = r.src JOIN job j ON j.id = u.job"
            )
            assert sorted(rows) == [("one", How.EVIDENCE, 1), ("two", How.EVIDENCE, 1)]


def test_a_part_that_nobody_known_wrote_is_kept_apart(tmp_path: Path) -> None:
    reads = run("reader", 30, 40, reads=[dataset("/x", at=31, digest="9", parts=[DAY_1, DAY_2])])
    with told(tmp_path, [*parted("one", 10, DAY_1), *reads]) as (_, index):
        assert sorted(index.database.rows("SELECT src > 0, parts FROM read")) == [(0, 1), (1, 1)]


def test_a_whole_that_was_read_without_its_parts_binds_weakly_to_who_wrote_them(tmp_path: Path) -> None:
    writes = run("one", 1, 5, writes=["/x/dt=1/f"])
    assert bound(tmp_path, writes, run("reader", 9, 12, reads=["/x"]), name="/x") == ("one", How.TIME)


def test_a_part_of_what_was_written_as_a_whole_binds_weakly(tmp_path: Path) -> None:
    writes = run("one", 1, 5, writes=["/x"])
    assert bound(tmp_path, writes, run("reader", 9, 12, reads=["/x/dt=1/f"]), name="/x/dt=1/f") == ("one", How.TIME)


def test_what_a_link_led_to_binds_to_who_wrote_it_there(tmp_path: Path) -> None:
    writes = run("one", 1, 5, writes=[dataset("/data/2026-05-01.csv", "output", at=4, digest="a")])
    reads = run(
        "reader", 9, 12, reads=[dataset("/data/latest.csv", at=10, digest="a", realpath="/data/2026-05-01.csv")]
    )
    assert bound(tmp_path, writes, reads, name="/data/latest.csv") == ("one", How.DIGEST)


def test_a_link_that_led_elsewhere_later_does_not_join_the_two(tmp_path: Path) -> None:
    reads = [
        run(
            f"reader{day}",
            day * 10,
            day * 10 + 5,
            reads=[dataset("/data/latest.csv", at=day * 10, digest=str(day), realpath=f"/data/{day}.csv")],
        )
        for day in (1, 2)
    ]
    with told(tmp_path, [event for one in reads for event in one]) as (_, index):
        assert len(index.database.rows("SELECT DISTINCT class FROM name")) == 3


def test_symlinks_of_a_foreign_producer_make_one_dataset(tmp_path: Path) -> None:
    table = {"symlinks": {"_producer": "spark", "identifiers": [{"namespace": "hive", "name": "db.t"}]}}
    writes = run("one", 1, 5, writes=[dataset("/warehouse/t", "output", facets=table)])
    reads = run("reader", 9, 12, reads=[dataset("db.t", namespace="hive")])
    with told(tmp_path / "a", [*writes, *reads]) as (_, index):
        assert bindings(index)["reader", "/warehouse/t"] == ("one", How.TIME)
    with told(tmp_path / "b", reads, writes) as (_, index):
        assert ("one", How.TIME) in bindings(index).values()


def test_a_lineage_facet_says_which_input_went_where(tmp_path: Path) -> None:
    entry = {
        "type": "DATASET",
        "namespace": "file",
        "name": "/b",
        "inputs": [{"type": "DATASET", "namespace": "file", "name": "/a"}],
    }
    events = run("job", 1, 5, reads=["/a", "/c"], writes=["/b", "/d"], job_facets={"lineage": {"entries": [entry]}})
    with told(tmp_path, events) as (_, index):
        flows = index.database.rows(
            "SELECT coalesce(s.name, ''), coalesce(d.name, '') FROM flow f LEFT JOIN name s ON s.id = f.src"
            " LEFT JOIN name d ON d.id = f.dst"
        )
        assert sorted(flows) == [("", "/d"), ("/a", "/b"), ("/c", "")]


def test_a_digest_learned_later_rebinds(tmp_path: Path) -> None:
    from lineagekit.store.rows import Refinement

    late = wrote("b", 20)
    with told(tmp_path, [*wrote("a", 10, digest="a"), *late, *read(30, digest="a")]) as (store, index):
        assert bindings(index)["reader", RAW] == ("a", How.DIGEST)
        key = next(row.key for row in store.events() if row.type == "COMPLETE" and row.event["job"]["name"] == "b")
        facet = {"state": "exact", "digest": "blake3:" + "a" * 64, "at": moment(20)[:-1] + "000Z"}
        store.refine([Refinement(key, "output", "file", RAW, facet)])
        index.catch_up()
        assert bindings(index)["reader", RAW] == ("b", How.DIGEST)
