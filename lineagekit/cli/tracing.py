# SPDX-License-Identifier: Apache-2.0
r"""What is said above and below the tree of a trace, and of the ways between two things.

>>> print(*coverage_lines(found, {}, 80), sep="\n")  # doctest: +SKIP
47 runs; 168 inputs: 168 by content
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from lineagekit.cli.times import moment
from lineagekit.cli.tree import cut, fitted, identity, printable
from lineagekit.graph.roots import Readers, Root, Source
from lineagekit.graph.trace import Trace
from lineagekit.store.found import Metric

if TYPE_CHECKING:
    from lineagekit.graph.paths import Paths, Place

_SHOWN = 5
_SIGNS = {
    "~": "~  who wrote it is known by run times or by equal bytes elsewhere only",
    "?": "?  the bytes that were read are not known",
}


def root_lines(found: Trace, root: Root, columns: int) -> Iterator[str]:
    """What was meant."""
    version = root.version
    if root.model:
        number = f" version {root.number}" if root.number else ""
        yield printable(root.model) + number + (f", {_nth(root)}" if root.of > 1 else "")
    if version is None:
        yield from _run(found, root, columns)
    else:
        shown = "" if root.source and version.identity == "name" else f"  {identity(version)}"
        size = f"  {version.size:,} bytes" if version.size is not None else ""
        yield fitted("", version.dataset.title, shown + size, columns)
    if root.source is not None:
        yield from _source(root.source, columns)
    elif root.as_read:
        yield "as its last reader found it; no run wrote it by the name that was asked for"
    elif not root.model and root.of > 1:
        parts = f", which wrote {_count(root.parts, 'part')} of it" if root.parts else ""
        yield f"written by {root.of:,} runs; this is the newest{parts}"
    yield from _metrics(root.metrics, columns)


def _nth(root: Root) -> str:
    return f"the newest of {root.of:,}" if root.nth == root.of else f"number {root.nth:,} of {root.of:,}"


def _run(found: Trace, root: Root, columns: int) -> Iterator[str]:
    """A run, with what it wrote."""
    if root.run is not None:
        yield f"run {root.run.run}"
        outputs = [version for step in found.steps if step.run == root.run for version in step.outputs]
        for version in outputs[:_SHOWN]:
            yield fitted("wrote ", version.dataset.title, f"  {identity(version)}", columns)
        if len(outputs) > _SHOWN:
            yield f"... and {len(outputs) - _SHOWN:,} more"


def coverage_lines(found: Trace, signs: Iterable[str], columns: int) -> Iterator[str]:
    """How much of the answer is known, and how surely."""
    coverage = found.coverage
    yield from (_SIGNS[sign] for sign in _SIGNS if sign in signs)
    if not found.steps:
        return
    yield from _wrapped(f"{_count(len(found.steps), 'run')}; {coverage.summary}", columns)
    titles = sorted({version.dataset.title for version in found.sources})
    if titles:
        yield from _wrapped(f"sources, which no recorded run wrote: {_some(titles, columns)}", columns)
    if coverage.unknown:
        yield from _wrapped(f"bytes not known of: {_some(sorted(coverage.unknown), columns)}", columns)
        yield "to find out why, and what to do: lineagekit doctor --lineage"
    if found.beyond:
        yield f"{_count(len(found.beyond), 'more run')} behind these were not followed (--depth {found.depth})"
    yield from _wrapped(f"strength: {_strength(found)}", columns)


def path_lines(found: Paths, columns: int) -> Iterator[str]:
    """The ways, one below the other."""
    first, last = printable(found.first), printable(found.last)
    if not found.total:
        yield from _wrapped(f"nothing was recorded that leads from {first} to {last}, or back", columns)
        return
    count = f"{found.total:,}{'' if found.is_exact else ' or more'} way{'' if found.total == 1 else 's'}"
    shown = f", the {len(found.ways)} shortest" if found.total > len(found.ways) else ""
    known = "from run to run" if found.by == "run" else "by name only"
    yield from _wrapped(f"{last} was made of {first}: {count}, {known}{shown}", columns)
    for number, way in enumerate(found.ways, 1):
        for position, place in enumerate(way):
            yield _place(place, f"{number:2}. " if not position else "    ", columns)
    places = [place for way in found.ways for place in way]
    if any(place.is_weak for place in places):
        yield _SIGNS["~"]
    if any(place.node and place.node.version and place.node.version.identity == "name" for place in places):
        yield _SIGNS["?"]
    if found.by == "run":
        yield from _wrapped(f"{found.coverage.summary} (of all that {last} came from)", columns)


def _place(place: Place, before: str, columns: int) -> str:
    run = place.node.run if place.node else None
    version = place.node.version if place.node else None
    if place.kind == "job":
        after = f"  {moment(run.began)[:16]}  {run.run[:13]}" if run else ""
        return fitted(f"{before}-> ", place.title, after, columns)
    mark = "~ " if place.is_weak else ""
    return fitted(f"{before}{mark}", place.title, f"  {printable(version.short)}" if version else "", columns)


def _source(source: Source, columns: int) -> Iterator[str]:
    yield "a source: no recorded run wrote it"
    if source.since is None:
        yield "no run read it either"
    else:
        last = source.versions[0].last
        yield f"{_count(source.total, 'version')}, read {moment(source.since)[:16]} .. {moment(last)[:16]}"
    for one in source.versions[:_SHOWN]:
        reads = _count(one.reads, "read")
        yield fitted(
            "  ", one.version.short, f"  {moment(one.first)[:16]} .. {moment(one.last)[:16]}  {reads}", columns
        )
    if source.total > _SHOWN:
        yield f"  ... and {source.total - _SHOWN:,} older ones"
    for reader in source.readers[: _SHOWN * 2]:
        yield _reader(reader, columns)
    if len(source.readers) > _SHOWN * 2:
        yield f"... and {len(source.readers) - _SHOWN * 2:,} more jobs"


def _reader(reader: Readers, columns: int) -> str:
    last = f", last {moment(reader.last)[:16]}" if reader.last else ""
    return fitted("read by ", reader.job, f"  {_count(reader.runs, 'run')}{last}", columns)


def _metrics(metrics: Iterable[Metric], columns: int) -> Iterator[str]:
    told = []
    for one in metrics:
        value = f"{one.value:g}" if isinstance(one.value, float) else one.value
        told.append(printable(f"{one.name}={value}" + (f" on {cut(one.on, columns // 2)}" if one.on else "")))
    if told:
        yield from _wrapped(f"metrics  {', '.join(dict.fromkeys(told))}", columns)


def _strength(found: Trace) -> str:
    coverage = found.coverage
    if not any(step.inputs for step in found.steps):
        return "nothing that was read was recorded"
    if coverage.name:
        weakest = "name only, for the bytes that are not known"
    elif coverage.pin:
        weakest = "versions of other systems, which do not vouch for bytes"
    else:
        weakest = "content: every input is known by its bytes"
    return weakest + ("; uncertain where marked ~" if coverage.weak else "")


def _some(titles: list[str], columns: int) -> str:
    shown = ", ".join(cut(title, columns // 2) for title in titles[:_SHOWN])
    return shown + (f" and {len(titles) - _SHOWN:,} more" if len(titles) > _SHOWN else "")


def _wrapped(text: str, columns: int) -> list[str]:
    return wrap(text, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
