# SPDX-License-Identifier: Apache-2.0
"""Manifests: what is in a folder, and nothing else, makes the digest."""

from __future__ import annotations

import struct
import tracemalloc
from array import array

import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st

from lineagekit.errors import BadDataError, NotFoundError
from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest

Content = dict[bytes, tuple[int, bytes]]

contents = st.dictionaries(
    st.binary(min_size=1, max_size=20), st.tuples(st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32))
)


def manifest_of(content: Content, algorithm: str = "blake3") -> Manifest:
    sizes = array("Q", (size for size, _ in content.values()))
    return Manifest.from_columns(algorithm, list(content), sizes, b"".join(raw for _, raw in content.values()))


def lkd1_by_the_book(content: Content, algorithm: bytes = b"blake3") -> str:
    """The digest, written once more from its specification alone."""
    out = b"lineagekit.dir.v1\0" + struct.pack("<Q", len(content)) + struct.pack("<I", len(algorithm)) + algorithm
    for path, (size, raw) in sorted(content.items()):
        out += struct.pack("<I", len(path)) + path + struct.pack("<Q", size) + struct.pack("<I", len(raw)) + raw
    return blake3(out).hexdigest()


@given(contents)
def test_the_digest_is_the_specified_one(content: Content) -> None:
    assert str(manifest_of(content).digest) == f"lkd1:{lkd1_by_the_book(content)}"
    assert str(manifest_of(content, "sha256").digest) == f"lkd1;files=sha256:{lkd1_by_the_book(content, b'sha256')}"


def test_known_digests_never_change() -> None:
    two = {b"a.csv": (3, blake3(b"abc").digest()), b"dt=1/\xff": (0, blake3(b"").digest())}
    assert manifest_of({}).digest.hex == "a57a536bcbc8530286689b68ef40e06cb7fdaf5a1b76124cd90715c8dfbf0d01"
    assert manifest_of(two).digest.hex == "7d31cec6b5875e1b6308d8771512d53495fbaf69cdfe4f60b3698d9eef4fbef6"


@given(contents, st.randoms())
def test_the_order_of_arrival_does_not_matter(content: Content, chance: st.random.Random) -> None:
    shuffled = list(content.items())
    chance.shuffle(shuffled)
    assert manifest_of(dict(shuffled)) == manifest_of(content)


@given(contents, contents)
def test_different_contents_have_different_digests(one: Content, other: Content) -> None:
    assume(one != other)
    assert manifest_of(one) != manifest_of(other)
    assert manifest_of(one).digest != manifest_of(other).digest


def test_a_name_that_imitates_another_entry_does_not_collide() -> None:
    raw = blake3(b"").digest()
    imitation = b"a" + struct.pack("<QI", 0, 32) + raw + struct.pack("<I", 1) + b"b"
    assert manifest_of({b"a": (0, raw), b"b": (0, raw)}).digest != manifest_of({imitation: (0, raw)}).digest


@given(contents)
def test_lines_bring_back_the_same_manifest(content: Content) -> None:
    manifest = manifest_of(content, "sha256")
    lines = list(manifest.to_lines())
    assert Manifest.from_lines(lines) == manifest
    assert list(Manifest.from_lines(lines).to_lines()) == lines
    assert all(line.isascii() and line.count("\n") == 1 for line in lines)


@given(contents)
def test_entries_bring_back_the_same_manifest(content: Content) -> None:
    manifest = manifest_of(content)
    assert Manifest.from_entries(reversed(list(manifest))) == manifest


def test_entries_come_in_the_order_of_their_bytes() -> None:
    entry = (0, bytes(32))
    manifest = manifest_of(dict.fromkeys([b"b", b"a/b", b"a.b", b"\xc3\xa9", b"\xff"], entry))
    assert [e.path for e in manifest] == ["a.b", "a/b", "b", "é", "\udcff"]


def test_a_part_is_found_by_its_path() -> None:
    manifest = manifest_of({b"dt=1/a": (7, bytes(32)), b"\xff": (8, bytes(32))})
    assert manifest.entry("dt=1/a") == Entry("dt=1/a", 7, Digest("blake3", "00" * 32))
    assert manifest.entry(b"\xff").size == manifest.entry("\udcff").size == 8
    with pytest.raises(NotFoundError, match="dt=2/a"):
        manifest.entry("dt=2/a")


def test_size_and_length_are_those_of_the_files() -> None:
    manifest = manifest_of({b"a": (7, bytes(32)), b"b": (8, bytes(32))})
    assert (len(manifest), manifest.size) == (2, 15)
    assert repr(manifest) == f"Manifest(2 files, {manifest.digest})"
    assert hash(manifest) == hash(manifest_of({b"b": (8, bytes(32)), b"a": (7, bytes(32))}))


def test_a_path_that_comes_twice_is_refused() -> None:
    with pytest.raises(BadDataError, match=r"twice.*'a'"):
        Manifest.from_columns("blake3", [b"a", b"b", b"a"], array("Q", [1, 2, 3]), bytes(96))


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a", 1, Digest("sha256", "00" * 32)),
        Entry("a", 1, Digest("blake3", "00" * 31)),
        Entry("a", -1, Digest("blake3", "00" * 32)),
        Entry("\ud800", 1, Digest("blake3", "00" * 32)),
    ],
    ids=["algorithm", "length", "size", "path"],
)
def test_an_entry_that_cannot_be_is_refused(entry: Entry) -> None:
    with pytest.raises(BadDataError):
        Manifest.from_entries([entry])


HEAD = '{"algorithm":"blake3","entries":1,"manifest":"lineagekit.dir.v1"}\n'


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1"),
        (["no json\n"], "line 1 of a manifest is not JSON"),
        (["[1]\n"], "expected the keys"),
        ([HEAD.replace("v1", "v2")], "lineagekit.dir.v2"),
        ([HEAD], "cut short: got 0 entries, expected 1"),
        ([HEAD, '{"path":"a","size":1}\n'], "line 2"),
        ([HEAD, '{"digest":"blake3:zz","path":"a","size":1}\n'], "not a digest"),
    ],
)
def test_lines_that_are_no_manifest_are_refused(lines: list[str], words: str) -> None:
    with pytest.raises(BadDataError, match=words):
        Manifest.from_lines(lines)


def test_a_hundred_thousand_entries_take_less_than_thirteen_megabytes() -> None:
    tracemalloc.start()
    try:
        paths = [b"part-%04d/sample-%06d.jpg" % divmod(i, 1000) for i in range(100_000)]
        manifest = Manifest.from_columns("blake3", paths, array("Q", bytes(800_000)), bytes(3_200_000))
        del paths
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(manifest) == 100_000
    assert size < 13_000_000
