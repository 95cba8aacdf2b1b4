# SPDX-License-Identifier: Apache-2.0
"""Make the next thing while the last one is used.

>>> list(ahead(iter("abc"), threading.Event()))
['a', 'b', 'c']
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Full, Queue
from typing import Generic, TypeVar

from lineagekit.errors import LineagekitError

Thing = TypeVar("Thing")

_LOOK = 0.1  # seconds between two looks at whether anybody still wants the next one
_GRACE = 1.0  # seconds that the thread has to end; it may be waiting for a server that never answers


def ahead(things: Iterator[Thing], stop: threading.Event) -> Iterator[Thing]:
    """The same things, made in a thread of their own, one ahead; an error of ours is raised here.

    `stop` is set when no more are wanted.
    """
    maker = _Maker(things, stop)
    maker.start()
    try:
        while (made := maker.made.get()) is not None:
            yield made[0]
    finally:
        stop.set()
        maker.join(_GRACE)
    if maker.error:
        raise maker.error
    if not maker.done:
        raise RuntimeError("the thread that makes things has broken, and said so on standard error")


class _Maker(threading.Thread, Generic[Thing]):
    def __init__(self, things: Iterator[Thing], stop: threading.Event) -> None:
        super().__init__(name="lineagekit-ahead", daemon=True)
        self.made: Queue[tuple[Thing] | None] = Queue(maxsize=1)
        self.error: LineagekitError | None = None
        self.done = False
        self._things, self._ended = things, stop

    def run(self) -> None:
        try:
            for thing in self._things:
                self._put((thing,))
                if self._ended.is_set():
                    return
            self.done = True
        except LineagekitError as error:
            self.error = error
        finally:
            self._put(None)

    def _put(self, made: tuple[Thing] | None) -> None:
        while not self._ended.is_set():
            try:
                self.made.put(made, timeout=_LOOK)
                return
            except Full:
                continue
