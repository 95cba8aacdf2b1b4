# SPDX-License-Identifier: Apache-2.0
"""Scenery: files that every program opens and that are no data of its job. Asked at each open, so it must be quick.

>>> is_scenery("/usr/share/zoneinfo/UTC"), is_scenery("/work/model.so"), is_scenery("/work/orders.csv")
(True, True, False)
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIXES = (".py", ".pyc", ".pyi", ".pyo", ".so", ".pth", ".pyd", ".dylib", ".egg-link", ".lock", ".journal")
_SYSTEM = ("/usr/", "/etc/", "/proc/", "/sys/", "/dev/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/run/", "/snap/")

# Caches below a hidden folder of the home that hold data and models, not settings. A rebuild finds the others empty.
DATA_CACHES = ("huggingface/", "torch/", "keras/", "scikit-learn/", "tensorflow_datasets/", "kaggle/", "openml/")


class _Scenery:
    """What is left out in this process."""

    def __init__(self) -> None:
        prefixes = {os.path.join(os.path.realpath(p), "") for p in _prefixes()} | {
            os.path.join(p, "") for p in _prefixes()
        }
        self.prefixes = tuple(sorted(prefixes | set(_SYSTEM)))
        home = os.path.expanduser("~")
        self.hidden = os.path.join(home, ".") if home not in ("", "/") else "\0"
        self.data = tuple(
            os.path.join(home, cache, name) for cache in (".cache", ".local/share") for name in DATA_CACHES
        )
        self.data += (os.path.join(home, ".keras", ""), os.path.join(home, ".kaggle", ""))
        try:
            here = os.path.join(os.getcwd(), "")
        except OSError:
            here = "\0"
        if here.startswith(self.hidden):  # a build server's workspace
            self.data += (here,)
        self.globs: tuple[str, ...] = ()


def is_scenery(path: str) -> bool:
    """Whether an absolute path is none of the job's data."""
    if path.endswith(_SUFFIXES) or path.startswith(_scenery.prefixes):
        return True
    if path.startswith(_scenery.hidden) and not path.startswith(_scenery.data):
        return True
    return bool(_scenery.globs) and _is_left_out(path)


def _is_left_out(path: str) -> bool:
    from fnmatch import fnmatch  # 4 ms, and only where the settings name patterns

    return any(fnmatch(path, pattern) for pattern in _scenery.globs)


def leave_out(*, folders: Iterable[str] = (), globs: Iterable[str] = ()) -> None:
    """Take more for scenery: the store itself, and what the settings say."""
    _scenery.prefixes += tuple(os.path.join(folder, "") for folder in folders)
    _scenery.globs += tuple(globs)


def _prefixes() -> list[str]:
    return [p for p in {sys.prefix, sys.base_prefix, sys.exec_prefix} if p not in ("", "/")]


_scenery = _Scenery()
