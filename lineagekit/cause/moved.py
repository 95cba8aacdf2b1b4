# SPDX-License-Identifier: Apache-2.0
"""What lies elsewhere than it did: a folder that was moved, a project that was cloned to another place.

Of names that are gone and names that came, one of each kind belongs together where they share bytes, or what people
said of names (`lineagekit alias`), or else the last part of their paths. What is in doubt is left as it is.

>>> moved_roles({("file", "/old/a.csv"): {"1"}, ("file", "/old/b.csv"): {"2"}}, {("file", "/new/c.csv"): {"2"}})
{('file', '/old/b.csv'): ('file', '/new/c.csv')}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace

from lineagekit.cause.files import Made
from lineagekit.cause.pairing import Role, by_role
from lineagekit.cause.views import Use
from lineagekit.events.roles import renamed, role_of
from lineagekit.events.said import Name

Uses = Mapping[Name, Use]
Marks = Mapping[Role, Set[str]]
"""By role, what it can be known by: digests, the dataset that several names are."""


def moved_roles(before: Marks, after: Marks) -> dict[Role, Role]:
    """New roles by old ones."""
    gone = {role: marks for role, marks in before.items() if role not in after}
    came = {role: marks for role, marks in after.items() if role not in before}
    found = _pairs(gone, came, lambda one, other: bool(gone[one] & came[other]))
    left = [one for one in gone if one not in found], [one for one in came if one not in found.values()]
    return found | _pairs(*left, lambda one, other: _last(one) == _last(other))


def _pairs(gone: Iterable[Role], came: Iterable[Role], is_like: Callable[[Role, Role], bool]) -> dict[Role, Role]:
    """Those of which there is one of each kind."""
    came = list(came)
    likes = {one: [other for other in came if is_like(one, other)] for one in gone}
    return {
        one: others[0]
        for one, others in likes.items()
        if len(others) == 1 and sum(others[0] in rivals for rivals in likes.values()) == 1
    }


def _last(role: Role) -> tuple[str, int]:
    return role[1].rpartition("/")[2], role[1].count("{}")


def followed(left: Uses, roles: Mapping[Role, Role]) -> dict[Name, Use]:
    """Inputs of the good run by the names that they have now."""
    found = {}
    for name, use in left.items():
        new = roles.get((name.namespace, role_of(name.name).template))
        moved = Name(new[0], renamed(name.name, new[1])) if new else name
        found[moved] = replace(use, name=moved)
    return found


def marks_of(uses: Uses) -> dict[Role, set[str]]:
    """What inputs can be known by."""
    return {
        role: {mark for use in ours for mark in (use.digest, f"dataset {use.dataset}" if use.dataset else "") if mark}
        for role, ours in by_role(uses).items()
    }


def moved_inputs(
    left: Mapping[Name, Use], right: Mapping[Name, Use], beside: Iterable[Mapping[Name, Use]]
) -> dict[Role, Role]:
    """Of the inputs of a good and a bad run; none of which some run `beside` them read both."""
    found = moved_roles(marks_of(left), marks_of(right))
    both = [by_role(uses).keys() for uses in beside] if found else []
    return {old: new for old, new in found.items() if not any(old in roles and new in roles for roles in both)}


def follow(good: Made, bad: Made) -> tuple[Made, dict[str, str]]:
    """What the good build was made of, where it would lie now; and where each path of that was then."""
    units = [
        {path: (made.parts[path].folder if path in made.parts else path) for path in made.files} for made in (good, bad)
    ]
    places = _places(units[0], good.files, units[1], bad.files)
    sources = _places({one: one for one in good.sources}, good.sources, {one: one for one in bad.sources}, bad.sources)

    def now(path: str) -> str:
        unit = units[0].get(path, path)
        return places[unit] + path[len(unit) :] if unit in places else sources.get(path, path)

    parts = {now(path): part._replace(folder=places.get(part.folder, part.folder)) for path, part in good.parts.items()}
    moved = replace(
        good,
        files={now(path): digest for path, digest in good.files.items()},
        parts=parts,
        written={now(path) for path in good.written},
        bound={now(path) for path in good.bound},
        answering={now(path) for path in good.answering},
        sources={now(path): digest for path, digest in good.sources.items()},
    )
    former = {now(path): path for path in (*good.files, *good.sources) if now(path) != path}
    return moved, former


def _units(made: Made) -> dict[str, str]:
    """By path, what moves as one: the folder of a part, or the file."""
    return {path: made.parts[path].folder if path in made.parts else path for path in made.files}


def _places(
    old: Mapping[str, str], digests: Mapping[str, str], new: Mapping[str, str], digests_now: Mapping[str, str]
) -> dict[str, str]:
    """Where files or folders of before lie now, of those that lie elsewhere; `old` and `new` are these by path."""
    roles = moved_roles(_marks(old, digests), _marks(new, digests_now))
    found = {}
    for unit in dict.fromkeys(old.values()):
        if (role := roles.get(("", role_of(unit).template))) is not None:
            found[unit] = renamed(unit, role[1])
    return found


def _marks(units: Mapping[str, str], digests: Mapping[str, str]) -> Marks:
    found: dict[Role, set[str]] = {}
    for path, unit in units.items():
        found.setdefault(("", role_of(unit).template), set()).update(filter(None, [digests[path]]))
    return found
