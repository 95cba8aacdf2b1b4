# SPDX-License-Identifier: Apache-2.0
"""Two whose bytes are at hand: bytes first, then files, then what is in them, as far as that is needed.

>>> compare_places(At("a.csv", "a.csv", "file"), At("b.csv", "b.csv", "file"), Job()).verdict  # doctest: +SKIP
'changed (1 row, columns amount)'
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from lineagekit.differ.at import At, digest_of, head_of, is_same_file, manifest_of, size_of, source_of
from lineagekit.differ.changes import FileChange, FileChanges
from lineagekit.differ.content import compare_content, open_both
from lineagekit.differ.difference import Difference
from lineagekit.differ.files import compare_manifests
from lineagekit.differ.job import Job
from lineagekit.differ.steps import Steps, size_text
from lineagekit.differ.text import LONGEST, as_text, compare_texts
from lineagekit.differ.verdict import Verdict, files_verdict, footer_verdict, table_verdict, text_verdict
from lineagekit.errors import BadDataError
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.tables.sources import is_table

_MOST_PARTS = 20
"""Files of a folder that are compared one by one, beyond that they changed."""


def compare_places(a: At, b: At, job: Job) -> Difference:
    """Compare two files, objects, folders, prefixes; NotFoundError where one is gone meanwhile."""
    steps = job.steps()
    if a.is_one and b.is_one:
        return _files(a, b, job, steps)
    if not a.is_one and not b.is_one:
        return _folders(a, b, job, steps)
    return _folder_and_file(a, b, job, steps)


def _files(a: At, b: At, job: Job, steps: Steps) -> Difference:
    with steps.step("bytes") as step:
        same, told = _same_bytes(a, b, job, steps)
        step.found(not same, told)
    if same:
        return _difference(a, b, steps, ("identical", "identical bytes"))
    if _is_table(a) and _is_table(b):
        return _tables((a, b), ([a], [b]), job, steps)
    if _is_table(a) != _is_table(b):
        words = ["a table" if _is_table(one) else _what(one, job) for one in (a, b)]
        return _difference(a, b, steps, ("not comparable", f"not comparable ({words[0]} against {words[1]})"))
    texts = [as_text(head_of(one, job.hashing(), LONGEST + 1)) for one in (a, b)]
    before, after = texts
    if before is None or after is None or max(len(before), len(after)) > LONGEST:
        return _difference(a, b, steps, ("changed", f"changed ({told})"))
    with steps.step("text") as step:
        text = compare_texts(before, after)
        step.found(bool(text.added or text.removed), f"+{text.added:,} -{text.removed:,} lines")
    return _difference(a, b, steps, text_verdict(text), text=text)


def _same_bytes(a: At, b: At, job: Job, steps: Steps) -> tuple[bool, str]:
    """By size where that suffices, else by digest."""
    sizes = size_of(a), size_of(b)
    if is_same_file(a, b):
        return True, "one and the same file"
    if None not in sizes and sizes[0] != sizes[1] and _is_table(a) and _is_table(b):
        return False, f"{size_text(sizes[0] or 0)} and {size_text(sizes[1] or 0)}"
    digests = [digest_of(one, job.hashing(steps)) for one in (a, b)]
    if digests[0] == digests[1]:
        return True, f"{digests[0].algorithm}:{digests[0].hex[:12]}"
    told = " and ".join(_named(size, digest.hex) for size, digest in zip(sizes, digests, strict=True))
    return False, told


def _named(size: int | None, hex_: str) -> str:
    return f"{hex_[:12]}" if size is None else f"{size_text(size)} {hex_[:12]}"


def _is_table(at: At) -> bool:
    return is_table(at.path)


def _what(at: At, job: Job) -> str:
    if not at.is_one:
        return at.words
    head = head_of(at, job.hashing(), 1 << 16).rpartition(b"\n")  # a cut line may end within a character
    return "a text" if as_text(head[0] or head[2]) is not None else "a binary file"


def _folders(a: At, b: At, job: Job, steps: Steps) -> Difference:
    with steps.step("files") as step:
        manifests = [manifest_of(one, job.hashing(steps)) for one in (a, b)]
        files = compare_manifests(*manifests)
        step.found(bool(files), _files_told(files))
    if not files:
        return _difference(a, b, steps, ("identical", "identical bytes"), files=files)
    names = {one.path for one in (*files.added, *files.removed, *files.changed)}
    data = {name for name in names if not _is_hidden(name)}
    if _are_tables(data) and _are_tables([*_data_files(manifests[0]), *_data_files(manifests[1])]):
        if not data:
            what = "files renamed" if files.renamed else "other hidden files"
            return _difference(a, b, steps, ("same content", f"same content, {what}"), files=files)
        return _table_sets(a, b, manifests, files, job, steps)
    parts = tuple(_part(a, b, one, job) for one in files.changed[:_MOST_PARTS])
    if len(files.changed) > _MOST_PARTS:
        steps.skip("parts", f"only the first {_MOST_PARTS} of {len(files.changed):,} changed files were looked into")
    return _difference(a, b, steps, files_verdict(files), files=files, parts=parts)


def _part(a: At, b: At, one: FileChange, job: Job) -> Difference:
    return compare_places(a.below(one.path), b.below(one.path), job)


def _files_told(files: FileChanges) -> str:
    counts = f"{files.before:,}" if files.before == files.after else f"{files.before:,} and {files.after:,}"
    words = [(len(getattr(files, word)), word) for word in ("changed", "added", "removed", "renamed")]
    told = ", ".join(f"{count:,} {word}" for count, word in words if count)
    return f"{counts} files" + (f": {told}" if told else "")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def _data_files(manifest: Manifest) -> list[str]:
    names = (path.decode("utf-8", "surrogateescape") for path in manifest.paths)
    return [name for name in names if not _is_hidden(name)]


def _are_tables(names: Sequence[str] | set[str]) -> bool:
    """Going by their names: opening each of a thousand files would be reading them."""
    return all(is_table(f"\0/{name}") for name in names)  # no file has such a path, so the name has to tell


def _table_sets(a: At, b: At, manifests: Sequence[Manifest], files: FileChanges, job: Job, steps: Steps) -> Difference:
    """Only the files that differ are opened; of a side without any, another one for its columns."""
    before = [one.path for one in (*files.removed, *files.changed) if not _is_hidden(one.path)]
    after = [one.path for one in (*files.added, *files.changed) if not _is_hidden(one.path)]
    sides = [a.below(name) for name in sorted(before)], [b.below(name) for name in sorted(after)]
    return _tables((a, b), sides, job, steps, files=files)


def _folder_and_file(a: At, b: At, job: Job, steps: Steps) -> Difference:
    """A data set that became one file, or the other way round."""
    folder, single = (b, a) if a.is_one else (a, b)
    manifest = manifest_of(folder, job.hashing(steps))
    names = _data_files(manifest)
    if not (names and _are_tables(names) and _is_table(single)):
        words = ["a table" if one is single and _is_table(one) else _what(one, job) for one in (a, b)]
        return _difference(a, b, steps, ("not comparable", f"not comparable ({words[0]} against {words[1]})"))
    parts = [folder.below(name) for name in sorted(names)]
    return _tables((a, b), ([a], parts) if a.is_one else (parts, [b]), job, steps)


def _tables(
    places: tuple[At, At],
    sides: tuple[list[At], list[At]],
    job: Job,
    steps: Steps,
    *,
    files: FileChanges | None = None,
) -> Difference:
    a, b = places
    with ExitStack() as stack:
        try:
            sources = [[source_of(one, job.hashing(steps), stack) for one in side] for side in sides]
            before, after = open_both(sources[0], sources[1])
            content = compare_content(before, after, steps, job.asked(steps), sources)
        except BadDataError as error:
            if not any(level.outcome == "unknown" for level in steps.levels):
                steps.skip("schema", error.message)
            return _difference(a, b, steps, ("changed", f"changed (bytes; {error.message})"), files=files)
    if content.rows is None and not job.rows:
        columns = [column.name for column in content.statistics or ()]
        verdict = footer_verdict(content.schema, content.counts, columns)
    else:
        verdict = table_verdict(content.schema, content.rows, formats=content.formats, is_typed=content.is_typed)
    found = {"schema": content.schema, "statistics": content.statistics, "rows": content.rows}
    return _difference(a, b, steps, verdict, files=files, **found)


def _difference(a: At, b: At, steps: Steps, verdict: Verdict, **found: Any) -> Difference:
    kind, phrase = verdict
    return Difference(a.title, b.title, kind, phrase, tuple(steps.levels), warnings=tuple(steps.warnings), **found)
