# SPDX-License-Identifier: Apache-2.0
r"""Saved digests, one `digest  name` a line as `b3sum` and `sha256sum` have it: written, read, taken again.

>>> print(format_line("blake3:00", "a.csv"))
blake3:00  a.csv
>>> print(format_line("blake3:00", "two\nlines"))
\blake3:00  two\nlines
>>> read_line(format_line("blake3:00", "two\nlines"))
(Digest(algorithm='blake3', hex='00', parameters=()), 'two\nlines')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lineagekit.errors import BadDataError, LineagekitError, NotFoundError, UnreadableError
from lineagekit.identity.digest import Digest
from lineagekit.identity.snapshot import Snapshot

Take = Callable[[Digest, str], Snapshot]

_SOME_BYTES = Digest("blake3", "00")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escape: character for character, escape in _ESCAPES.items()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What taking one saved digest again came to."""

    name: str
    expected: Digest
    verdict: Literal["OK", "FAILED", "MISSING"]
    detail: str = ""

    def __str__(self) -> str:
        """One line, as `sha256sum -c` prints it."""
        mark, name = _escape(self.name)
        return f"{mark}{name}: {self.verdict}" + (f" ({self.detail})" if self.detail else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {**asdict(self), "expected": str(self.expected)}


def format_line(digest: object, name: str) -> str:
    """`digest  name` on one line, whatever the name: a leading backslash says that the name is escaped."""
    mark, escaped = _escape(name)
    return f"{mark}{digest}  {escaped}"


def read_line(line: str) -> tuple[Digest, str]:
    """The digest and the name of one line; BadDataError where it is not one of ours."""
    digest, gap, name = line.removeprefix("\\").partition("  ")
    if not (gap and name):
        raise BadDataError(f"not a saved digest: got {line!r}, expected a digest, two spaces and a name")
    return Digest.parse(digest), _unescape(name) if line.startswith("\\") else name


def read_list(lines: Iterable[str], *, source: str) -> Iterator[tuple[Digest, str]]:
    """Every digest of a saved list with its name; an error says which line of `source` is none."""
    for number, line in enumerate(lines, 1):
        try:
            yield read_line(line.removesuffix("\n").removesuffix("\r"))
        except BadDataError as error:
            raise BadDataError(
                f"line {number} of {source} is {error.message}", advice="Make lists with: lineagekit fingerprint"
            ) from error


def compare(expected: Digest, name: str, take: Take) -> Verdict:
    """Take a saved digest again, in the way that its name says."""
    try:
        snapshot = take(expected, name)
    except LineagekitError as error:
        gone = _is_missing(error) and not _is_there(name, take)
        return Verdict(name, expected, "MISSING") if gone else Verdict(name, expected, "FAILED", str(error))
    if expected in snapshot.digests:
        return Verdict(name, expected, "OK")
    got = [f"got {digest}" for digest in snapshot.digests if digest.algorithm == expected.algorithm]
    return Verdict(name, expected, "FAILED", *got or [snapshot.reason or f"no {expected.algorithm} digest any more"])


def _is_missing(error: LineagekitError) -> bool:
    return isinstance(error, NotFoundError) and not isinstance(error, UnreadableError)


def _is_there(name: str, take: Take) -> bool:
    """Whether something has the name: what was not found may be a column, and the bytes need none."""
    try:
        take(_SOME_BYTES, name)
    except LineagekitError as error:
        return not _is_missing(error)
    return True


def _escape(name: str) -> tuple[str, str]:
    escaped = re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], name)
    return ("\\" if escaped != name else ""), escaped


def _unescape(name: str) -> str:
    return re.sub(r"\\[\\nr]", lambda found: _UNESCAPES[found[0]], name)
