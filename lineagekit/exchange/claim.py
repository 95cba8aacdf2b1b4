# SPDX-License-Identifier: Apache-2.0
"""One pass at a time to each destination, whoever wants to make it: a lock that dies with its process.

>>> with claim("/data/.lineagekit", "marquez") as mine:  # doctest: +SKIP
...     mine
True
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from lineagekit.errors import StoreError

_LOOK = 0.05  # seconds between two tries


@contextmanager
def claim(folder: str, destination: str, *, wait: float = 0.0, stop: threading.Event | None = None) -> Iterator[bool]:
    """Hold the lock of a destination, standing in line for up to `wait` seconds; False if another has it."""
    path = os.path.join(
        folder, f"deliver-{blake2b(destination.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}.lock"
    )
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_lock(path, error) from error
    try:
        yield _take(lock, path, time.monotonic() + wait, stop or threading.Event())
    finally:
        os.close(lock)


def _take(lock: int, path: str, deadline: float, stop: threading.Event) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline or stop.wait(_LOOK):
                return False
        except OSError as error:  # some network mounts have no locks
            raise _cannot_lock(path, error) from error


def _cannot_lock(path: str, error: OSError) -> StoreError:
    return StoreError(f"cannot lock {path}: {error.strerror}", advice="Check the folder's permissions and its mount.")
