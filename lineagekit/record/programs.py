# SPDX-License-Identifier: Apache-2.0
"""What a job's programs do, beside the bytes that the job itself has hashed; and the state of their repository.

The job takes `sha256:` of each module's source, which costs it nothing. The digest of the syntax tree, by which a
comment is no change, is taken here, where the source is still that very one. Asked of git: where the repository comes
from, and whether its work tree differs from the commit that the job saw; None where another is checked out by now.

>>> Programs().complete(Code(commit="9f3a")).dirty is None
True
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass, field, replace

from lineagekit.agent.code import code_digests
from lineagekit.events.account import Code
from lineagekit.record.clock import clock_reads

_LARGEST = 4 << 20
_PATIENCE = 10.0  # seconds for a question to git

Module = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the source of a module tells: digests of its tree, and where it asks what day it is."""

    digests: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()


@dataclass(slots=True)
class Programs:
    """Remembers what was asked: the runs of a project run the same modules."""

    _looked: dict[tuple[str, str], Looked] = field(default_factory=dict)
    _repositories: dict[tuple[str, str], tuple[str, bool | None]] = field(default_factory=dict)

    def complete(self, code: Code) -> Code:
        """The same with digests of syntax trees, the repository's origin, and whether it had changes."""
        looked = [(*module, self._look(module)) for module in code.modules]
        modules = tuple((name, path, digests + found.digests) for name, path, digests, found in looked)
        clock = tuple(_place(path, code.repository) + one for _, path, _, found in looked for one in found.clock)
        code = replace(code, modules=modules, clock=clock)
        if not code.repository.startswith("/") or not code.commit:
            return code
        asked = code.repository, code.commit
        if asked not in self._repositories:
            self._repositories[asked] = _ask_git(*asked)
        origin, dirty = self._repositories[asked]
        known = code.dirty if code.dirty is not None else dirty
        return replace(code, repository=origin or code.repository, dirty=known)

    def _look(self, module: Module) -> Looked:
        _, path, digests = module
        source = next((one for one in digests if one.startswith("sha256:")), "")
        if not source or any(one.startswith(("ast1", "cells1")) for one in digests):
            return Looked()
        if (path, source) not in self._looked:
            self._looked[path, source] = _read(path, source)
        return self._looked[path, source]


def _read(path: str, source: str) -> Looked:
    """Nothing where the file is not what the job ran any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return Looked()
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        data = file.read() if stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST else b""
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != source:
        return Looked()
    clock = tuple(f":{line} {name}" for line, name in clock_reads(data)) if path.endswith(".py") else ()
    return Looked(tuple(one for one in code_digests(path, data) if not one.startswith("sha256:")), clock)


def _place(path: str, repository: str) -> str:
    inside = os.path.join(repository, "")
    return path[len(inside) :] if repository and path.startswith(inside) else os.path.basename(path)


def _ask_git(repository: str, commit: str) -> tuple[str, bool | None]:
    origin = _git(repository, "config", "--get", "remote.origin.url") or ""
    if _git(repository, "rev-parse", "HEAD") != commit:
        return origin, None
    changes = _git(repository, "status", "--porcelain", "--untracked-files=no")
    return origin, None if changes is None else bool(changes)


def _git(repository: str, *words: str) -> str | None:
    """What git answers; None where it does not."""
    command = ["git", "-C", repository, "--no-optional-locks", *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
