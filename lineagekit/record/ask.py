# SPDX-License-Identifier: Apache-2.0
"""Asking: what must be proven for a story to be told, found out before anything is hashed.

    >>> asked = ask(story, kept="/data/.lineagekit/journal/kept")  # doctest: +SKIP
    >>> proofs = prover.prove(asked.claims())  # doctest: +SKIP

All runs are asked first, so that a file which several of them saw is hashed once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lineagekit.agent.evidence import Evidence
from lineagekit.events.content import MOST_PARTS
from lineagekit.identity.streams import data_suffix
from lineagekit.record.facts import Listing
from lineagekit.record.group import OF_TABLES, find_groups
from lineagekit.record.prove import Claim
from lineagekit.record.story import Story
from lineagekit.record.touches import Read, Written

Folder = tuple[str, Listing | None]


@dataclass(frozen=True, slots=True)
class AskedInput:
    """An input, and where its bytes may be: one proven claim is enough."""

    touch: Read
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedOutput:
    """An output, and the claim that stands for it; None where it was never finished."""

    touch: Written
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """All claims of one story, and which of its files are told as one dataset."""

    inputs: list[AskedInput]
    outputs: list[AskedOutput]
    input_groups: dict[str, str] = field(default_factory=dict)
    output_groups: dict[str, str] = field(default_factory=dict)

    def claims(self) -> Iterator[Claim]:
        """Files to hash; the outputs first, for whoever comes next may overwrite them."""
        for output in self.outputs:
            if output.claim is not None:
                yield output.claim
        for input_ in self.inputs:
            yield from input_.claims

    def folders(self) -> Iterator[Folder]:
        """Folders to hash, each as it was listed."""
        for written in (one.touch for one in self.outputs):
            if written.is_folder:
                yield written.path, written.listing
        for read in (one.touch for one in self.inputs):
            if read.is_folder and not read.lost:
                yield read.place, read.listing

    def tables(self) -> Iterator[tuple[Claim, str]]:
        """What may be a table, and the name that tells: files that are told by themselves, and parts of a feed.

        Of parts each is read once in its life, and tells what was unlike the days before; of too many none is.
        """
        sizes = Counter(self.output_groups.values()), Counter(self.input_groups.values())
        for output in self.outputs:
            if output.claim is not None and _is_told(output.touch.path, self.output_groups, sizes[0]):
                yield output.claim, output.touch.path
        for input_ in self.inputs:
            if _is_told(input_.touch.path, self.input_groups, sizes[1]):
                yield from ((claim, input_.touch.path) for claim in input_.claims)


def _is_told(path: str, groups: Mapping[str, str], sizes: Counter[str]) -> bool:
    group = groups.get(path)
    return group is None or (sizes[group] <= MOST_PARTS and data_suffix(path) in OF_TABLES)


def ask(story: Story, *, kept: str) -> Asked:
    """What must be proven of a story; `kept` is the folder of copies."""
    reads, writes = story.paths.inputs(), story.paths.outputs()
    return Asked(
        [AskedInput(read, tuple(_claims(read, kept))) for read in reads],
        [AskedOutput(written, _claim(written)) for written in writes],
        find_groups([read.path for read in reads if not (read.is_folder or read.model)]),
        find_groups([written.path for written in writes if not (written.is_folder or written.model)]),
    )


def _claims(read: Read, kept: str) -> Iterator[Claim]:
    if read.is_folder or read.doubt or read.seen is None or read.evidence is None:
        return
    if not read.lost:
        yield Claim(read.place, read.seen)
    if read.copy and (copy := _find_copy(os.path.join(kept, read.copy), read.evidence)):
        yield copy


def _claim(written: Written) -> Claim | None:
    if written.is_folder:
        return None
    # Opened to be changed and never closed: if it is what it was before, it was not changed.
    evidence = written.evidence or (written.before if written.changes and written.is_open else None)
    return None if evidence is None else Claim(written.path, evidence)


def _find_copy(path: str, original: Evidence) -> Claim | None:
    """The copy of what was overwritten, if it is all there."""
    try:
        found = Evidence.of(os.stat(path))
    except OSError:
        return None
    return Claim(path, found) if found.size == original.size else None
