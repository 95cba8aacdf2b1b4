# SPDX-License-Identifier: Apache-2.0
"""Whose is it? The run that what this thread does now belongs to, and never a guess.

    >>> with lineagekit.run("train"):  # doctest: +SKIP
    ...     scope.whose().job
    'train'

In this order: the run that this thread or task opened; the only run that is open in the process (a thread does not
inherit what its starter had opened); the run of the process as a whole. Of two open runs neither is chosen: what is
done then is said to be *ambiguous* between them.
"""

from __future__ import annotations

from lineagekit.agent.process import is_disabled, known_process
from lineagekit.agent.run import Run, current_run

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


class Ambiguous:
    """Stands where a run would: says each access once, as one that belongs to any of several."""

    __slots__ = ("_among", "_process", "_said")

    def __init__(self, runs: list[Run]) -> None:
        """Between these."""
        self._process = runs[0].process
        self._among = [run.id for run in runs]
        self._said: set[str] = set()

    def read(self, path: str, *_: Any, **__: Any) -> None:
        """Somebody reads."""
        self._say("input", path)

    def written(self, path: str, *_: Any, **__: Any) -> None:
        """Somebody has written."""
        self._say("output", path)

    read_folder = read
    written_folder = written

    def moved(self, old: str, new: str, **_: Any) -> None:
        """Somebody has made it appear under this name."""
        self._say("output", new)

    def knows(self, path: str, role: int = 0) -> bool:
        """Whether it was said."""
        return path in self._said

    def _nothing(self, *_: Any, **__: Any) -> None:
        """What says too little to be told without knowing whose it is."""

    before_writing = writing = replacing = removed = changed = doubt = was = _nothing

    def _say(self, role: str, path: str) -> None:
        if path not in self._said:
            self._said.add(path)
            self._process.say({"fact": "ambiguous", "run": "", "among": self._among, "role": role, "path": path})


_MOST = 100
"""Groups of runs that are remembered: a service opens new ones for ever, and what is said twice does no harm."""

_ambiguous: dict[tuple[str, ...], Ambiguous] = {}


def whose() -> Run | None:
    """The run that is meant now; None where there is none or it cannot be told."""
    if is_disabled():
        return None
    run = current_run.get()
    if run is not None and not run.ended:  # a task or thread may still be in one that was ended elsewhere
        return run
    process = known_process()
    if process is None:
        return None
    opened: list[Run] = process.opened
    main: Run | None = process.main
    if not opened:
        return main
    return opened[0] if len(opened) == 1 else None


def book() -> Any:
    """The ledger of the run that is meant now, an Ambiguous where it is one of several; None outside of any."""
    run = whose()
    if run is not None:
        return run.ledger
    process = known_process()
    if process is None or is_disabled() or len(process.opened) < 2:
        return None
    runs = list(process.opened)
    key = tuple(run.id for run in runs)
    if key not in _ambiguous:
        if len(_ambiguous) >= _MOST:
            _ambiguous.clear()
        _ambiguous[key] = Ambiguous(runs)
    return _ambiguous[key]
