# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder count: glob patterns on the path below it.

`*` is any run of characters within one name, `?` one character, `[a-c]` and `[!a-c]` one of a set, and `**` as a whole
name any number of folders, none included. A pattern starts at the top (`*.csv` is not `a/b.csv`; `**/*.csv` is), and
one that names a folder means all that is in it. Hidden files are like any others.

    >>> select = Selection(["year=*/*.parquet"], ["year=2019"])
    >>> select.judge("year=2024/part-0.parquet"), select.judge("year=2024"), select.judge("year=2019")
    ((True, True), (False, True), (False, False))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lineagekit.errors import UsageError

_TOKEN = re.compile(r"\*+|\?|\[(!?)([^\]]+)\]|.", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^/?]*([^?]*)|[a-z][a-z0-9+.-]*://[^/]*(.*)", re.DOTALL | re.IGNORECASE)
_MAGIC = re.compile(r"[*[]|\?(?!versionId=)")  # an S3 URI may end with the version that it means


class Selection:
    """A file is wanted if an `include` pattern matches (none: any does), no `exclude` does, and `within` does."""

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = (), *, within: str = "") -> None:
        """Compile the patterns; UsageError names one that cannot be."""
        wanted, refused, glob = list(include) or ["**"], list(exclude), [within or "**"]
        self.is_everything = wanted == glob == ["**"] and not refused
        self._wanted = _compile(_match_at_or_below, wanted), _compile(_match_at_or_below, glob)
        self._on_the_way = _compile(_match_above, wanted), _compile(_match_above, glob)
        self._refused = _compile(_match_at_or_below, refused)

    def judge(self, path: str) -> tuple[bool, bool]:
        """Whether it counts if it is a file, and whether files below it may if it is a folder.

        What neither counts nor leads to anything that does is never opened, so it need not be readable.
        """
        path += "/"
        if self._refused.match(path):
            return False, False
        return all(w.match(path) for w in self._wanted), all(w.fullmatch(path) for w in self._on_the_way)


def split_glob(path: str) -> tuple[str, str]:
    """The folder in front of the first name with a `*`, `?` or `[`, and the pattern from there; no pattern: ''.

    The host or bucket of a URI is no pattern, and the `?` of a web address begins a query.

    >>> split_glob("data/year=*/part.parquet"), split_glob("*.csv"), split_glob("data/a.csv")
    (('data', 'year=*/part.parquet'), ('.', '*.csv'), ('data/a.csv', ''))
    """
    address = _ADDRESS.match(path)
    magic = _MAGIC.search(path, *(address.span(address.lastindex or 0) if address else ()))
    if not magic:
        return path, ""
    cut = path.rfind("/", 0, magic.start()) + 1
    return path[:cut].rstrip("/") or path[:cut][:1] or ".", path[cut:]


def _compile(translate: Callable[[list[str]], str], patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for any of the patterns; none matches nothing."""
    try:
        return re.compile("|".join(translate(p.strip("/").split("/")) for p in patterns) or r"(?!)", re.DOTALL)
    except re.error as error:
        raise UsageError(f"not a glob pattern: got one of {list(patterns)}, and {error}") from error


def _match_at_or_below(names: list[str]) -> str:
    """Matches the start of `path/`, so that what is below a match matches too."""
    return "".join("(?:[^/]+/)*" if name == "**" else _name(name) + "/" for name in names)


def _match_above(names: list[str]) -> str:
    """Matches all of `folder/` if that is on the way to a match, or below one."""
    way = ".*"
    for name in reversed(names):
        way = ".*" if name == "**" else f"(?:{_name(name)}/{way})?"
    return way


def _name(pattern: str) -> str:
    return "".join(map(_piece, _TOKEN.finditer(pattern)))


def _piece(token: re.Match[str]) -> str:
    text, (negated, members) = token[0], token.groups()
    if members:
        escaped = "".join(c if c == "-" else re.escape(c) for c in members)
        return f"(?!/)[{'^' if negated else ''}{escaped}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(text[:1] if text.strip("*") == "" else text, re.escape(text))
