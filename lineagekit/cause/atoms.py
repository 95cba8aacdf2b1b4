# SPDX-License-Identifier: Apache-2.0
"""Atoms: the root changes of a blame as things that a rebuild can have as they were before, or as they are now.

What comes and goes with a window is one atom: the days of one feed alone do not join those of the others. So are files
that are written anew for each build, where there are several.

>>> [atom.label for atom in atoms_of(found, good, bad).atoms]  # doctest: +SKIP
['/data/labels 2026-05-03 was rewritten', 'the window: 12 files, day']
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from lineagekit.cause.blame import Blame
from lineagekit.cause.change import Change
from lineagekit.cause.files import Made, Place
from lineagekit.cause.rank import Suspect, place_of
from lineagekit.cause.window import Feed
from lineagekit.events.roles import role_of

Pair = tuple[str | None, str | None]
"""Good and bad: a digest or a value; None is absent."""

WINDOW, REST = "window", "rest"
_LEAST = 0.01
_EXAM = "it is the exam, which stays the good build's in every rebuild"


@dataclass(frozen=True, slots=True)
class Atom:
    """One change, all of it or nothing of it."""

    id: str
    label: str
    weight: float
    files: Mapping[str, Pair] = field(default_factory=dict)
    """Data and sources, by absolute path."""
    params: Mapping[str, Pair] = field(default_factory=dict)
    suspect: Suspect | None = None

    @property
    def signature(self) -> str:
        """What it says, and a digest of all that it is."""
        text = json.dumps([sorted(self.files.items()), sorted(self.params.items())])
        return f"{self.id} {sha256(text.encode()).hexdigest()[:16]} {self.label}"


@dataclass(frozen=True, slots=True)
class Atoms:
    """What can be tried, and what cannot, with the reason."""

    atoms: tuple[Atom, ...]
    untestable: Mapping[str, str]
    of_window: tuple[Suspect, ...] = ()
    """What is said of the feeds that the window moved, the likeliest first."""
    anew: tuple[Feed, ...] = ()
    """Of these feeds, those that are one file which is written anew for each build."""
    left_behind: tuple[str, ...] = ()
    """Files that should have moved with these, and did not."""

    def named(self, ids: Iterable[str]) -> list[Atom]:
        """Those of these names, in order of suspicion."""
        wanted = set(ids)
        return [atom for atom in self.atoms if atom.id in wanted]


def atoms_of(found: Blame, good: Made, bad: Made, anew: Sequence[Feed] = ()) -> Atoms:
    """The likeliest first; what no suspect explains is the last one."""
    left = _Left(_differences(good, bad), _moved_params(good, bad))
    moving = {feed.where for feed in anew}
    atoms: list[Atom] = []
    untestable: dict[str, str] = {}
    window, of_window = Atom(WINDOW, "", _LEAST), []
    counters: list[tuple[Suspect, Mapping[str, Pair]]] = []
    for suspect in sorted(found.suspects, key=place_of):  # whatever was confirmed meanwhile: the question is the same
        change = suspect.change
        if suspect.status in ("inert", "cleared"):
            continue  # with the rest, which is one atom
        files, params = left.take(change, good, bad)
        if not files and not params:
            if suspect.status == "suspect":
                untestable[change.sentence] = _EXAM if change.where == found.exam.name else _why(change)
            continue
        if params and suspect.status == "carrier" and _counts_up(change):
            counters.append((suspect, params))
            continue
        moved, moved_params = (files, params) if change.is_carrier else (_moved(files, good, bad), {})
        moved |= {path: pair for path, pair in files.items() if path in moving}
        if moved or moved_params:
            window = with_more(window, moved, moved_params)
            of_window.append(suspect)
        if len(moved) < len(files) or len(moved_params) < len(params):
            fixed = {path: pair for path, pair in files.items() if path not in moved}
            atoms.append(Atom(f"{len(atoms) + 1}", change.sentence, _weight(suspect), fixed, params, suspect))
    dated = {path: pair for path, pair in left.files.items() if None in pair or path in moving}
    dates = _dates(left.params)
    window = with_more(window, dated, dates)
    for suspect, numbers in counters:
        if window.files:
            window = with_more(window, {}, numbers)
        else:
            atoms.append(Atom(f"{len(atoms) + 1}", suspect.change.sentence, _weight(suspect), {}, numbers, suspect))
    rest = Atom(
        REST,
        "",
        _LEAST / 10,
        {path: pair for path, pair in left.files.items() if path not in dated},
        {name: pair for name, pair in left.params.items() if name not in dates},
    )
    window = replace(window, label=f"the window that moved: {_contents(window)}")
    rest = replace(rest, label=f"what else differs: {_contents(rest)}")
    window_and_rest = (one for one in (window, rest) if one.files or one.params)
    return Atoms((*atoms, *window_and_rest), untestable, tuple(of_window), tuple(anew))


@dataclass(frozen=True, slots=True)
class _Left:
    """What differs, and belongs to no atom yet."""

    files: dict[str, Pair]
    params: dict[str, Pair]

    def take(self, change: Change, good: Made, bad: Made) -> tuple[dict[str, Pair], dict[str, Pair]]:
        """What of it this change is."""
        files = {path: self.files.pop(path) for path in _paths(change, self.files, good, bad)}
        is_param = change.kind == "params" and change.key in self.params
        return files, {change.key: self.params.pop(change.key)} if is_param else {}


def with_more(atom: Atom, files: Mapping[str, Pair], params: Mapping[str, Pair]) -> Atom:
    """The atom with these as well."""
    return replace(atom, files={**atom.files, **files}, params={**atom.params, **params})


def _moved(files: Mapping[str, Pair], good: Made, bad: Made) -> dict[str, Pair]:
    """New parts of a feed, whatever is odd about them, and the old ones that went: they do not join those of others."""
    came = any(pair[0] is None and _is_part(path, good, bad) for path, pair in files.items())
    return {path: pair for path, pair in files.items() if came and None in pair and _is_part(path, good, bad)}


def _is_part(path: str, good: Made, bad: Made) -> bool:
    part = bad.parts.get(path) or good.parts.get(path)
    return bool(role_of(f"/{part.path}" if part else path).key)


def _differences(good: Made, bad: Made) -> dict[str, Pair]:
    """Files and sources that are not the same in both; what runs on the way wrote is made anew, but for what is new."""
    found: dict[str, Pair] = {}
    for old, new in ((good.files, bad.files), (good.sources, bad.sources)):
        for path in dict.fromkeys((*old, *new)):
            pair = old.get(path), new.get(path)
            is_made = path in good.written | bad.written
            if pair[0] != pair[1] and (not is_made or None in pair):
                found[path] = pair
    return found


def _moved_params(good: Made, bad: Made) -> dict[str, Pair]:
    names = dict.fromkeys((*good.params, *bad.params))
    pairs = {name: (good.params.get(name), bad.params.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _dates(params: Mapping[str, Pair]) -> dict[str, Pair]:
    """Parameters of runs above that move from build to build, as dates do."""
    moving = [(name, pair) for name, pair in params.items() if pair[0] and pair[1]]
    return {name: pair for name, pair in moving if Change("params", "", name, pair[0] or "", pair[1] or "").is_carrier}


def _counts_up(change: Change) -> bool:
    """The number of a day, or of a build, rather than a date: with new data it goes up each time."""
    return change.before.isdecimal() and change.after.isdecimal() and int(change.after) > int(change.before)


def _paths(change: Change, files: Mapping[str, Pair], good: Made, bad: Made) -> list[str]:
    if change.kind == "code":
        return [path for path in files if path == change.key or path.endswith(f"/{change.key}")]
    if change.kind in ("params", "packages", "environment", "response", "hidden", "writer"):
        return []
    return [path for path in files if _is_it(change, path, bad.parts.get(path) or good.parts.get(path))]


def _is_it(change: Change, path: str, part: Place | None) -> bool:
    if part is not None:
        return change.where == part.folder and change.key in ("", part.key)
    role = role_of(path)
    return path == change.where or (change.where == role.template and change.key in ("", role.key))


def _weight(suspect: Suspect) -> float:
    return max(suspect.score if suspect.status == "suspect" else suspect.score / 10, _LEAST / 5)


def _contents(atom: Atom) -> str:
    count = len(atom.files)
    words = [f"{count:,} file{'s' * (count != 1)}"] if count else []
    return ", ".join([*words, *atom.params])


def _why(change: Change) -> str:
    if change.kind == "packages":
        return "another version of a package: run bisect in an environment that has it"
    if change.kind == "environment":
        return "its value was not kept, only a digest: name both with --env NAME=GOOD,BAD"
    if change.kind == "hidden":
        return "nothing that was recorded differs: there is nothing to put back"
    if change.kind == "out of band":
        return "the command makes it anew, and does not repeat what somebody did to it"
    return "its bytes are no file on this machine"


def with_environment(atoms: Atoms, given: Mapping[str, Pair]) -> Atoms:
    """Variables whose two values a person has named."""
    more: Sequence[Atom] = [
        Atom(f"env:{name}", f"{name} in the environment", 0.5, params={f"${name}": pair})
        for name, pair in given.items()
    ]
    left = {what: why for what, why in atoms.untestable.items() if not any(what.startswith(f"{n} in") for n in given)}
    return replace(atoms, atoms=(*more, *atoms.atoms), untestable=left)
