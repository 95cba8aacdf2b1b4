# SPDX-License-Identifier: Apache-2.0
"""Where a job comes from: its program, the repository that holds it, the commit that is checked out.

    >>> place_of_job()["job"]  # doctest: +SKIP
    'pipelines/train.py'

A job is named by its program's path in the repository (or its `-m` module, or its notebook), never by arguments, dates
or hosts: runs of one program are one series.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


def place_of_job() -> dict[str, Any]:
    """Job name, namespace, entry point, working folder and command line of this process."""
    entry = entry_point()
    root = repository_of(entry or working_folder())
    return {
        "job": _job_name(entry, root),
        "namespace": os.path.basename(root) or "default",
        "cwd": working_folder(),
        "entry": entry,
        "argv": list(getattr(sys, "orig_argv", None) or sys.argv),
    }


def working_folder() -> str:
    """The working folder; '' where it was removed under us."""
    try:
        return os.getcwd()
    except OSError:
        return ""


_entry = ""


def entry_point() -> str:
    """The program that was started, as an absolute path; '' for `-c` and for a prompt.

    Found once: Python forgets it before the functions of `atexit` run.
    """
    global _entry
    _entry = _entry or _find_entry()
    return _entry


def _find_entry() -> str:
    main = sys.modules.get("__main__")
    if in_notebook():
        return notebook_path(main)
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    return os.path.abspath(path) if path and path not in ("-c", "-m", "-") and os.path.exists(path) else ""


def notebook_path(main: Any) -> str:
    """The notebook that this kernel runs, where its front end tells."""
    return str(getattr(main, "__vsc_ipynb_file__", "") or os.environ.get("JPY_SESSION_NAME", ""))


_cells_run = False


def in_notebook() -> bool:
    """Whether a kernel runs cells here: such a session is a run until `flush`. A script may import its package, too."""
    global _cells_run  # what tells it is gone before the functions of `atexit` run
    _cells_run = _cells_run or ("ipykernel" in sys.modules and hasattr(sys.modules.get("__main__"), "In"))
    return _cells_run


def repository_of(path: str) -> str:
    """The folder upward that is a git work tree; '' if none is."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while folder:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        if folder == os.path.dirname(folder):
            break
        folder = os.path.dirname(folder)
    return ""


def commit_of(root: str) -> str:
    """What is checked out, read from git's own files: starting git would cost the job several milliseconds."""
    git = os.path.join(root, ".git")
    if os.path.isfile(git):  # a work tree or submodule: the file says where
        git = os.path.join(root, _read(git).partition("gitdir:")[2].strip())
    head = _read(os.path.join(git, "HEAD")).strip()
    if not head.startswith("ref:"):
        return head
    reference = head[4:].strip()
    common = os.path.join(git, _read(os.path.join(git, "commondir")).strip() or ".")
    for folder in (git, common):
        commit = _read(os.path.join(folder, reference)).strip()
        if commit:
            return commit
    for line in _read(os.path.join(common, "packed-refs")).splitlines():
        if line.endswith(" " + reference):
            return line.partition(" ")[0]
    return ""


def _job_name(entry: str, root: str) -> str:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    name = getattr(spec, "name", "") or ""
    if name and name != "__main__":  # python -m package.module
        return name[: -len(".__main__")] if name.endswith(".__main__") else name
    if entry:
        for folder in ("site-packages", "dist-packages"):
            mark = f"{os.sep}{folder}{os.sep}"
            if mark in entry:  # a script of somebody's package, wherever that is installed
                return entry.rpartition(mark)[2].replace(os.sep, "/")
        if os.path.dirname(entry) == os.path.join(sys.prefix, "bin"):
            return os.path.basename(entry)
        inside = root and entry.startswith(os.path.join(root, ""))
        return os.path.relpath(entry, root).replace(os.sep, "/") if inside else os.path.basename(entry)
    if in_notebook():
        return "notebook"
    return "python -c" if sys.argv[:1] == ["-c"] else "python"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
