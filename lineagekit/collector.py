# SPDX-License-Identifier: Apache-2.0
"""Python's collector of cycles, kept from looking for what is not there.

>>> with seldom_collecting():
...     gc.get_threshold() == SELDOM
True
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 20, 20)


class _Before:
    """What was in force before the first of those who are within came."""

    lock = threading.Lock()
    within = 0
    threshold = SELDOM


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Events and facts make no cycles: with its usual thresholds the collector takes a third of the time to find none.

    They are of the whole process: the first who comes in any thread changes them, the last who goes puts them back.
    """
    with _Before.lock:
        if not _Before.within:
            _Before.threshold = gc.get_threshold()
            if _Before.threshold[0]:  # else somebody has switched it off
                gc.set_threshold(*SELDOM)
        _Before.within += 1
    try:
        yield
    finally:
        with _Before.lock:
            _Before.within -= 1
            if not _Before.within:
                gc.set_threshold(*_Before.threshold)
