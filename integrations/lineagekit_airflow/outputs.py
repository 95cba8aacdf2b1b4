# SPDX-License-Identifier: Apache-2.0
"""Digests of what a task has written, taken in the task: nowhere else are the bytes certain to be its own.

    >>> say_digests(run)  # doctest: +SKIP

Downstream tasks may start before anybody outside can look, and settling may be hours away on another schedule. Whoever
settles takes `blake3:` of the same file as long as nothing has changed; after that, this is what is known.
"""

from __future__ import annotations

import os
import stat

from lineagekit.agent.border import border
from lineagekit.agent.evidence import Evidence

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

limit = 256 << 20
"""Bytes of all outputs of a task together: about a third of a second. `hash_in_task` of the transport changes it."""

_DATABASES = (".db", ".db3", ".sqlite", ".sqlite3", ".duckdb")
"""To open a database file and close it again takes away the locks that this very process holds on it."""


def say_digests(run: Any) -> None:
    """Each small output, the smallest first, once."""
    left = limit
    files = []
    for path in run.ledger.outputs():
        with border("digest"):
            found = os.stat(path)
            if stat.S_ISREG(found.st_mode) and not path.endswith(_DATABASES) and not run.ledger.is_in_doubt(path):
                files.append((found.st_size, path, Evidence.of(found)))
    for size, path, evidence in sorted(files):
        left -= size
        if left < 0:
            break
        with border("digest"):
            digest = _sha256(path, evidence)
            if digest:
                run.say({"fact": "taken", "path": path, "evidence": evidence, "digest": digest})


def _sha256(path: str, evidence: Evidence) -> str:
    """The digest of the bytes that had this evidence before and after; "" if somebody was at them."""
    from hashlib import sha256

    hasher = sha256()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        while block := os.read(descriptor, 1 << 20):
            hasher.update(block)
        return f"sha256:{hasher.hexdigest()}" if Evidence.of(os.fstat(descriptor)) == evidence else ""
    finally:
        os.close(descriptor)
