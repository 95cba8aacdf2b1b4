# SPDX-License-Identifier: Apache-2.0
"""Folders: what a reader would read makes the digest, however it came to lie there and whoever hashes it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, ChangedWhileReadError, NotFoundError, UnreadableError
from lineagekit.identity.batch import SMALL
from lineagekit.identity.cache import open_cache
from lineagekit.identity.clock import MARGIN
from lineagekit.identity.crew import WORTH_HELPERS
from lineagekit.identity.digest import Digest
from lineagekit.identity.files import MAPPED_BLOCK
from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.hashing import Hashing
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.identity.trees import hash_tree
from lineagekit.identity.walk import BATCH
from tests.identity.worlds import (
    as_nobody,
    make_dangling_link,
    make_fifo,
    make_link_to_device,
    make_link_to_itself,
    make_socket,
    open_folder,
)

Files = dict[bytes, bytes]


def fill(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = os.path.join(os.fsencode(root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
    return root


def manifest_of(files: Files) -> Manifest:
    """What `hash_tree` should find."""
    return Manifest.from_entries(
        Entry(os.fsdecode(name), len(content), Digest("blake3", blake3(content).hexdigest()))
        for name, content in files.items()
    )


FILES: Files = {b"a.csv": b"1", b"b.csv": b"2", b"x/c.csv": b"", b"x/y/d.csv": b"4", b".hidden": b"5"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return fill(tmp_path / "tree", FILES)


def test_a_tree_is_its_files(tree: Path) -> None:
    assert hash_tree(tree) == manifest_of(FILES)


# Every byte that a name can hold; folders end with d and files with f, so that no name is both.
names = st.binary(max_size=8).map(lambda name: name.replace(b"\0", b"0").replace(b"/", b"\n"))
paths = st.tuples(st.lists(names, max_size=2), names).map(lambda p: b"".join(n + b"d/" for n in p[0]) + p[1] + b"f")
trees = st.dictionaries(paths, st.binary(max_size=20), max_size=6)


@settings(max_examples=25, deadline=None)
@given(trees, st.randoms())
def test_any_names_in_any_order_by_any_workers_give_the_same_manifest(files: Files, chance: st.random.Random) -> None:
    shuffled = list(files.items())
    chance.shuffle(shuffled)
    with open_folder() as one, open_folder() as other:
        fill(one, files)
        fill(other, dict(shuffled))
        assert hash_tree(one) == hash_tree(other, Hashing(threads=3)) == manifest_of(files)


@settings(max_examples=25, deadline=None)
@given(trees, trees)
def test_different_trees_have_different_digests(one: Files, other: Files) -> None:
    assume(one != other)
    with open_folder() as first, open_folder() as second:
        assert hash_tree(fill(first, one)).digest != hash_tree(fill(second, other)).digest


def test_a_renamed_file_is_a_change(tree: Path) -> None:
    (tree / "a.csv").rename(tree / "z.csv")
    assert hash_tree(tree).digest != manifest_of(FILES).digest


def test_composed_and_decomposed_names_are_two_names(tmp_path: Path) -> None:
    composed, decomposed = "é".encode(), b"e\xcc\x81"
    both = hash_tree(fill(tmp_path, {composed: b"", decomposed: b""}))
    assert [entry.path.encode() for entry in both] == [decomposed, composed]


def test_modes_times_and_empty_folders_are_not_identity(tree: Path) -> None:
    (tree / "empty" / "folder").mkdir(parents=True)
    (tree / "a.csv").chmod(0o755)
    os.utime(tree / "a.csv", (0, 0))
    assert hash_tree(tree) == manifest_of(FILES)


def test_an_empty_folder_has_a_digest(tmp_path: Path) -> None:
    assert hash_tree(tmp_path).digest == manifest_of({}).digest


def test_links_to_files_and_folders_are_read_through(tree: Path, tmp_path: Path) -> None:
    (tree / "link.csv").symlink_to("a.csv")
    (tree / "twin").symlink_to("x")
    (tree / "outside").symlink_to(fill(tmp_path / "elsewhere", {b"e": b"6"}))
    linked = {b"link.csv": b"1", b"twin/c.csv": b"", b"twin/y/d.csv": b"4", b"outside/e": b"6"}
    assert hash_tree(tree) == manifest_of(FILES | linked)


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/x/..", "{}//"])
def test_the_spelling_of_the_root_does_not_matter(tree: Path, spelling: str) -> None:
    assert hash_tree(spelling.format(tree)) == hash_tree(os.fsencode(tree)) == manifest_of(FILES)


def test_a_link_to_the_root_is_the_root(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    assert hash_tree(tmp_path / "link") == manifest_of(FILES)


@pytest.mark.parametrize("target", [".", "..", "../x", "../../tree"])
def test_a_link_into_its_own_folder_is_refused_by_name(tree: Path, target: str) -> None:
    (tree / "x" / "again").symlink_to(target)
    with pytest.raises(BadDataError, match=r"circular link: .*again.* leads back to"):
        hash_tree(tree)


def test_two_folders_that_link_to_each_other_are_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "to").symlink_to(f"../{other}")
    with pytest.raises(BadDataError, match="circular link"):
        hash_tree(tmp_path)


ODD: list[tuple[Callable[[Path], None], type[Exception], str]] = [
    (make_fifo, BadDataError, "a FIFO, expected a file or a folder"),
    (make_socket, BadDataError, "a socket"),
    (make_link_to_device, BadDataError, "a character device"),
    (make_dangling_link, NotFoundError, "points to 'nowhere'"),
    (make_link_to_itself, BadDataError, "circular link"),
]


@pytest.mark.parametrize(("make", "error", "words"), ODD)
def test_what_cannot_be_read_is_refused_by_name_unless_it_is_excluded(
    tree: Path, make: Callable[[Path], None], error: type[Exception], words: str
) -> None:
    make(tree / "x" / "odd")
    with pytest.raises(error, match=words) as caught:
        hash_tree(tree)
    assert "x/odd" in str(caught.value)
    assert hash_tree(tree, exclude=["**/odd"]) == manifest_of(FILES)
    assert hash_tree(tree, include=["*.csv"]) == manifest_of({b"a.csv": b"1", b"b.csv": b"2"})


def test_a_root_that_is_no_folder_is_refused(tree: Path) -> None:
    with pytest.raises(BadDataError, match=r"not a folder.*a\.csv"):
        hash_tree(tree / "a.csv")
    with pytest.raises(NotFoundError, match="no such file"):
        hash_tree(tree / "missing")


@pytest.mark.parametrize("secret", ["file", "folder"])
def test_a_part_without_the_right_to_read_it_is_unreadable(secret: str) -> None:
    with open_folder() as root:
        (root / "folder").mkdir()
        (root / "file").touch()
        (root / secret).chmod(0)
        with as_nobody(), pytest.raises(UnreadableError, match=f"permission denied.*{secret}"):
            hash_tree(root)
        (root / secret).chmod(0o755)


def test_a_selection_is_the_folder_of_its_files(tree: Path) -> None:
    chosen = hash_tree(tree, include=["**/*.csv"], exclude=["x/y"])
    assert chosen == manifest_of({b"a.csv": b"1", b"b.csv": b"2", b"x/c.csv": b""})


def test_a_glob_is_the_folder_of_its_files(tree: Path) -> None:
    assert fingerprint(f"{tree}/**/*.csv").manifest == hash_tree(tree, exclude=[".hidden"])
    assert fingerprint(f"{tree}/x/*").manifest == manifest_of({b"c.csv": b"", b"y/d.csv": b"4"})
    with pytest.raises(NotFoundError, match=r"\*\.json"):
        fingerprint(f"{tree}/*.json")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    """More files than one process is worth, some of them large, and old enough for the fast way."""
    files = {b"part-%02d/%05d" % (i % 7, i): b"%d" % i for i in range(BATCH * WORTH_HELPERS + 1)}
    files |= {b"large-%d" % i: os.urandom(SMALL + i) for i in range(3)}
    root = fill(tmp_path_factory.mktemp("many"), files)
    with open(root / "huge", "wb") as f:
        f.truncate(MAPPED_BLOCK + 1)
    time.sleep(MARGIN / 1e9)
    return root, files | {b"huge": bytes(MAPPED_BLOCK + 1)}


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_helper_processes_find_what_one_thread_finds(many: tuple[Path, Files], threads: int) -> None:
    root, files = many
    seen: list[int] = []
    assert hash_tree(root, Hashing(threads=threads, progress=seen.append)) == manifest_of(files)
    assert sum(seen) == sum(map(len, files.values()))


def test_sha256_trees_say_so(many: tuple[Path, Files]) -> None:
    assert hash_tree(many[0], Hashing("sha256", threads=2)).digest.method == "lkd1;files=sha256"


def test_a_helper_that_dies_costs_time_and_not_the_digest(
    many: tuple[Path, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    assert hash_tree(many[0], Hashing(threads=2)) == manifest_of(many[1])


@pytest.mark.parametrize("executable", ["", "/usr/sbin/uwsgi", "/nowhere/python"])
def test_a_program_that_is_no_python_is_not_started(
    many: tuple[Path, Files], monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert hash_tree(many[0], Hashing(threads=2)) == manifest_of(many[1])


def test_only_what_changed_is_read_again(many: tuple[Path, Files], tmp_path: Path) -> None:
    root, files = many
    reads: list[int] = []
    with closing(open_cache(tmp_path)) as cache:
        how = Hashing(cache=cache, threads=2, progress=reads.append)
        assert hash_tree(root, how) == manifest_of(files)
        reads.clear()
        assert hash_tree(root, how) == manifest_of(files)
        assert sum(reads) == 0
        changed = fill(root, {b"part-00/00000": b"changed"})
        assert hash_tree(changed, how) == manifest_of(files | {b"part-00/00000": b"changed"})
        assert sum(reads) == len(b"changed")
    fill(root, {b"part-00/00000": files[b"part-00/00000"]})


def move_between(tree: Path, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let a file be in the folder a or z, and always in the one that is not being listed."""
    (tree / "a").mkdir()
    (tree / "z").mkdir()
    (tree / "z" / "f").write_bytes(b"6")
    scandir, left = os.scandir, iter(range(times))

    def list_after_a_move(folder: bytes) -> object:
        here, there = ("a", "z") if os.fsencode(folder).endswith(b"/a/") else ("z", "a")
        if os.path.basename(os.path.dirname(folder)) in (b"a", b"z") and (tree / here / "f").exists():
            for _ in islice(left, 1):
                (tree / here / "f").rename(tree / there / "f")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", list_after_a_move)


