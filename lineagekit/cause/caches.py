# SPDX-License-Identifier: Apache-2.0
"""Caches of the user: what they hold is of other builds, so a rebuild finds them empty, but for what was downloaded.

>>> list(hidden([Path("/home/ann/churn")]))  # doctest: +SKIP
[PosixPath('/home/ann/.cache')]
>>> list(kept(Path("/home/ann/.cache")))  # doctest: +SKIP
[PosixPath('/home/ann/.cache/huggingface'), PosixPath('/home/ann/.cache/uv')]

Features that a script keeps there were made by the code of some build before: nothing tells of which one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lineagekit.agent.scenery import DATA_CACHES, is_scenery
from lineagekit.cause import mounts

_PROGRAMS = ("coursier", "pdm", "pip", "pypoetry", "rattler", "uv")
"""Caches of packages, and of environments in which commands run."""
_PATHS = ("PATH", "PYTHONPATH")
_HOMES = {"HF_HOME": "huggingface", "TORCH_HOME": "torch"}
"""Variables by which a kept folder is found at its own place, where the record knows it."""


def hidden(roots: Iterable[Path]) -> Iterator[Path]:
    """Folders, real ones, that a command is to find empty: none that is a root, or one of which reads are recorded."""
    roots = tuple(roots)
    for folder in dict.fromkeys(Path(os.path.realpath(one)) for one in _named()):
        is_recorded = any(folder.is_relative_to(root) for root in roots) and not is_scenery(str(folder / "file"))
        if folder.is_dir() and folder not in roots and not is_recorded and not _is_more(folder):
            yield folder


def kept(cache: Path) -> Iterator[Path]:
    """What lies in it and can be read all the same: folders, and links to some."""
    names = (*(name.rstrip("/") for name in DATA_CACHES), *_PROGRAMS)
    found = {cache / name for name in names} | {one for one in _programs() if cache in one.parents}
    yield from sorted(one for one in found if one.is_dir())


def set_apart(folder: Path) -> None:
    """Make this one for a command that would see the real ones: with links to what is kept of these."""
    folder.mkdir()
    for name, one in _by_name().items():
        (folder / name).symlink_to(one)


def variables(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What leads programs to the folder that was set apart."""
    found = _by_name()
    homes = {variable: str(found[name]) for variable, name in _HOMES.items() if name in found}
    return {"XDG_CACHE_HOME": str(folder), **{one: homes[one] for one in homes.keys() - environ.keys()}}


def _by_name() -> dict[str, Path]:
    return {one.name: one for cache in map(Path, _named()) for one in kept(cache) if one.parent == cache}


def _named() -> Iterator[str]:
    yield os.path.expanduser("~/.cache")
    if os.path.isabs(told := os.environ.get("XDG_CACHE_HOME", "")):
        yield told


def _is_more(folder: Path) -> bool:
    """Not a cache alone: the home lies in it, or it is where all temporary files are."""
    users = Path(os.path.realpath(os.path.expanduser("~")))
    return users.is_relative_to(folder) or os.fsencode(folder) in mounts.TEMPORARY


def _programs() -> Iterator[Path]:
    """Where programs and modules are found."""
    told = [part for name in _PATHS for part in os.environ.get(name, "").split(os.pathsep) if os.path.isabs(part)]
    for folder in map(os.path.realpath, (sys.prefix, sys.base_prefix, *told)):
        yield Path(folder)
        if os.path.basename(folder) == "bin":  # its libraries lie beside it
            yield Path(folder).parent
