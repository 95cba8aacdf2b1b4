# SPDX-License-Identifier: Apache-2.0
"""Who asks: whether the user's own code is up the stack, and which libraries stand between it and us.

    >>> is_asked_by_project()  # doctest: +SKIP
    True

What a library does for itself, such as sending telemetry from a thread of its own, is no lineage of the job; nor is
the bookkeeping of an experiment tracker, though the job's code calls it.
"""

from __future__ import annotations

import os
import sys

from lineagekit.agent.imported import is_project_file

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_HOUSEKEEPERS = frozenset(
    {
        *("airflow", "celery", "dagster", "prefect"),
        *("clearml", "comet_ml", "mlflow", "neptune", "optuna", "wandb"),
        *("datadog", "ddtrace", "newrelic", "opentelemetry", "posthog", "sentry_sdk"),
        *("alembic", "openlineage", "pip"),
    }
)
_DEEPEST = 200
_STANDARD, _PROJECT = "", "\0"

_places: dict[str, str] = {}  # file -> top-level package of a library, _STANDARD, or _PROJECT


def is_asked_by_project() -> bool:
    """Whether code of the user's is up the stack, with no housekeeper in between."""
    return _is_project_behind(_HOUSEKEEPERS)


def is_asked_by_project_itself(*libraries: str) -> bool:
    """The same, and none of these libraries in between: they tell it themselves."""
    return _is_project_behind(_HOUSEKEEPERS.union(libraries))


def is_project_next() -> bool:
    """Whether the user's own code made the call itself, not through a library other than Python's."""
    for place in _walk():
        if place != _STANDARD:
            return place == _PROJECT
    return False


def _is_project_behind(others: frozenset[str]) -> bool:
    places = list(_walk())
    return places[-1:] == [_PROJECT] and others.isdisjoint(places)


def _walk() -> Iterator[str]:
    """Where each frame outside of us belongs to, the innermost first, up to the first of the project's."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(_DEEPEST):
        if frame is None:
            return
        place = _place(frame)
        if place is not None:
            yield place
            if place == _PROJECT:
                return
        frame = frame.f_back


def _place(frame: FrameType) -> str | None:
    """None for our own code."""
    name = frame.f_globals.get("__name__") or ""
    if name == "__main__":
        return _PROJECT
    if name.startswith(("lineagekit.", "lineagekit_")):
        return None
    path = frame.f_code.co_filename
    place = _places.get(path)
    if place is None:
        place = _PROJECT if is_project_file(path) else _package(path)
        if len(_places) < 10_000:
            _places[path] = place
    return place


def _package(path: str) -> str:
    for folder in ("site-packages", "dist-packages"):
        mark = f"{os.sep}{folder}{os.sep}"
        if mark in path:
            first = path.rpartition(mark)[2].partition(os.sep)[0]
            return first[:-3] if first.endswith(".py") else first
    return _STANDARD
