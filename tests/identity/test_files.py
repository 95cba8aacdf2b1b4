# SPDX-License-Identifier: Apache-2.0
"""One file: its digest is that of the bytes, and only if they were all there at one time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.agent.evidence import Evidence
from lineagekit.errors import BadDataError, ChangedWhileReadError, NotFoundError, UnreadableError, UsageError
from lineagekit.identity.batch import SMALL
from lineagekit.identity.cache import open_cache
from lineagekit.identity.clock import MARGIN
from lineagekit.identity.files import MAPPED_BLOCK, hash_file
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.mounts import is_local
from tests.identity.worlds import (
    as_nobody,
    make_dangling_link,
    make_fifo,
    make_link_to_device,
    make_link_to_itself,
    make_socket,
    open_folder,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(b"abc")
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (b"abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
    ],
    ids=["empty", "abc"],
)
def test_the_digest_is_the_published_one(file: Path, content: bytes, expected: str) -> None:
    file.write_bytes(content)
    assert str(hash_file(file).digest) == f"blake3:{expected}"


@pytest.mark.skipif(not shutil.which("b3sum"), reason="b3sum is not installed (apt-get install b3sum)")
def test_the_digest_is_what_b3sum_prints(file: Path) -> None:
    file.write_bytes(os.urandom(3 * SMALL + 7))
    out = subprocess.run(["b3sum", "--no-names", file], capture_output=True, check=True, text=True).stdout
    assert hash_file(file).digest.hex == out.strip()


@pytest.mark.parametrize("algorithm", ["blake3", "sha256"])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, MAPPED_BLOCK, MAPPED_BLOCK + 1])
def test_neither_size_nor_threads_change_the_way_to_the_digest(
    tmp_path: Path, size: int, threads: int, algorithm: str
) -> None:
    with open(tmp_path / "f", "wb") as f:
        f.truncate(size)
        f.seek(size // 2)
        f.write(b"x"[:size])
    data = (tmp_path / "f").read_bytes()
    expected = blake3(data).hexdigest() if algorithm == "blake3" else hashlib.sha256(data).hexdigest()
    seen: list[int] = []
    hashed = hash_file(tmp_path / "f", Hashing(algorithm, threads=threads, progress=seen.append))
    assert str(hashed.digest) == f"{algorithm}:{expected}"
    assert sum(seen) == size


def test_the_evidence_is_that_of_the_file(file: Path) -> None:
    assert hash_file(file).evidence == Evidence.of(os.stat(file))


def test_a_link_has_the_digest_of_what_it_points_to(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    assert hash_file(tmp_path / "link") == hash_file(file)


def test_bytes_and_strings_name_the_same_file(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n:"
    Path(os.fsdecode(path)).write_bytes(b"abc")
    assert hash_file(path) == hash_file(os.fsdecode(path))


def make(path: Path, size: int) -> None:
    """Mostly a hole, which is as good as anything to hash and costs no disk."""
    with open(path, "wb") as f:
        f.write(b"start")
        f.truncate(size)


def append(path: Path) -> None:
    with open(path, "ab") as f:
        f.write(b"more")


def overwrite_and_restore_mtime(path: Path) -> None:
    stat = path.stat()
    with open(path, "r+b") as f:
        f.write(os.urandom(8))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def empty(path: Path) -> None:
    path.write_bytes(b"")


CHANGES = [append, overwrite_and_restore_mtime, replace]
LARGE = 2 * MAPPED_BLOCK + 1


@pytest.mark.parametrize("size", [100, 2 * SMALL, LARGE])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_keeps_changing_gets_no_digest(file: Path, change: Callable[[Path], None], size: int) -> None:
    make(file, size)
    with pytest.raises(ChangedWhileReadError, match=r"data\.bin.*twice"):
        hash_file(file, Hashing(progress=lambda _: change(file)))


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("change", [*CHANGES, empty])
def test_a_file_that_changed_once_gets_the_digest_of_what_it_is_now(
    file: Path, change: Callable[[Path], None], size: int
) -> None:
    make(file, size)
    changes = iter([change])
    hashed = hash_file(file, Hashing(progress=lambda _: next(changes, lambda path: None)(file)))
    assert hashed.digest.hex == blake3(file.read_bytes()).hexdigest()


def test_a_file_just_written_is_read_when_the_next_write_would_show(file: Path) -> None:
    file.write_bytes(b"new")
    hash_file(file)
    assert time.time_ns() > file.stat().st_ctime_ns + MARGIN


REFUSED: list[tuple[Callable[[Path], object], type[Exception], str]] = [
    (lambda path: None, NotFoundError, "no such file"),
    (make_fifo, BadDataError, "FIFO"),
    (make_socket, BadDataError, "socket"),
    (make_link_to_device, BadDataError, "character device"),
    (Path.mkdir, BadDataError, "is a folder, expected a file"),
    (make_dangling_link, NotFoundError, "dangling link.*nowhere"),
    (make_link_to_itself, BadDataError, "circular link"),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED)
def test_what_is_no_file_is_refused_by_name(
    tmp_path: Path, make: Callable[[Path], object], error: type[Exception], words: str
) -> None:
    make(tmp_path / "odd")
    with pytest.raises(error, match=f"(?s){words}") as caught:
        hash_file(tmp_path / "odd")
    assert "odd" in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "words"), [("/", "not a folder"), ("/x", "not a folder"), ("\0", "no such file"), ("x" * 300, "no such")]
)
def test_a_path_that_cannot_be_is_refused(file: Path, suffix: str, words: str) -> None:
    with pytest.raises((NotFoundError, BadDataError), match=words):
        hash_file(f"{file}{suffix}")


def test_a_file_without_the_right_to_read_it_is_unreadable() -> None:
    with open_folder() as folder:
        (folder / "secret").touch(mode=0)
        with as_nobody(), pytest.raises(UnreadableError, match=r"permission denied.*secret"):
            hash_file(folder / "secret")


def test_an_unknown_algorithm_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="got 'md5', expected blake3 or sha256"):
        Hashing("md5")


def test_an_unchanged_file_is_read_once(file: Path, tmp_path: Path) -> None:
    time.sleep(MARGIN / 1e9)
    reads: list[int] = []
    with closing(open_cache(tmp_path / "cache")) as cache:
        how = Hashing(cache=cache, progress=reads.append)
        assert hash_file(file, how) == hash_file(file, how)
        assert reads == [3]
        overwrite_and_restore_mtime(file)
        assert hash_file(file, how).digest.hex == blake3(file.read_bytes()).hexdigest()


def test_a_digest_is_cached_for_its_algorithm_only(file: Path, tmp_path: Path) -> None:
    time.sleep(MARGIN / 1e9)
    with closing(open_cache(tmp_path / "cache")) as cache:
        assert hash_file(file, Hashing("blake3", cache)).digest != hash_file(file, Hashing("sha256", cache)).digest


@pytest.mark.skipif(not os.path.exists("/proc/self/mountinfo"), reason="only Linux lists its mounts")
def test_a_disk_is_local_and_so_is_a_device_without_a_mount(tmp_path: Path) -> None:
    assert is_local(os.stat("/proc").st_dev)
    assert is_local(os.makedev(0, 999_999))
