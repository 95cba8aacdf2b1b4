# SPDX-License-Identifier: Apache-2.0
"""Kept bytes: handed out whole or not at all, within the limit, whoever writes, fills the disk or is killed."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.agent.evidence import Evidence
from lineagekit.identity.batch import SMALL
from lineagekit.store import room
from lineagekit.store.clone import Wanted
from lineagekit.store.kept import Kept
from lineagekit.store.room import kept_files
from tests.identity.worlds import as_nobody, open_folder

LARGE = 3 * SMALL


def b3(body: bytes) -> str:
    return f"blake3:{blake3(body).hexdigest()}"


def sha(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def found(kept: Kept, digest: str) -> bytes | None:
    place = kept.find(digest)
    return Path(place).read_bytes() if place else None


def objects(folder: Path) -> Path:
    return folder / "objects"


def files(folder: Path) -> list[Path]:
    return [Path(one.path) for one in kept_files(str(objects(folder)))]


def proven(path: Path) -> Wanted:
    return Wanted(str(path), b3(path.read_bytes()), path.stat().st_size, Evidence.of(path.stat()))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,label\n1,pos\n")
    return path


def spoil(path: Path, how: Callable[[bytes], bytes]) -> None:
    body = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(how(body))


@pytest.mark.parametrize("size", [0, 10, SMALL, LARGE])
def test_what_was_kept_is_found_after_the_original_was_rewritten(folder: Path, data: Path, size: int) -> None:
    body = os.urandom(size)
    data.write_bytes(body)
    assert Kept(folder).put(str(data), b3(body))
    with open(data, "r+b") as file:
        file.write(b"other")
    assert found(Kept(folder), b3(body)) == body
    data.unlink()
    assert found(Kept(folder), b3(body)) == body


def test_sources_are_found_by_either_digest(folder: Path, data: Path) -> None:
    body = data.read_bytes()
    assert Kept(folder).put(str(data), sha(body))
    assert found(Kept(folder), sha(body)) == found(Kept(folder), b3(body)) == body
    assert list(Kept(folder).digests()) == [(b3(body), sha(body))]


def test_a_file_with_another_digest_is_not_kept(folder: Path, data: Path) -> None:
    kept = Kept(folder)
    assert not kept.put(str(data), b3(b"other"))
    assert not kept.put(str(data), sha(b"other"))
    assert not kept.put(str(data), "md5:" + "0" * 32)
    assert (kept.find(b3(b"other")), files(folder)) == (None, [])
    assert list((objects(folder) / "scratch").iterdir()) == []


def test_a_large_file_is_kept_only_while_its_evidence_holds(folder: Path, data: Path) -> None:
    data.write_bytes(os.urandom(LARGE))
    wanted = proven(data)
    os.utime(data, ns=(1, 1))
    assert list(Kept(folder).put_all([wanted])) == []
    assert list(Kept(folder).put_all([proven(data)])) == [wanted.digest]


def test_wrong_bytes_under_good_evidence_are_never_handed_out(folder: Path, data: Path) -> None:
    data.write_bytes(os.urandom(LARGE))
    lie = proven(data)._replace(digest=b3(b"other"))
    assert list(Kept(folder).put_all([lie])) == [lie.digest]
    assert Kept(folder).find(lie.digest) is None
    assert files(folder) == []


@pytest.mark.parametrize("size", [15, LARGE])
@pytest.mark.parametrize("how", [lambda body: body[:-1], lambda body: bytes(len(body)), lambda _: b""])
def test_torn_bytes_are_not_handed_out_and_are_kept_anew(
    folder: Path, data: Path, size: int, how: Callable[[bytes], bytes]
) -> None:
    body = os.urandom(size)
    data.write_bytes(body)
    for digest in (b3(body), sha(body)):
        assert Kept(folder).put(str(data), digest)
    (one,) = files(folder)
    spoil(one, how)
    assert [Kept(folder).find(digest) for digest in (sha(body), b3(body))] == [None, None]
    assert not one.exists()
    assert Kept(folder).put(str(data), sha(body))
    assert found(Kept(folder), sha(body)) == body


def test_one_that_has_found_them_whole_notices_that_they_are_not_any_more(folder: Path, data: Path) -> None:
    kept, digest = Kept(folder), b3(data.read_bytes())
    kept.put(str(data), digest)
    assert kept.find(digest)
    spoil(files(folder)[0], lambda body: body[::-1])
    assert kept.find(digest) is None


def test_a_copy_that_was_cut_short_is_replaced(folder: Path, data: Path) -> None:
    body = data.read_bytes()
    Kept(folder).put(str(data), b3(body))
    spoil(files(folder)[0], lambda _: b"")  # as a power cut leaves what was never flushed
    assert Kept(folder).put(str(data), b3(body))
    assert found(Kept(folder), b3(body)) == body


def test_kept_files_are_closed_to_writing_and_folders_to_others(folder: Path, data: Path) -> None:
    script = f"""
