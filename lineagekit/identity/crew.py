# SPDX-License-Identifier: Apache-2.0
"""A crew that hashes batches of small files: threads of this process, and for a large tree a helper process each.

Python threads that make one short system call after another take turns instead of working side by side. A helper is
a bare interpreter that reads requests from a pipe (`batch.serve`). It starts in 10 ms, so small trees do without.

    >>> with closing(Crew("blake3", device, threads=2)) as crew:  # doctest: +SKIP
    ...     stats, digests, doubtful = crew.read(b"data/", [b"a.csv"])
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, cast

from lineagekit.identity.batch import Batch, read_batch, receive, send
from lineagekit.identity.mounts import is_local

_PROGRAM = """
import sys
from marshal import loads
sys.path[:] = loads(sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "little")))
from lineagekit.identity.batch import serve
serve()
"""

WORTH_HELPERS = 4
"""Batches that take longer in this process than helpers take to start."""


class Crew:
    """One reader for each thread that will call: this process at first (None), a helper when there is much to do."""

    def __init__(self, algorithm: str, device: int, *, threads: int) -> None:
        """Start nothing yet."""
        self._algorithm, self._device, self._is_local = algorithm, device, is_local(device)
        self._can_grow, self._grows = threads > 1 and _runs_python(), False
        self._readers: SimpleQueue[_Helper | None] = SimpleQueue()
        for _ in range(threads):
            self._readers.put(None)

    def grow(self) -> None:
        """There is much to do: from now on a helper takes the place of each reader."""
        self._grows = self._can_grow

    def read(self, root: bytes, paths: list[bytes]) -> Batch:
        """Hash one batch with a free reader; where the clock is another machine's, every file is doubtful."""
        if not self._is_local:
            return b"", b"", list(range(len(paths)))
        request = (root, paths, self._algorithm, self._device)
        reader = self._readers.get()
        try:
            if reader is None and self._grows:
                reader = _Helper()
            return reader.read_batch(request) if reader else read_batch(*request)
        except (OSError, EOFError, ValueError):  # no helper, or it died: slower from here on, and never wrong
            if reader:
                reader.close()
            self._can_grow, self._grows, reader = False, False, None
            return read_batch(*request)
        finally:
            self._readers.put(reader)

    def close(self) -> None:
        """Send the helpers home."""
        with suppress(Empty):
            while True:
                if reader := self._readers.get_nowait():
                    reader.close()


class _Helper:
    """A bare Python process and the two pipes to it."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        # A process group of its own: Ctrl-C is for the parent, which closes the pipe.
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, process_group=0)
        self._requests = cast(IO[bytes], self._process.stdin)
        self._replies = cast(IO[bytes], self._process.stdout)
        try:
            send(self._requests, [os.path.abspath(folder) for folder in sys.path])
        except OSError:
            self.close()
            raise

    def read_batch(self, request: tuple[bytes, list[bytes], str, int]) -> Batch:
        """Let the helper do it; EOFError if it has gone."""
        send(self._requests, request)
        reply = receive(self._replies)
        if reply is None:
            raise EOFError
        return cast(Batch, reply)

    def close(self) -> None:
        """End the helper and wait until it has gone."""
        with suppress(OSError):  # a dead helper's pipe cannot be flushed
            self._requests.close()
        self._replies.close()
        self._process.wait()


def _runs_python() -> bool:
    """An embedded or frozen interpreter has another program's name, which must not be started."""
    return "python" in os.path.basename(sys.executable or "") and not getattr(sys, "frozen", False)
