# SPDX-License-Identifier: Apache-2.0
"""Keeping: the bytes that runs read, beside the log, so that `bisect` can build with them again.

    >>> keeper.keep(stories, asked, Proven(proofs, folders))  # doctest: +SKIP

Done where digests are proven, before anything else can happen to the files. Small files first. Whatever cannot be kept
is not: it changed meanwhile, the limit is reached, the disk is full, the time is over. A run is told all the same.

Of every content there is one copy, so that what is read each day and never changes is kept once. What a recorded run
wrote is kept when another one read it: `bisect` remakes what its command makes, but a step before that command, which
overwrites its output every day, is not run again. What nobody read yet is kept with "all" only.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lineagekit.identity.manifest import Manifest
from lineagekit.record.ask import Asked, Folder
from lineagekit.record.prove import Claim, Proof, is_telling
from lineagekit.record.story import Story
from lineagekit.store.clone import Wanted
from lineagekit.store.kept import Kept

What = Literal["changed", "none", "all"]
"""Of each run: its inputs and sources; nothing; the outputs as well."""

_LARGEST_SOURCE = 4 << 20


class Proven(NamedTuple):
    """What was proven of the runs of a batch."""

    proofs: Mapping[Claim, Proof]
    folders: Mapping[Folder, Manifest | str]


@dataclass(slots=True)
class Keeper:
    """Keeps, as long as the time lasts that it is given."""

    kept: Kept
    what: What = "changed"
    seconds: float = float("inf")
    _done: set[str] = field(default_factory=set)
    """Digests that need not be looked at again."""

    def keep(self, stories: Iterable[Story], asked: Sequence[Asked], proven: Proven) -> float:
        """Keep what these runs read, and what they ran; the seconds that it took."""
        began = time.monotonic()
        if self.what != "none":
            until, with_outputs = began + self.seconds, self.what == "all"
            files = {wanted.digest: wanted for wanted in _modules(stories)}
            files.update((wanted.digest, wanted) for wanted in _files(asked, proven, with_outputs=with_outputs))
            new = [wanted for digest, wanted in files.items() if digest not in self._done]
            self._done.update(self.kept.put_all(sorted(new, key=lambda wanted: wanted.size), until=until))
            for _ in self.kept.put_all(_in_folders(asked, proven, with_outputs=with_outputs), until=until):
                pass  # of a million files nobody remembers which
        took = time.monotonic() - began
        self.seconds -= took
        return took


def _modules(stories: Iterable[Story]) -> Iterator[Wanted]:
    """Sources, as the job knew them when it imported them."""
    paths = {
        digest: path
        for story in stories
        for _, path, digests in (story.code.modules if story.code else ())
        for digest in digests
        if digest.startswith("sha256:")
    }
    for digest, path in paths.items():
        if (size := _size_of_source(path)) is not None:
            yield Wanted(path, digest, size)


def _size_of_source(path: str) -> int | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL inside
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST_SOURCE else None


def _files(asked: Iterable[Asked], proven: Proven, *, with_outputs: bool) -> Iterator[Wanted]:
    """Files that are told by themselves or as parts. A copy of old bytes beside the journal is as good as the file."""
    for one in asked:
        claims = [
            claim
            for input_ in one.inputs
            for claim in input_.claims
            if input_.touch.evidence is not None and is_telling(input_.touch.evidence, input_.touch.at)
        ]
        claims += [output.claim for output in one.outputs if with_outputs and output.claim is not None]
        for claim in claims:
            digest = proven.proofs[claim].digest
            if digest is not None:
                yield Wanted(claim.place, str(digest), claim.evidence.size, claim.evidence)


def _in_folders(asked: Iterable[Asked], proven: Proven, *, with_outputs: bool) -> Iterator[Wanted]:
    """Files of folders that were read whole."""
    touches = (touch for one in asked for touch in _folders_of(one, with_outputs))
    for folder in dict.fromkeys(touches):
        manifest = proven.folders.get(folder)
        for path, size, digest in manifest if isinstance(manifest, Manifest) else ():
            yield Wanted(os.path.join(folder[0], path), str(digest), size)


def _folders_of(asked: Asked, with_outputs: bool) -> Iterator[Folder]:
    for read in (one.touch for one in asked.inputs):
        if read.is_folder:
            yield read.place, read.listing
    for written in (one.touch for one in asked.outputs if with_outputs):
        if written.is_folder:
            yield written.path, written.listing
