# SPDX-License-Identifier: Apache-2.0
"""Scratch files: what is being written, where nobody takes it for what is kept, until it gets its name in one step.

>>> with Scratch("/data/.lineagekit/objects").new() as (name, target):  # doctest: +SKIP
...     os.write(target, b"id,label")
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from lineagekit.store.room import make_folder

LEFT = 3600 * 10**9
"""Nanoseconds after which nobody writes to it any more: whoever did was killed."""

_FOLDER = "scratch"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)


class Scratch:
    """Those of one folder."""

    def __init__(self, folder: str) -> None:
        """Nothing is made yet."""
        self._folder = os.path.join(folder, _FOLDER)
        self._is_made = False
        self._names = (f"{self._folder}/{secrets.token_hex(8)}-{number}" for number in count())

    @contextmanager
    def new(self) -> Iterator[tuple[str, int]]:
        """A file nobody may write to but who made it, open until here; gone if that fails. Raises OSError."""
        if not self._is_made:
            make_folder(os.path.dirname(self._folder))
            make_folder(self._folder)
            sweep(os.path.dirname(self._folder))
            self._is_made = True
        name = next(self._names)
        descriptor, is_whole = os.open(name, _FLAGS, 0o444), False
        try:
            os.fchmod(descriptor, 0o444)
            yield name, descriptor
            is_whole = True
        finally:
            os.close(descriptor)
            if not is_whole:
                self.remove(name)

    def rename(self, name: str, place: str) -> None:
        """Give it its name, in a folder that is made if there is none. Raises OSError."""
        try:
            os.rename(name, place)
        except FileNotFoundError:
            make_folder(os.path.dirname(place))
            os.rename(name, place)

    def link(self, target: str, place: str) -> None:
        """A link that leads there, whatever was at that place. Raises OSError."""
        make_folder(os.path.dirname(os.path.dirname(place)))
        make_folder(os.path.dirname(place))
        name = next(self._names)
        os.symlink(target, name)
        os.replace(name, place)

    def remove(self, name: str) -> None:
        """It is not wanted any more, or has its name."""
        with suppress(OSError):
            os.unlink(name)


def sweep(folder: str) -> None:
    """Remove what was left by those that were killed: it is not counted, and nobody else looks for it."""
    with suppress(OSError), os.scandir(os.path.join(folder, _FOLDER)) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime_ns < time.time_ns() - LEFT:
                    os.unlink(entry.path)