import os, sys
from lineagekit.store.kept import Kept
os.umask(int(sys.argv[1], 8))
Kept({str(folder)!r}).put({str(data)!r}, {sha(data.read_bytes())!r})
"""
    for umask in ("000", "077"):
        subprocess.run([sys.executable, "-c", script, umask], check=True)
        (one,) = files(folder)
        assert stat.S_IMODE(one.stat().st_mode) == 0o444
        folders = {path for path in (objects(folder), *objects(folder).rglob("*")) if path.is_dir()}
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
        one.unlink()


def test_the_same_bytes_are_kept_once(folder: Path, data: Path) -> None:
    body = data.read_bytes()
    copies = [data.with_name(f"copy{number}") for number in range(3)]
    for copy in copies:
        copy.write_bytes(body)
    kept = Kept(folder)
    assert list(kept.put_all(map(proven, copies))) == [b3(body)] * 3
    assert kept.put_bytes(body) == b3(body)
    assert (len(files(folder)), kept.size()) == (1, len(body))
    assert list((objects(folder) / "scratch").iterdir()) == []


def test_the_copy_is_another_file(folder: Path, data: Path) -> None:
    Kept(folder).put(str(data), b3(data.read_bytes()))
    assert files(folder)[0].stat().st_ino != data.stat().st_ino
    assert data.stat().st_nlink == 1


def test_bytes_of_no_file_are_kept(folder: Path) -> None:
    kept = Kept(folder)
    assert found(kept, kept.put_bytes(b"settings")) == b"settings"


@pytest.mark.parametrize("digest", ["", "blake3:", "blake3:../../etc/passwd", "md5:" + "0" * 64, "blake3:" + "g" * 64])
def test_what_is_no_digest_is_not_there(folder: Path, data: Path, digest: str) -> None:
    kept = Kept(folder)
    assert (kept.find(digest), kept.is_kept(digest), kept.check(digest)) == (None, False, False)
    assert not kept.put(str(data), digest)


def test_what_is_no_file_is_not_kept(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    kept = Kept(folder)
    for name in ("pipe", "gone", ".", "nul\0"):
        assert not kept.put(f"{tmp_path}/{name}", b3(b""))
    assert files(folder) == []


def test_nothing_is_kept_beyond_the_limit_and_that_is_told(folder: Path, tmp_path: Path) -> None:
    bodies = [bytes([number]) * 100 for number in range(5)]
    kept = Kept(folder, most=250)
    for number, body in enumerate(bodies):
        (tmp_path / str(number)).write_bytes(body)
        assert kept.put(str(tmp_path / str(number)), b3(body)) == (number < 2)
    assert (kept.size(), kept.refused()) == (200, "limit")
    assert Kept(folder, most=250).refused() == "limit"
    assert Kept(folder, most=300).refused() == ""  # it was raised since
    (tmp_path / "small").write_bytes(b"x" * 50)
    assert kept.put(str(tmp_path / "small"), b3(b"x" * 50))
    assert kept.size() == 250


def test_of_one_batch_only_what_fits_is_kept(folder: Path, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 100)
    assert len(list(Kept(folder, most=1050).put_all(map(proven, paths)))) == 10
    assert Kept(folder).size() == 1000


def test_a_sum_that_is_too_large_is_counted_anew_before_anything_is_refused(folder: Path, data: Path) -> None:
    kept = Kept(folder, most=100)
    kept.put_bytes(b"x" * 50)
    for wrong in ("1000000", "", "\0\0"):
        (objects(folder) / "sum").write_text(wrong)
        data.write_bytes(os.urandom(10))
        assert Kept(folder, most=100).put(str(data), b3(data.read_bytes()))
    assert Kept(folder).size() == 80


def test_a_full_disk_keeps_nothing_and_says_so(folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SPARE", 1 << 62)
    kept = Kept(folder)
    assert not kept.put(str(data), b3(data.read_bytes()))
    assert found(kept, kept.put_bytes(b"settings")) is None
    assert kept.refused() == "disk"
    monkeypatch.undo()
    assert Kept(folder).refused() == ""
    assert Kept(folder).put(str(data), b3(data.read_bytes()))


@pytest.mark.parametrize("size", [SMALL // 2, LARGE])
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(folder: Path, data: Path, size: int) -> None:
    data.write_bytes(os.urandom(size))
    script = f"""
