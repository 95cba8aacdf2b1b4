# SPDX-License-Identifier: Apache-2.0
"""Where a command is run: what all kinds of workspaces can do, and how bytes get into one.

>>> space.place(Path("/home/ann/churn/labels.csv"), b"id,label")  # doctest: +SKIP
>>> space.inside(Path("/home/ann/churn"))  # doctest: +SKIP
PosixPath('/home/ann/churn/.lineagekit/bisect/x/workspace/open/tree/home/ann/churn')
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lineagekit.cause.layers import Layer
from lineagekit.errors import NotFoundError, StoreError
from lineagekit.store.clone import copy_hashed


class Space(Protocol):
    """A `Workspace`, which a cage covers the user's folders with, or a `Copied` one, which lies beside them."""

    @property
    def folder(self) -> Path:
        """Where all of it lies."""

    @property
    def open(self) -> Path:
        """Seen inside at the same place, and the one folder where the command's files really are."""

    @property
    def tree(self) -> Path | None:
        """The copy in which the command runs; None where it sees everything at its own place."""

    @property
    def layers(self) -> Sequence[Layer]:
        """What is covered."""

    def place(self, path: Path, source: Path | bytes) -> None:
        """Inside, these bytes lie at `path`."""

    def remove(self, path: Path) -> None:
        """Inside, nothing lies at `path`."""

    def remove_all(self) -> None:
        """Leave nothing."""

    def inside(self, path: Path) -> Path:
        """What `path` is called inside."""

    def real(self, path: Path) -> Path:
        """Where what lies at `path` inside lies outside."""


def fill(target: int, source: Path | bytes) -> None:
    """Copy bytes into an empty file, shared with the original where the file system can; never a hard link."""
    if isinstance(source, bytes):
        with os.fdopen(target, "wb", closefd=False) as file:
            file.write(source)
        return
    with source.open("rb") as file:
        copy_hashed(file.fileno(), target)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Translate what the system says."""
    try:
        yield
    except OSError as error:
        said = f"{error.strerror or error}{f' ({error.filename!s})' if error.filename else ''}"
        if isinstance(error, FileNotFoundError):
            raise NotFoundError(f"{what}: {said}", advice="It was there before: try again.") from error
        raise StoreError(f"{what}: {said}", advice="Free space, or put the store on a disk of this machine.") from error
