# SPDX-License-Identifier: Apache-2.0
"""Which engine hashes on an executor, whose process does many small tasks and may have no compiled code yet.

    >>> choose_engine(words=1000).name
    'pure'

numba takes a second to load, and 20 to compile where nobody has before: on each machine, or in each process where no
folder can be written. So a process is asked how much it has hashed in all, whatever the task.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lineagekit.errors import MissingExtraError
from lineagekit.identity.tables import engine as engines

_LOADING_PAYS_FROM_WORDS = 2_000_000
_COMPILING_PAYS_FROM_WORDS = 100_000_000  # by then as much time has gone as compiling takes


class _Work:
    """What this process has hashed since it began."""

    words = 0


def choose_engine(words: int) -> engines.Engine:
    """Compiled where this process has enough to do; `words` are those of the rows that come next."""
    _Work.words += words
    if _Work.words < _LOADING_PAYS_FROM_WORDS or not _can_load():
        return engines.choose_engine(words=0, name="pure")
    fast = _Work.words >= _COMPILING_PAYS_FROM_WORDS or _is_compiled()
    return engines.choose_engine(words=0, name="fast" if fast else "pure")


@lru_cache(maxsize=1)
def _can_load() -> bool:
    try:
        engines.choose_engine(words=0, name="fast")
    except (MissingExtraError, ImportError, RuntimeError, OSError):  # numba raises the last two without a folder
        return False
    return True


@lru_cache(maxsize=1)
def _is_compiled() -> bool:
    """Whether numba's folder holds code; of another release or processor it would be compiled again, and no harm."""
    from lineagekit.identity.tables import lanes

    return any(Path(lanes.hash_rows.stats.cache_path).glob("lanes.*.nbi"))
