# SPDX-License-Identifier: Apache-2.0
"""Bytes by their digest: at the path itself while they are there, else as the store kept them, else in git.

Nothing is handed out whose digest was not taken again.

>>> supply.find("/data/labels.csv", "blake3:9f3c0712ab...")  # doctest: +SKIP
PosixPath('/data/labels.csv')
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Protocol

from blake3 import blake3

_BLOCK = 1 << 20
_MOST_COMMITS = 200


class Objects(Protocol):
    """Bytes that the store kept."""

    def find(self, digest: str) -> str | None:
        """Where they are; None if they are not, or are damaged."""


class Supply:
    """Looks for bytes, each once."""

    def __init__(self, objects: Objects) -> None:
        """Nothing is looked for yet."""
        self._objects = objects
        self._found: dict[tuple[str, str], Path | bytes | None] = {}
        self.moved: dict[str, str] = {}
        """Where paths were before: what is left there is looked at, too."""

    def find(self, path: str, digest: str) -> Path | bytes | None:
        """A file that has them, or themselves; None if they are gone."""
        if (path, digest) not in self._found:
            self._found[path, digest] = self._look(path, digest)
        return self._found[path, digest]

    def add(self, path: str, digest: str, place: Path) -> None:
        """Tell of bytes that were made to lie at this path."""
        self._found[path, digest] = place

    def is_there(self, path: str, digest: str) -> bool:
        """Whether the path itself has them now."""
        return self.find(path, digest) == Path(path)

    def _look(self, path: str, digest: str) -> Path | bytes | None:
        if not digest:  # not known is not equal
            return None
        for place in filter(None, (path, self.moved.get(path))):
            if os.path.isfile(place) and _digest_of(place, digest.partition(":")[0]) == digest:
                return Path(place)
        kept = self._objects.find(digest)
        return Path(kept) if kept else _in_git(path, digest)


def _digest_of(path: str, algorithm: str) -> str:
    hasher = blake3() if algorithm == "blake3" else hashlib.new(algorithm) if algorithm in ("sha256", "md5") else None
    if hasher is None:
        return ""
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return f"{algorithm}:{hasher.hexdigest()}"


def _in_git(path: str, digest: str) -> bytes | None:
    """The bytes of some commit: sources that were rewritten since."""
    folder, name = os.path.split(path)
    if not digest.startswith("sha256:") or not os.path.isdir(folder):
        return None
    for commit in _git(folder, "log", "--all", f"-{_MOST_COMMITS}", "--format=%H", "--", name).decode().split():
        body = _git(folder, "show", f"{commit}:./{name}")
        if f"sha256:{hashlib.sha256(body).hexdigest()}" == digest:
            return body
    return None


def _git(folder: str, *words: str) -> bytes:
    """What git says; nothing where there is no repository, or no git."""
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""
