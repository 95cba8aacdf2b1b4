# SPDX-License-Identifier: Apache-2.0
"""Settings: what differs between two runs of a job beside their data: code, parameters, packages, environment.

>>> [change.sentence for change in setting_changes(good, bad)]  # doctest: +SKIP
['parameter lr of train.py: 0.01 -> 0.02']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineagekit.cause.change import Change, Kind
from lineagekit.cause.views import View
from lineagekit.events.lenient import mapping, objects, text

_TREE = "ast1"
_QUIET = ("platform", "hardware")
"""Changes of these are told, and are the last to be thought of."""


def setting_changes(good: View, bad: View) -> Iterator[Change]:
    """One change for each module, parameter, package and variable that differs."""
    if good.run.code != bad.run.code:
        yield from _code(good, bad)
    if good.run.params != bad.run.params:
        yield from _values("params", good, bad, (_params(good), _params(bad)))
    if good.run.environment != bad.run.environment:
        yield from _environment(good, bad)


def _params(view: View) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in view.facts.get("params", {}).items()}


def _code(good: View, bad: View) -> Iterator[Change]:
    before, after = _modules(good), _modules(bad)
    told = False
    for path in dict.fromkeys((*before, *after)):
        old, new = before.get(path), after.get(path)
        if old is None or new is None or not _share(old, new, source=True):
            told = True
            inert = old is not None and new is not None and _share(old, new, source=False)
            yield _change("code", good, bad, path, (_first(old), _first(new)), inert=inert)
    if not told:
        yield from _commits(good, bad)


def _modules(view: View) -> dict[str, tuple[str, ...]]:
    """Digests by path, relative to the project, so that a clone elsewhere is the same code."""
    code = view.facts.get("code", {})
    entry = text(code.get("entry"))
    found = {text(one.get("path")): tuple(map(str, one.get("digests") or ())) for one in objects(code.get("modules"))}
    root = _root(found, entry)
    return {path.removeprefix(root): digests for path, digests in found.items()}


def _root(paths: Mapping[str, object], entry: str) -> str:
    whole = next((path for path in paths if entry and path.endswith(f"/{entry}")), "")
    return whole[: -len(entry)] if whole else ""


def _share(old: tuple[str, ...], new: tuple[str, ...], *, source: bool) -> bool:
    """Whether they have a digest in common: of the source, or only of the syntax tree."""
    wanted = [one for one in old if one.startswith(_TREE) is not source]
    return bool(set(wanted) & set(new)) if wanted else False


def _first(digests: tuple[str, ...] | None) -> str:
    return next(iter(digests or ()), "")


def _commits(good: View, bad: View) -> Iterator[Change]:
    """Where no module is known to differ: the commit, the source or the version that a foreign producer says."""
    old, new = good.facts.get("code", {}), bad.facts.get("code", {})
    for key in ("source", "version", "url"):
        if key in old or key in new:
            pair = text(old.get(key)), text(new.get(key))
            if pair[0] != pair[1]:
                yield _change("code", good, bad, key, pair)
                return
    if not (_modules(good) and _modules(bad)) and old.get("commit") != new.get("commit"):
        yield _change("code", good, bad, "commit", (text(old.get("commit")), text(new.get("commit"))))


def _environment(good: View, bad: View) -> Iterator[Change]:
    old, new = good.facts.get("environment", {}), bad.facts.get("environment", {})
    yield from _values("packages", good, bad, (_packages(old), _packages(new)))
    yield from _values("environment", good, bad, (_rest(old), _rest(new)))


def _packages(environment: Mapping[str, Any]) -> Mapping[str, str]:
    packages = {str(name): text(version) for name, version in mapping(environment.get("packages")).items()}
    return {**packages, "python": text(environment.get("python"))} if "python" in environment else packages


def _rest(environment: Mapping[str, Any]) -> Mapping[str, str]:
    """Variables by their keyed digests, seeds, and the machine, one line each."""
    told = {}
    for part in ("variables", "seeds"):
        told.update({str(name): text(value) or str(value) for name, value in mapping(environment.get(part)).items()})
    told.update({part: str(environment[part]) for part in _QUIET if part in environment})
    return told


def _values(kind: Kind, good: View, bad: View, pair: tuple[Mapping[str, str], Mapping[str, str]]) -> Iterator[Change]:
    old, new = pair
    for name in dict.fromkeys((*old, *new)):
        if old.get(name, "") != new.get(name, ""):
            yield _change(kind, good, bad, name, (old.get(name, ""), new.get(name, "")))


def _change(kind: Kind, good: View, bad: View, key: str, pair: tuple[str, str], *, inert: bool = False) -> Change:
    inert = inert or key in _QUIET
    return Change(kind, bad.job, key, *pair, inert=inert, run=bad.run.run, good_run=good.run.run, at=bad.run.began)
