# SPDX-License-Identifier: Apache-2.0
"""What goes: what the log speaks of no more, then what was used longest ago; what came of late stays for its run."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from blake3 import blake3

from lineagekit.identity.digest import Digest
from lineagekit.identity.manifest import Entry, Manifest
from lineagekit.store.gc import YOUNG, Collected, find_mentioned
from lineagekit.store.kept import Kept
from lineagekit.store.log import Refinement, Store
from lineagekit.store.room import kept_files
from tests.store.worlds import entry


@pytest.fixture
def kept(folder: Path) -> Kept:
    return Kept(folder)


def keep(kept: Kept, folder: Path, body: bytes, *, hours: float = 2) -> str:
    """Kept, and used so many hours ago."""
    digest = kept.put_bytes(body)
    os.utime(place(folder, digest), (time.time() - hours * 3600,) * 2)
    return digest


def place(folder: Path, digest: str) -> Path:
    hex_ = digest.partition(":")[2]
    return folder / "objects" / hex_[:2] / hex_[2:]


def mentioned(store: Store, kept: Kept) -> set[str]:
    return find_mentioned(store, list(kept.digests()))


def test_what_no_event_speaks_of_goes(folder: Path, store: Store, kept: Kept) -> None:
    spoken, forgotten = keep(kept, folder, b"spoken of"), keep(kept, folder, b"forgotten")
    store.append([entry("a", told=[{"digest": spoken}])])
    assert mentioned(store, kept) == {spoken}
    dry = kept.collect(mentioned(store, kept), most=None, dry_run=True)
    assert dry == Collected(removed=1, unused=0, freed=9, left=9)
    assert kept.is_kept(forgotten)
    assert kept.collect(mentioned(store, kept), most=None) == dry
    assert (kept.is_kept(spoken), kept.is_kept(forgotten)) == (True, False)
    assert kept.collect(mentioned(store, kept), most=None) == Collected(0, 0, 0, 9)


def test_events_speak_of_sources_by_their_other_digest(folder: Path, store: Store, kept: Kept, tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_bytes(b"RATE = 3\n")
    digest = f"sha256:{hashlib.sha256(b'RATE = 3' + bytes([10])).hexdigest()}"
    assert kept.put(str(source), digest)
    (one,) = kept_files(str(folder / "objects"))
    os.utime(one.path, (1, 1))
    store.append([entry("a", modules=[["mine", str(source), [digest]]])])
    assert kept.collect(mentioned(store, kept), most=None).removed == 0
    assert kept.collect(set(), most=None).removed == 1
    assert kept.find(digest) is None
    assert not list((folder / "objects" / "sha256").glob("*/*"))


def test_manifests_and_what_was_learned_later_speak_too(folder: Path, store: Store, kept: Kept) -> None:
    in_folder, learned = keep(kept, folder, b"in a folder"), keep(kept, folder, b"learned later")
    keep(kept, folder, b"forgotten")
    manifest = Manifest.from_entries([Entry("a.csv", 11, Digest("blake3", in_folder.partition(":")[2]))])
    with store.write():
        store.keep_object("manifest", str(manifest.digest), "".join(manifest.to_lines()).encode())
    told = entry("a", told=[{"digest": str(manifest.digest)}])
    store.append([told])
    store.refine([Refinement(told.key, "input", "file", "/b.csv", {"state": "exact", "digest": learned})])
    assert mentioned(store, kept) == {in_folder, learned}


def test_what_came_of_late_stays_for_its_run_may_not_be_in_the_log_yet(folder: Path, kept: Kept) -> None:
    new, old = keep(kept, folder, b"new", hours=0.9), keep(kept, folder, b"old", hours=1.1)
    assert YOUNG == 3600 * 10**9
    assert kept.collect(set(), most=None).removed == 1
    assert (kept.is_kept(new), kept.is_kept(old)) == (True, False)


def test_for_a_limit_what_was_used_longest_ago_goes_first(folder: Path, kept: Kept) -> None:
    digests = [keep(kept, folder, bytes([number]) * 10, hours=hours) for number, hours in enumerate((5, 50, 0, 20))]
    assert kept.collect(digests, most=25) == Collected(removed=2, unused=2, freed=20, left=20)
    assert [kept.is_kept(digest) for digest in digests] == [True, False, True, False]


def test_what_bisect_has_taken_is_used_and_goes_last(folder: Path, kept: Kept) -> None:
    digests = [keep(kept, folder, bytes([number]) * 10, hours=hours) for number, hours in enumerate((50, 5))]
    assert Kept(folder).find(digests[0])
    kept.collect(digests, most=10)
    assert [kept.is_kept(digest) for digest in digests] == [True, False]


def test_what_nothing_speaks_of_makes_room_before_what_is_spoken_of(folder: Path, kept: Kept) -> None:
    spoken, forgotten = keep(kept, folder, b"x" * 10, hours=50), keep(kept, folder, b"y" * 10, hours=5)
    assert kept.collect([spoken], most=10) == Collected(removed=1, unused=0, freed=10, left=10)
    assert not kept.is_kept(forgotten)


def test_when_there_is_room_again_it_is_used(folder: Path) -> None:
    kept = Kept(folder, most=15)
    digests = [keep(kept, folder, b"x" * 10)]
    assert not kept.is_kept(kept.put_bytes(b"y" * 10))
    assert kept.refused() == "limit"
    kept.collect(digests, most=5)
    assert (kept.refused(), (folder / "objects" / "sum").read_text()) == ("", "0")
    assert kept.is_kept(kept.put_bytes(b"y" * 10))


def test_where_nothing_was_kept_there_is_nothing_to_remove(folder: Path, store: Store, kept: Kept) -> None:
    assert mentioned(store, kept) == set()
    assert kept.collect(set(), most=0) == Collected(0, 0, 0, 0)


def test_what_the_killed_left_goes_too(folder: Path, kept: Kept) -> None:
    kept.put_bytes(b"settings")
    scratch = folder / "objects" / "scratch"
    (scratch / "old").write_text("half of")
    os.utime(scratch / "old", (1, 1))
    (scratch / "new").write_text("half of")
    kept.collect(set(), most=None)
    assert [path.name for path in scratch.iterdir()] == ["new"]


def test_only_what_is_kept_is_looked_for(folder: Path, store: Store, kept: Kept) -> None:
    store.append([entry("a", told=[{"digest": f"blake3:{blake3(b'elsewhere').hexdigest()}"}])])
    told: list[int] = []
    assert find_mentioned(store, list(kept.digests()), told.append) == set()
    digest = keep(kept, folder, b"spoken of")
    store.append([entry("b", told=[{"digest": digest}])])
    assert find_mentioned(store, list(kept.digests()), told.append) == {digest}
