# SPDX-License-Identifier: Apache-2.0
"""Hybrids: the good build with some of the atoms as in the bad one; what has to lie where for it to be rebuilt.

>>> hybrid = Plan(atoms, good, bad).hybrid({"1"})  # doctest: +SKIP
>>> hybrid.intent.files["/data/labels.csv"], hybrid.values["day"]  # doctest: +SKIP
('blake3:b17e55aa01...', '2026-05-01')
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from lineagekit.cause.atoms import WINDOW, Atom
from lineagekit.cause.files import Made
from lineagekit.cause.param_file import with_values
from lineagekit.cause.proof import Intent
from lineagekit.cause.supply import Supply
from lineagekit.events.roles import role_of


@dataclass(frozen=True, slots=True)
class Hybrid:
    """One of them."""

    intent: Intent
    values: Mapping[str, str]
    """Of parameters, and of variables as `$NAME`; an absent one is left out."""
    made: Mapping[str, bytes] = field(default_factory=dict)
    """Files that are made for it."""


@dataclass(slots=True)
class Plan:
    """All that hybrids of two builds are made of."""

    atoms: tuple[Atom, ...]
    good: Made
    bad: Made
    exam: Made = field(default_factory=Made)
    """What the good build was graded with: the same in every hybrid."""
    pinned: Mapping[str, str | None] = field(default_factory=dict)
    """What is the same in every hybrid, though it differs between the builds: bytes of one side are gone."""
    params: tuple[str, bytes] | None = None
    """A file from which the command reads parameters, and what is in it now."""
    operations: dict[str, tuple[Mapping[str, str | None], Mapping[str, str | None]]] = field(default_factory=dict)
    """By id: digests by path that take the place of those of the good window, or of the bad one."""
    model: str = ""
    """Its file; "" where it is none."""

    def hybrid(self, chosen: Set[str]) -> Hybrid:
        """The good build, and the chosen atoms as in the bad one."""
        files = {**self._common(), **self.pinned}
        values = {**self.exam.params, **self.good.params}
        for atom in self.atoms:
            side = atom.id in chosen
            files.update({path: pair[side] for path, pair in atom.files.items()})
            for name, pair in atom.params.items():
                values.pop(name, None)
                if (value := pair[side]) is not None:
                    values[name] = value
        for name in chosen & self.operations.keys():
            files.update(self.operations[name][WINDOW in chosen])
        made = {}
        if self.params is not None:
            path, body = self.params
            moving = {name for atom in self.atoms for name in atom.params if not name.startswith("$")}
            made[path] = with_values(body, {name: values.get(name) for name in moving})
            files[path] = f"blake3:{blake3(made[path]).hexdigest()}"
        return Hybrid(Intent(files, frozenset(self._rebuilt() - files.keys()), self.model), values, made)

    def placed(self, hybrid: Hybrid, supply: Supply) -> Iterator[tuple[str, Path | bytes | None]]:
        """Paths that have to be other than they are: the bytes, or None where nothing may be.

        Bytes that are gone and are made on the way are left to the command: what it reads is proven afterwards.
        """
        # An overlay copies a database when it is opened, and it would be another file: so it is copied before.
        answering = self.good.answering | self.bad.answering | self.exam.answering
        for path, digest in hybrid.intent.files.items():
            if path in hybrid.made:
                yield path, hybrid.made[path]
            elif digest is None:
                if os.path.lexists(path):
                    yield path, None
            elif (path in answering or not supply.is_there(path, digest)) and (
                found := supply.find(path, digest)
            ) is not None:
                yield path, found
        for path in dict.fromkeys((*self._strangers(hybrid), *self._to_be_made(hybrid))):
            yield path, None

    def missing(self, supply: Supply) -> dict[str, str]:
        """What is gone of both builds and nobody makes on the way: the digest by path."""
        made = self.good.written | self.bad.written | self.exam.written
        pairs = [pair for atom in self.atoms for pair in atom.files.items()]
        wanted = [(path, digest) for path, digest in self._common().items() if path not in made]
        wanted += [(path, digest) for path, pair in pairs for digest in pair if path not in made]
        return {path: digest for path, digest in wanted if digest and supply.find(path, digest) is None}

    def folders(self) -> set[str]:
        """Where all of it lies."""
        names = [name for made in (self.good, self.bad, self.exam) for name in (*made.files, *made.sources)]
        written = [name for made in (self.good, self.bad, self.exam) for name in made.written]
        return {os.path.dirname(name) for name in (*names, *written)}

    def _common(self) -> Mapping[str, str | None]:
        """What is the same in both, and in the exam."""
        found: dict[str, str | None] = {}
        for name in ("files", "sources"):
            good, bad, exam = (getattr(made, name) for made in (self.good, self.bad, self.exam))
            found.update({path: digest for path, digest in exam.items() if path not in good and path not in bad})
            found.update({path: digest for path, digest in good.items() if bad.get(path, digest) == digest})
        return {path: digest for path, digest in found.items() if path not in self._of_atoms()}

    def _of_atoms(self) -> set[str]:
        return {path for atom in self.atoms for path in atom.files} | self.pinned.keys()

    def _rebuilt(self) -> set[str]:
        """Read in both builds, other bytes in each, because runs on the way wrote them."""
        both = self.good.files.keys() & self.bad.files.keys()
        return {path for path in both if self.good.files[path] != self.bad.files[path]} - self._of_atoms()

    def _to_be_made(self, hybrid: Hybrid) -> Iterator[str]:
        """Files that runs of these builds wrote: make would find them up to date, and one may append to them."""
        written = self.good.written | self.bad.written | self.exam.written
        kept = hybrid.intent.files.keys() | {self.params[0] if self.params else ""}
        yield from (path for path in written - kept if os.path.isfile(path))

    def _strangers(self, hybrid: Hybrid) -> Iterator[str]:
        """Files beside the parts of a feed that are of neither build: those of later days, mostly."""
        feeds = {place.folder for made in (self.good, self.bad) for place in made.parts.values()}
        roles: dict[str, str] = {}
        for path in hybrid.intent.files:
            if (role := role_of(path)).key:  # a number may also be in the name of the project, above them all
                places = roles.get(role.template, os.path.dirname(path)), os.path.dirname(path)
                roles[role.template] = os.path.commonpath(places)
        for folder in {*feeds, *roles.values()}:
            for path in _files_below(folder):
                is_part = folder in feeds or roles.get(role_of(path).template) == folder
                if is_part and path not in hybrid.intent.files and path not in hybrid.intent.rebuilt:
                    yield path


def _files_below(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        yield from (os.path.join(place, name) for name in names)
