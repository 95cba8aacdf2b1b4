# SPDX-License-Identifier: Apache-2.0
"""What a build was made of, as files on this machine: data, sources and parameters of every run above it.

Of a path that several runs read, the read that is nearest to the build counts.

>>> made = made_of(views, build.run)  # doctest: +SKIP
>>> made.files["/data/labels.csv"], made.params["day"]  # doctest: +SKIP
('blake3:9f3c0712ab...', '2026-05-01')
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lineagekit.cause.parts import keys_of
from lineagekit.cause.views import Use, View, Views
from lineagekit.events.lenient import objects, text
from lineagekit.store import query

_MOST = 20_000
"""Runs above a build that are looked at."""


class Place(NamedTuple):
    """Where a part is."""

    folder: str
    path: str
    """In the folder."""
    key: str
    """What changes call it."""


@dataclass(slots=True)
class Made:
    """Everything that is to be as it was."""

    files: dict[str, str] = field(default_factory=dict)
    """Digests by absolute path; "" where it is not known."""
    parts: dict[str, Place] = field(default_factory=dict)
    """Of files that are parts."""
    written: set[str] = field(default_factory=set)
    """Paths that runs above it wrote."""
    bound: set[str] = field(default_factory=set)
    """Paths of which it is known who wrote what was read."""
    answering: set[str] = field(default_factory=set)
    """Files of databases, which are opened to be written to, though nothing may be."""
    sources: dict[str, str] = field(default_factory=dict)
    """Digests of modules by absolute path."""
    params: dict[str, str] = field(default_factory=dict)
    """By name; of the run that is nearest to the build."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """What was read or written that is no file here, and by whom."""


def made_of(views: Views, *runs: int) -> Made:
    """Walk up from the runs that made it."""
    made = Made()
    seen = set(runs)
    heap = [(-views.of(run).run.began, run) for run in runs]
    heapq.heapify(heap)
    while heap and len(seen) < _MOST:
        view = views.of(heapq.heappop(heap)[1])
        add_run(made, view)
        for above in _above(views, view):
            if above not in seen:
                seen.add(above)
                heapq.heappush(heap, (-views.of(above).run.began, above))
    return made


def _above(views: Views, view: View) -> Iterator[int]:
    """Who wrote what it read; and the run that it was a part of, whose parameters are its too."""
    yield from {read.src for use in view.inputs.values() for read in use.writers if read.src}
    if view.run.parent and query.runs(views.db, [view.run.parent]):
        yield view.run.parent


def add_run(made: Made, view: View) -> None:
    """What one run read, wrote, ran and was set to; what is known already counts."""
    for use in view.inputs.values():
        if not _is_here(use):
            made.elsewhere.setdefault(use.title, view.job)
        elif use.touch.pieces:
            keys = keys_of(piece.path for piece in use.touch.pieces)
            for piece in use.touch.pieces:
                path = f"{use.name.name.rstrip('/')}/{piece.path}"
                made.files.setdefault(path, piece.digest)
                made.parts.setdefault(path, Place(use.name.name, piece.path, keys[piece.path]))
        else:
            made.files.setdefault(use.name.name, use.touch.file or use.digest)
            made.answering |= {use.name.name} if use.touch.file else set()
            if any(read.src for read in use.writers):
                made.bound.add(use.name.name)
    made.elsewhere |= {use.title: view.job for use in view.outputs.values() if not _is_here(use)}
    made.written |= {path for use in view.outputs.values() if _is_here(use) for path in paths_of(use)}
    for path, digest in modules_of(view.facts):
        made.sources.setdefault(path, digest)
    for name, value in _params(view).items():
        made.params.setdefault(name, value)


def modules_of(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Path and digest of each module of which both are known."""
    for module in objects(facts.get("code", {}).get("modules")):
        path = text(module.get("path"))
        digest = next((one for one in map(str, module.get("digests") or ()) if not one.startswith("ast1")), "")
        if path.startswith("/") and digest:
            yield path, digest


def _params(view: View) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in view.facts.get("params", {}).items()}


def paths_of(use: Use) -> Iterator[str]:
    """Files of a dataset: its parts, where it has some."""
    if use.touch.pieces:
        yield from (f"{use.name.name.rstrip('/')}/{piece.path}" for piece in use.touch.pieces)
    else:
        yield use.name.name


def _is_here(use: Use) -> bool:
    return use.name.namespace == "file" and use.name.name.startswith("/")
