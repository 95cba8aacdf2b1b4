# SPDX-License-Identifier: Apache-2.0
"""The digest cache: never wrong, never in the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.cache import DigestCache, NullCache, open_cache
from lineagekit.identity.clock import COARSE_MARGIN, MARGIN
from tests.identity.worlds import as_nobody, open_folder

RAW = bytes(range(32))
OLD = Evidence(size=3, mtime_ns=1_500_000_000_123_456_789, ctime_ns=1_600_000_000_123_456_789, inode=7, device=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> Iterator[DigestCache]:
    with closing(open_cache(folder)) as cache:
        yield cache


def store(cache: DigestCache, evidence: Evidence = OLD, raw: bytes = RAW, began: int | None = None) -> None:
    cache.store_many([evidence], raw, "blake3", began=began or time.time_ns())


def test_what_was_stored_is_found_by_the_next_process(folder: Path) -> None:
    with closing(open_cache(folder)) as first:
        store(first)
    with closing(open_cache(folder)) as second:
        assert second.lookup(OLD, "blake3") == RAW
        assert list(second.lookup_many([OLD, OLD._replace(inode=8)], "blake3")) == [(3, RAW), None]


@pytest.mark.parametrize("number", Evidence._fields)
def test_a_hit_needs_all_five_numbers(cache: DigestCache, number: str) -> None:
    store(cache)
    assert cache.lookup(OLD._replace(**{number: getattr(OLD, number) + 1}), "blake3") is None


def test_a_digest_is_known_by_its_algorithm_only(cache: DigestCache) -> None:
    store(cache)
    assert cache.lookup(OLD, "sha256") is None


def test_the_newest_digest_of_a_file_takes_the_place_of_the_older(cache: DigestCache) -> None:
    newer = OLD._replace(size=4)
    store(cache)
    store(cache, newer, RAW[::-1])
    assert cache.lookup(newer, "blake3") == RAW[::-1]
    assert cache.lookup(OLD, "blake3") is None


def test_files_of_two_devices_that_meet_in_a_slot_are_never_taken_for_each_other(cache: DigestCache) -> None:
    one, other = OLD._replace(device=0, inode=1 << 40), OLD._replace(device=1, inode=0)
    store(cache, one)
    store(cache, other, RAW[::-1])
    assert cache.lookup(one, "blake3") in (None, RAW)
    assert cache.lookup(other, "blake3") == RAW[::-1]


numbers = st.builds(
    Evidence,
    size=st.integers(0, 2**63 - 1),
    mtime_ns=st.integers(-(2**63), 2**63 - 1),
    ctime_ns=st.integers(-(2**63), 10**18),
    inode=st.integers(0, 2**64 - 1),
    device=st.integers(0, 2**63 - 1),
)


@given(st.dictionaries(numbers, st.binary(min_size=32, max_size=32)))
def test_no_evidence_is_ever_answered_with_the_digest_of_another(known: dict[Evidence, bytes]) -> None:
    with open_folder() as folder, closing(open_cache(folder)) as cache:
        cache.store_many(known, b"".join(known.values()), "blake3", began=time.time_ns())
        for evidence, found in zip(known, cache.lookup_many(known, "blake3"), strict=False):
            assert found in (None, (evidence.size, known[evidence]))


@pytest.mark.parametrize(
    ("ctime_ns", "margin"), [(1_600_000_000_123_456_789, MARGIN), (1_600_000_000_000_000_000, COARSE_MARGIN)]
)
def test_an_entry_is_stored_only_if_a_later_write_would_show(cache: DigestCache, ctime_ns: int, margin: int) -> None:
    racy = OLD._replace(ctime_ns=ctime_ns)
    store(cache, racy, began=ctime_ns + margin)
    assert cache.lookup(racy, "blake3") is None
    store(cache, racy, began=ctime_ns + margin + 1)
    assert cache.lookup(racy, "blake3") == RAW


def test_small_values_are_kept_under_their_key(cache: DigestCache) -> None:
    cache.keep("blake3:00 lkt1", b'{"rows":3}')
    assert cache.recall("blake3:00 lkt1") == b'{"rows":3}'
    assert cache.recall("blake3:00 lks1") is None


def test_without_trust_it_learns_and_does_not_answer(folder: Path) -> None:
    with closing(open_cache(folder, trust=False)) as paranoid:
        store(paranoid)
        paranoid.keep("key", b"value")
        assert paranoid.lookup(OLD, "blake3") is None
        assert paranoid.recall("key") is None
    with closing(open_cache(folder)) as cache:
        assert cache.lookup(OLD, "blake3") == RAW
        assert cache.recall("key") == b"value"


def test_the_null_cache_knows_nothing_and_does_not_even_ask() -> None:
    with closing(NullCache()) as null:
        store(null)
        null.keep("key", b"value")
        assert null.lookup(OLD, "blake3") is None
        assert null.recall("key") is None
        unasked = iter([OLD])
        assert next(iter(null.lookup_many(unasked, "blake3"))) is None
        assert next(unasked) is OLD


def test_a_cache_that_has_outgrown_its_limit_starts_over(folder: Path) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
    with closing(open_cache(folder, limit=1)) as cache:
        assert cache.lookup(OLD, "blake3") is None
        store(cache)
        assert cache.lookup(OLD, "blake3") == RAW


def test_threads_share_it(cache: DigestCache) -> None:
    files = [OLD._replace(inode=i) for i in range(200)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: store(cache, one), files))
        assert list(pool.map(lambda one: cache.lookup(one, "blake3"), files)) == [RAW] * 200


WRITER = """
import sys, time
from lineagekit.agent.evidence import Evidence
from lineagekit.identity.cache import open_cache
cache = open_cache(sys.argv[1])
for i in range(20):
    files = [Evidence(3, 1, 1_600_000_000_123_456_789, int(sys.argv[2]) + 50 * i + j, 2) for j in range(50)]
    cache.store_many(files, bytes(32 * 50), "blake3", began=time.time_ns())
