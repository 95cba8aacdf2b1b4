# SPDX-License-Identifier: Apache-2.0
"""The code that really ran, and what it ran on: every project module that was imported, packages, Python, machine.

    >>> project_modules()  # doctest: +SKIP
    [('__main__', '/work/train.py'), ('features', '/work/features.py')]

A project module is one that is neither of Python nor of an installed wheel; editable installs count. Its digest is of
the bytes that lie there now, and left out where they were changed after this process began.
"""

from __future__ import annotations

import hashlib
import os
import sys

from lineagekit.agent.border import border
from lineagekit.agent.imported import imported
from lineagekit.agent.origin import commit_of, entry_point, in_notebook, repository_of
from lineagekit.agent.process import BEGAN

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


_digests: dict[str, list[str]] = {}


def say_all(run: Any, *, entry: str = "", loaded: frozenset[str] = frozenset(), began: int = 0) -> None:
    """Write what is known of code and environment into a run.

    A server that forks for each job says which program that is (`entry`), and since when (`began`) it has imported
    what was not `loaded` before.
    """
    with border("code"):
        entry = entry or entry_point()
        root = repository_of(entry or os.getcwd())
        code: dict[str, Any] = {
            "fact": "code",
            "entry": entry,
            "repository": root,
            "commit": commit_of(root) if root else "",
        }
        code["modules"] = [
            [name, path, _digest(path, BEGAN if name in loaded else began or BEGAN)]
            for name, path in project_modules(entry)
        ]
        if in_notebook():
            code["cells"] = _cells()
        run.say(code)
    with border("environment"):
        run.say({"fact": "environment", **_machine(), "packages": imported.packages, "installed": _installed()})


def project_modules(entry: str = "") -> list[tuple[str, str]]:
    """Name and path of each project module that was loaded; the program's is `__main__`."""
    entry = entry or entry_point()
    imported.look()
    found = {**imported.projects, **({entry: "__main__"} if entry.endswith(".py") else {})}
    return sorted((name, path) for path, name in found.items())


def _digest(path: str, since: int) -> list[str]:
    if path not in _digests:
        _digests[path] = _take(path, since)
    return _digests[path]


def _take(path: str, since: int) -> list[str]:
    try:
        if os.stat(path).st_mtime_ns > since:
            return []  # whatever lies there now is not what was imported
        with open(path, "rb") as file:
            return ["sha256:" + hashlib.sha256(file.read()).hexdigest()]
    except OSError:
        return []


def _cells() -> list[str]:
    """The cells of a notebook that ran, in their order, as digests."""
    from lineagekit.agent.border import describe

    try:
        cells = sys.modules["__main__"].In
        return [
            "sha256:" + hashlib.sha256(str(cell).encode("utf-8", "surrogatepass")).hexdigest() for cell in cells[1:]
        ]
    except (AttributeError, KeyError, TypeError) as error:
        return [describe(error)] if not isinstance(error, AttributeError) else []


def _machine() -> dict[str, Any]:
    system = os.uname()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": "{}.{}.{}".format(*sys.version_info),
        "implementation": sys.implementation.name,
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "hardware": {"cores": cores, "machine": system.machine, "memory": _memory()},
    }


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _installed() -> str:
    """A digest of the names and versions of all that is installed: reading 150 of them would take 135 ms."""
    names: set[str] = set()
    for folder in sys.path:
        if folder.endswith(("site-packages", "dist-packages")):
            try:
                names.update(name for name in os.listdir(folder) if name.endswith(".dist-info"))
            except OSError:
                continue
    return "sha256:" + hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "surrogateescape")).hexdigest()
