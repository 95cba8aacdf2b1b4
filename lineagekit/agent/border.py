# SPDX-License-Identifier: Apache-2.0
"""The border to the user's job: whatever fails on our side of it is swallowed, counted, and said once.

    >>> with border("open"):
    ...     raise OSError("disk full")
    >>> troubles.take()
    [('open', 'OSError: disk full', 1)]

Inside, the job's thread is ours: what we open and stat ourselves is no lineage (`is_ours`).
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import TracebackType

_MOST = 100
"""Kinds of trouble that are kept apart; more are counted together."""

_PANIC = "PanicException"
"""What libraries written in Rust raise for their own mistakes: no `Exception`, and no end of the process either."""


class _Thread(threading.local):
    depth = 0


_here = _Thread()


class Troubles:
    """What went wrong on our side, by place and error, until it is written down."""

    __slots__ = ("_counts", "_logged", "total")

    def __init__(self) -> None:
        """Nothing yet."""
        self._counts: dict[tuple[str, str], int] = {}
        self._logged = False
        self.total = 0

    def count(self, where: str, error: str) -> None:
        """Count one, and say the first in the log."""
        self.total += 1
        key = (where, error) if len(self._counts) < _MOST else ("more", "")
        self._counts[key] = self._counts.get(key, 0) + 1
        if not self._logged and not where.startswith("absent:"):
            self._logged = True
            self._log(where, error)

    def take(self) -> list[tuple[str, str, int]]:
        """All that was counted since the last time."""
        counts, self._counts = self._counts, {}
        return [(where, error, count) for (where, error), count in counts.items()]

    @staticmethod
    def _log(where: str, error: str) -> None:
        import logging

        advice = "The job is not affected; its lineage may have a gap. Run: lineagekit doctor"
        logging.getLogger("lineagekit").warning("lineagekit: %s failed: %s. %s", where, error, advice)


troubles = Troubles()


class border:
    """A block of ours inside the job: nothing that it raises comes out, but for what ends the process."""

    __slots__ = ("where",)

    def __init__(self, where: str) -> None:
        """Say where we are, for whoever counts troubles."""
        self.where = where

    def __enter__(self) -> None:
        """From here on the thread is ours."""
        _here.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Swallow and count any error, but let Ctrl-C, exits, and what the job's own signal handlers raise through."""
        _here.depth -= 1
        if error is None:
            return False
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            return False
        try:
            if _is_of_signal(traceback):
                return False
            troubles.count(self.where, describe(error))
        except Exception:  # job border: a handler of the job's log that raises, a stack that is full
            return True
        return True


def _is_of_signal(traceback: TracebackType | None) -> bool:
    """Whether a handler of the job's for a signal raised it, as timeouts do, while the thread happened to be ours."""
    codes = set()
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_ROOM):
            codes.add(code)
        traceback = traceback.tb_next
    if not codes:
        return False
    import signal

    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    return any(_code_of(handler) in codes for handler in handlers if callable(handler))


def _code_of(handler: object) -> object:
    """The code of a function, a method, a partial, or an object that can be called."""
    function = getattr(handler, "func", handler)
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)


_ROOM = __file__.rpartition("border")[0]


def is_ours() -> bool:
    """Whether this thread is on our side of the border now."""
    return _here.depth > 0


def describe(error: BaseException) -> str:
    """An error in one short line, even one whose text cannot be had."""
    try:
        text = str(error)
    except Exception:  # job border
        text = "(its text cannot be had)"
    return f"{type(error).__name__}: {text}"[:300]