def test_a_file_that_moves_into_a_folder_that_was_listed_is_found_there(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_between(tree, monkeypatch, times=1)
    assert hash_tree(tree) == manifest_of(FILES | {b"a/f": b"6"})


def test_a_folder_whose_files_keep_moving_is_named_and_the_tree_has_no_digest(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_between(tree, monkeypatch, times=10)
    with pytest.raises(ChangedWhileReadError, match=r"/tree/[az]/' changed while it was read, twice"):
        hash_tree(tree)
    assert hash_tree(tree, exclude=["a", "z"]) == manifest_of(FILES)


def test_a_file_that_is_removed_under_the_reader_is_no_part_of_the_tree(tree: Path) -> None:
    (tree / "0").write_bytes(b"0")

    def remove(_: int) -> None:
        (tree / "x" / "y" / "d.csv").unlink(missing_ok=True)

    left = {name: content for name, content in FILES.items() if name != b"x/y/d.csv"}
    assert hash_tree(tree, Hashing(progress=remove, threads=1)) == manifest_of(left | {b"0": b"0"})


def test_a_file_that_keeps_changing_is_named_and_the_tree_has_no_digest(tree: Path) -> None:
    log = tree / "x" / "log"
    log.write_bytes(bytes(2 * SMALL))

    def write_on(count: int) -> None:
        with open(log, "ab") as f:
            f.write(b"more")

    with pytest.raises(ChangedWhileReadError, match=r"x/log.*twice"):
        hash_tree(tree, Hashing(progress=write_on))