"""


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WRITER, str(folder)]
    writers = [subprocess.Popen([*command, str(1000 * n)], stderr=subprocess.PIPE) for n in range(4)]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 4
    with closing(open_cache(folder)) as cache:
        files = [Evidence(3, 1, 1_600_000_000_123_456_789, inode, 2) for inode in range(4000)]
        assert list(cache.lookup_many(files, "blake3")) == [(3, bytes(32))] * 4000


def assert_harmless(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
        cache.keep("key", b"value")
        assert cache.lookup(OLD, "blake3") is None
        assert cache.recall("key") is None
    assert len(caplog.messages) == 1
    assert f"{folder}/digests-v1.db does not work" in caplog.text


def test_a_file_that_is_no_database_is_a_miss_and_one_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    (folder / "digests-v1.db").write_bytes(b"not a database at all" * 100)
    assert_harmless(folder, caplog)


def test_a_damaged_database_is_a_miss_and_one_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
    database = folder / "digests-v1.db"
    content = database.read_bytes()
    database.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    assert_harmless(folder, caplog)


def test_an_entry_of_the_wrong_length_is_a_miss(folder: Path) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
        with closing(sqlite3.connect(folder / "digests-v1.db")) as database:
            database.execute("UPDATE blake3 SET digest = x'00'")
            database.commit()
        assert cache.lookup(OLD, "blake3") is None


def change(folder: Path, statement: str) -> None:
    """What a bad disk or a bad program does to the database."""
    with closing(sqlite3.connect(folder / "digests-v1.db")) as database:
        database.create_function("unhex", 1, bytes.fromhex)  # SQLite has one only since 3.41
        database.execute(statement)
        database.commit()


@pytest.mark.parametrize("column", ["seal", "digest"])
@pytest.mark.parametrize("place", [1, 20, 32])
def test_a_flipped_byte_is_a_miss_and_never_another_digest(folder: Path, column: str, place: int) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
        hex_ = f"hex({column})"
        flipped = f"substr({hex_}, 1, {2 * place - 2}) || 'A5' || substr({hex_}, {2 * place + 1})"
        change(folder, f"UPDATE blake3 SET {column} = unhex({flipped})")
        assert cache.lookup(OLD, "blake3") is None


@pytest.mark.parametrize("garbage", ["x''", "x'00'", "'text'", "7", "NULL", "x'7b7d0000000000'"])
def test_garbage_in_the_database_is_a_miss(folder: Path, garbage: str, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_cache(folder)) as cache:
        store(cache)
        cache.keep("key", b"value")
        change(folder, f"UPDATE notes SET value = {garbage}")
        change(folder, f"UPDATE blake3 SET digest = {garbage}")
        assert cache.recall("key") is None
        assert cache.lookup(OLD, "blake3") is None
    assert not caplog.messages


def test_a_value_under_the_key_of_another_is_a_miss(folder: Path) -> None:
    with closing(open_cache(folder)) as cache:
        cache.keep("key", b"value")
        change(folder, "UPDATE notes SET key = 'other'")
        assert cache.recall("other") is None


def test_a_folder_that_cannot_be_made_is_a_miss_and_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert_harmless(tmp_path / "file" / "cache", caplog)


def test_a_folder_that_cannot_be_written_is_a_miss_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with open_folder() as folder:
        (folder / "digests-v1.db").touch()
        folder.chmod(0o555)
        with as_nobody():
            assert_harmless(folder, caplog)


FILL = """
import resource, sys, time
from lineagekit.agent.evidence import Evidence
from lineagekit.identity.cache import open_cache
cache = open_cache(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
for i in range(20):
    files = [Evidence(3, 1, 1_600_000_000_123_456_789, 500 * i + j, 2) for j in range(500)]
    cache.store_many(files, bytes(32 * 500), "blake3", began=time.time_ns())
    cache.lookup_many(files, "blake3")
cache.close()
"""


def test_a_full_disk_is_a_miss_and_one_warning(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILL, str(folder)], capture_output=True, text=True, check=True)
    assert done.stderr.count("does not work") == done.stderr.count("\n") == 1