import resource, signal
from lineagekit.store.kept import Kept
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 2}, {size // 2}))
print(Kept({str(folder)!r}).put({str(data)!r}, {b3(data.read_bytes())!r}))
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout == "False\n"
    assert (files(folder), list((objects(folder) / "scratch").iterdir())) == ([], [])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_where_nothing_may_be_made_nothing_is_kept(tmp_path: Path, data: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "objects").write_text("not a folder")
    kept = Kept(tmp_path / "store", most=1000)
    assert not kept.put(str(data), b3(data.read_bytes()))
    assert found(kept, kept.put_bytes(b"settings")) is None
    assert (kept.size(), list(kept.digests())) == (0, [])
    assert kept.refused() == ""


def test_what_belongs_to_another_user_is_left_alone() -> None:
    with open_folder() as place:
        data = place / "orders.csv"
        data.write_bytes(b"id,label\n")
        Kept(place).put(str(data), b3(b"id,label\n"))
        with as_nobody() if os.geteuid() == 0 else locked(objects(place)):
            other = Kept(place, most=1000)
            assert (other.find(b3(b"id,label\n")), other.size(), other.refused()) == (None, 0, "")
            assert not other.put(str(data), b3(b"id,label\n"))
        assert found(Kept(place), b3(b"id,label\n")) == b"id,label\n"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.chmod(0)
    yield
    path.chmod(0o700)


def test_when_the_time_is_over_nothing_more_is_begun(folder: Path, data: Path) -> None:
    kept = Kept(folder)
    assert list(kept.put_all([proven(data)], until=time.monotonic() - 1)) == []
    assert list(kept.put_all([proven(data)], until=time.monotonic() + 60)) == [b3(data.read_bytes())]


def test_whoever_asks_for_no_more_leaves_no_scratch(folder: Path, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(2000)]
    for number, path in enumerate(paths):
        path.write_text(str(number))
    some = Kept(folder).put_all(map(proven, paths))
    next(some)
    some.close()  # type: ignore[attr-defined]
    assert list((objects(folder) / "scratch").iterdir()) == []


def test_what_the_killed_left_long_ago_is_removed_by_the_next(folder: Path, data: Path) -> None:
    Kept(folder).put_bytes(b"settings")
    scratch = objects(folder) / "scratch"
    for name, age in (("old", 7200), ("new", 60)):
        (scratch / name).write_text("half of")
        os.utime(scratch / name, (time.time() - age,) * 2)
    Kept(folder).put(str(data), b3(data.read_bytes()))
    assert [path.name for path in scratch.iterdir()] == ["new"]


def test_a_use_moves_the_time(folder: Path, data: Path) -> None:
    digest = b3(data.read_bytes())
    for use in (lambda: Kept(folder).find(digest), lambda: Kept(folder).put(str(data), digest)):
        Kept(folder).put(str(data), digest)
        os.utime(files(folder)[0], (1, 1))
        assert use()
        assert files(folder)[0].stat().st_mtime > time.time() - 60


WRITER = """
import os, sys
path, size = sys.argv[1], int(sys.argv[2])
number = 0
while True:
    number += 1
    with open(path, "r+b") as file:
        file.write(bytes([number % 256]) * size)
"""


def test_a_file_that_is_written_to_all_the_time_is_never_handed_out_wrong(folder: Path, data: Path) -> None:
    data.write_bytes(bytes(LARGE))
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(data), str(LARGE)])
    try:
        bodies = [data.read_bytes() for _ in range(30)]
        for body in bodies:
            kept = Kept(folder)
            list(kept.put_all([Wanted(str(data), b3(body), len(body), Evidence.of(data.stat()))]))
            assert found(kept, b3(body)) in (None, body)
            kept.put(str(data), b3(body))
            assert found(kept, b3(body)) in (None, body)
    finally:
        writer.kill()
        writer.wait()


KEEPER = """
import os, sys
from blake3 import blake3
from lineagekit.store.kept import Kept
folder, most, name = sys.argv[1:]
kept = Kept(folder, most=int(most))
begun = os.getpid() * 1_000_000
for number in range(begun, begun + 100_000):
    path = f"{folder}.{name}"
    body = f"{name}{number}".encode() * (300_000 if number % 10 == 9 else 100)
    with open(path, "wb") as file:
        file.write(body)
    kept.put(path, "blake3:" + blake3(body).hexdigest())
    if kept.refused():
        break
"""


def keepers(folder: Path, most: int, count: int) -> list[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", KEEPER, str(folder), str(most)]
    return [subprocess.Popen([*words, chr(ord("a") + number)]) for number in range(count)]


def assert_whole(folder: Path) -> None:
    for one in files(folder):
        assert Kept(folder).find(f"blake3:{one.parent.name}{one.name}") == str(one)


def test_several_at_once_stay_below_the_limit(folder: Path) -> None:
    most = 20_000_000
    running = keepers(folder, most, 4)
    while any(one.poll() is None for one in running):
        assert Kept(folder).size() <= most
    assert [one.returncode for one in running] == [0] * 4
    assert most // 2 < Kept(folder).size() <= most
    assert_whole(folder)
    assert int((objects(folder) / "sum").read_text()) == Kept(folder).size()


def test_whoever_is_killed_leaves_only_whole_files_and_a_sum_that_is_not_too_small(folder: Path) -> None:
    most, dice = 1 << 40, random.Random(7)
    for _ in range(12):
        running, before = keepers(folder, most, 2), Kept(folder).size()
        while Kept(folder).size() == before and running[0].poll() is None:
            time.sleep(0.01)
        time.sleep(dice.random() / 10)
        for one in running:
            one.send_signal(signal.SIGKILL)
            one.wait()
        size = Kept(folder).size()
        summed = objects(folder) / "sum"
        assert not summed.exists() or size <= int(summed.read_text())
    assert files(folder)
    assert_whole(folder)
    Kept(folder, most=size + 10).put_bytes(b"0123456789")
    assert Kept(folder).size() == size + 10
