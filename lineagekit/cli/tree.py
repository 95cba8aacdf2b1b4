# SPDX-License-Identifier: Apache-2.0
r"""A trace as lines of text: a tree of what was read, and by which run it was written.

>>> printable("a\x1b[31m"), cut("/data/features/orders.parquet", 20)
('a\\x1b[31m', '...es/orders.parquet')
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping

from lineagekit.cli.times import moment
from lineagekit.graph.details import Detail
from lineagekit.graph.outline import Branch, More, Outline, Writing
from lineagekit.graph.roots import Root
from lineagekit.graph.steps import Version
from lineagekit.graph.trace import Trace
from lineagekit.store.found import Run

_RUN = 13
"""Characters of a run's id: those that tell the millisecond in which it began."""
_LEAST = 12
"""Columns that a name has at least, however deep it stands."""
_DEEP = 8
"""Levels of the tree that are drawn."""
_LONGEST_VALUE = 20
_PLACES = {(False, False): "├─ ", (True, False): "└─ ", (False, True): "│  ", (True, True): "   "}


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return max(shutil.get_terminal_size((80, 24)).columns, 40)


def printable(text: str) -> str:
    """A name that moves no cursor and hides nothing."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def cut(text: str, room: int) -> str:
    """The end of a name that is too long, for that tells more than its beginning."""
    text, room = printable(text), max(room, _LEAST)
    return text if len(text) <= room else "..." + text[3 - room :]


def fitted(before: str, name: str, after: str, columns: int) -> str:
    """A line in which the name gives way."""
    return f"{before}{cut(name, columns - len(before) - len(after))}{after}".rstrip()


def identity(version: Version) -> str:
    """The beginning of a digest, what another system calls it, or "?" where neither is known."""
    shown = printable(version.short)
    if version.identity == "pin":
        return f"pin {shown}"
    return f"{shown}  pin {printable(version.pin)}" if version.pin else shown


class Tree:
    """The lines of a trace. `detail` is asked for each run that stands alone."""

    def __init__(self, trace: Trace, detail: Callable[[str], Detail], *, columns: int) -> None:
        """Nothing is looked up before it is shown."""
        self._outline, self._detail, self._columns = Outline(trace), detail, columns
        self.marks: dict[str, None] = {}
        """Signs that were used and want to be explained."""

    def lines(self, root: Root) -> Iterator[str]:
        """From what was made down to where it came from."""
        for item in self._outline.items(root):
            if isinstance(item, Branch):
                yield self._branch(item)
            elif isinstance(item, More):
                yield self._more(item)
            else:
                yield from self._writing(item)

    def _branch(self, branch: Branch) -> str:
        versions = list(branch.versions.values())
        facts = []
        if len(versions) == 1:
            facts += [identity(versions[0])]
        else:
            facts += [f"{len(versions):,} versions"]
            facts += ["?"] if any(version.identity == "name" for version in versions) else []
        if branch.parts and branch.reads == 1:
            facts += [f"{branch.parts:,} part{'' if branch.parts == 1 else 's'}"]
        facts += [] if branch.writings else ["source"]
        facts += ["see above"] if branch.is_above and not branch.unwritten else []
        if "?" in facts:
            self.marks["?"] = None
        return fitted(_prefix(branch.place, True), branch.title, "".join(f"  {fact}" for fact in facts), self._columns)

    def _more(self, more: More) -> str:
        told = [f"{more.unwritten:,} of them sources"] if more.unwritten else []
        told += [f"written by {more.runs:,} runs"] if more.runs else []
        return f"{_prefix(more.place, True)}... and {more.inputs:,} more inputs, {', '.join(told)}"

    def _writing(self, writing: Writing) -> Iterator[str]:
        prefix = _prefix(writing.place, False)
        mark = "~ " if writing.is_weak else ""
        if mark:
            self.marks["~"] = None
        if writing.via:
            names = sorted(writing.via)
            what = "copy of" if writing.how == {"copy"} else "as"
            name = names[0] if len(names) == 1 else f"{len(names):,} other names"
            yield fitted(f"{prefix}{mark}{what} ", name, "", self._columns)
        before = f"{prefix}{mark}"
        if len(writing.runs) > 1:
            yield self._runs(before, writing)
            return
        run = writing.runs[0]
        before += f"{writing.parts:,} parts by " if writing.parts > 1 else "by "
        after = f"{_state(run)}  {moment(run.began)[:16]}  {run.run[:_RUN]}{_seen(writing)}"
        yield fitted(before, run.job, after, self._columns)
        if not writing.is_above and not writing.is_beyond:
            yield from self._details(prefix, run)

    def _runs(self, before: str, writing: Writing) -> str:
        first, last = (moment(writing.runs[place].began)[:10] for place in (0, -1))
        when = (f", {first}" if first == last else f", {first} .. {last}") + _seen(writing)
        if writing.folded:
            count = writing.folded[writing.job]
            others = sum(writing.folded.values()) - count
            jobs = len(writing.folded) - 1
            more = f" and {others:,} of {jobs} job{'' if jobs == 1 else 's'} between them" if others else ""
            return fitted(
                f"{before}... {count:,} earlier run{'' if count == 1 else 's'} of ",
                writing.job[1],
                more + when,
                self._columns,
            )
        parts = f"{writing.parts:,} parts " if writing.parts else ""
        return fitted(f"{before}{parts}by {len(writing.runs):,} runs of ", writing.job[1], when, self._columns)

    def _details(self, prefix: str, run: Run) -> Iterator[str]:
        detail = self._detail(run.run)
        code = _code(detail, run)
        before = f"{prefix}   {code}"
        room = self._columns - len(before) - (2 if code else 0)
        params = _params(detail.params, room)
        if told := "  ".join(filter(None, (code, params))):
            yield f"{prefix}   {told}"


def _prefix(place: tuple[bool, ...], is_branch: bool) -> str:
    """The lines that lead to a place in the tree; a deep one is told by its number."""
    if not place:
        return ""
    deep = f"[{len(place)}] " if len(place) > _DEEP else ""
    near = place[-_DEEP:]
    return deep + "".join(_PLACES[last, True] for last in near[:-1]) + _PLACES[near[-1], not is_branch]


def _state(run: Run) -> str:
    return "" if run.state == "COMPLETE" else f"  {run.state or 'not heard of'}"


def _seen(writing: Writing) -> str:
    return "  see above" if writing.is_above else "  not followed" if writing.is_beyond else ""


def _code(detail: Detail, run: Run) -> str:
    entry = "" if detail.entry in ("", run.job) else f" {cut(detail.entry, 0)}"
    if detail.commit:
        return f"code {printable(detail.commit[:12])}{' with changes' if detail.dirty else ''}{entry}"
    return f"code {printable(detail.digest.rpartition(':')[2][:12])}{entry}" if detail.digest else ""


def _params(params: Mapping[str, str], room: int) -> str:
    """As many as there is room for."""
    told = ""
    for count, (name, value) in enumerate(params.items()):
        value = value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 3] + "..."
        one = printable(f"{name}={value}")
        left = len(params) - count - 1
        more = f" +{left}" if left else ""
        if len(told) + len(one) + 1 + len(more) > room:
            return f"{told} +{left + 1}" if told else ""
        told = f"{told} {one}" if told else one
    return told
