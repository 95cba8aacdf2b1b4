# SPDX-License-Identifier: Apache-2.0
"""The note for `lineagekit doctor`: why the last session was not recorded, in the store, until one is.

    >>> note_trouble("/data/.lineagekit", "no jar: ...")  # doctest: +SKIP

A session that only attaches has no run of its own whose troubles could be told.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

NOTE = "spark.json"


def note_trouble(folder: str, what: str) -> None:
    """Write it down, whole or not at all. Raises OSError."""
    from json import dumps

    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, NOTE)
    draft = f"{path}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(dumps({"at": time.time_ns(), "what": what}))
    os.replace(draft, path)


def forget_trouble(folder: str) -> None:
    """The last session is recorded."""
    with suppress(OSError):
        os.unlink(os.path.join(folder, NOTE))
