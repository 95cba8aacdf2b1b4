# SPDX-License-Identifier: Apache-2.0
"""The lock of who settles a store: one process at a time, and whoever finds it taken leaves the work to the holder.

>>> with hold("/data/.lineagekit", wait=False) as held:  # doctest: +SKIP
...     print(held)
True
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lineagekit.errors import StoreError

NAME = "settle.lock"

# A job that ends takes the lock for a moment, to see whether somebody has it: that is nobody to leave the work to.
_TRIES, _PAUSE = 5, 0.01


@contextmanager
def hold(store_folder: str, *, wait: bool) -> Iterator[bool]:
    """Take the lock and say so; without `wait` say False where somebody has it."""
    try:
        descriptor = os.open(os.path.join(store_folder, NAME), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the store {store_folder} cannot be written: {error.strerror}",
            advice="Check the permissions of its folder, or name another store (LINEAGEKIT_STORE).",
        ) from error
    try:
        yield _take(descriptor, wait)
    finally:
        os.close(descriptor)


def _take(descriptor: int, wait: bool) -> bool:
    if wait:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    for attempt in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(_PAUSE if attempt < _TRIES - 1 else 0)
    return False
