# SPDX-License-Identifier: Apache-2.0
"""`lineagekit fingerprint PATH_OR_URI...`: takes digests and prints them, or takes saved ones again and compares.

$ lineagekit fingerprint orders.csv models/ > saved
$ lineagekit fingerprint --check saved
orders.csv: OK
"""

from __future__ import annotations

import csv
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lineagekit.cli.checklist import compare, format_line, read_list
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output, describe_error
from lineagekit.config import Config
from lineagekit.errors import LineagekitError, NotFoundError, UnreadableError, UsageError
from lineagekit.identity.digest import Digest
from lineagekit.identity.snapshot import Snapshot

if TYPE_CHECKING:
    from lineagekit.identity.cache import DigestCache
    from lineagekit.identity.options import Options


def _option(name: str, text: str, *, metavar: str | None = None) -> Any:
    return typer.Option(name, help=text, metavar=metavar, show_default=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Name files, folders, tables and objects by bytes and content.

    Prints a digest of the bytes and, where a file is a table, digests of what it says. Equal digests: equal data.
    """

    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH_OR_URI", show_default=False, help="What to name; - is standard input."),
    ] = None
    content: Annotated[bool, _option("--content", "Only what the table says, however it is encoded.")] = False
    bytes: Annotated[bool, _option("--bytes", "Only the bytes.")] = False
    both: Annotated[bool, _option("--both", "Bytes and content; what is no table is an error.")] = False
    algorithm: Annotated[
        Literal["blake3", "sha256", "lkm1"],
        typer.Option(help="sha256: for the bytes; lkm1: for content, in any order and proof against forgery."),
    ] = "blake3"
    columns: Annotated[list[str] | None, _option("--columns", "Only these columns.", metavar="A,B")] = None
    ignore: Annotated[list[str] | None, _option("--ignore", "All columns but these.", metavar="A,B")] = None
    delimiter: Annotated[str, _option("--delimiter", "What parts the cells of CSV.", metavar="CHARACTER")] = ""
    include: Annotated[list[str] | None, _option("--include", "Only these files of a folder.", metavar="GLOB")] = None
    exclude: Annotated[list[str] | None, _option("--exclude", "All files but these.", metavar="GLOB")] = None
    check: Annotated[str, _option("--check", "Take the digests in this list again.", metavar="FILE")] = ""
    no_cache: Annotated[bool, _option("--no-cache", "Neither use nor keep remembered digests.")] = False
    paranoid: Annotated[bool, _option("--paranoid", "Read all bytes again, and remember what they say.")] = False
    threads: Annotated[int, _option("--threads", "Cores to use; all if not said.", metavar="NUMBER")] = 0
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Take the digests of every target, or those of every name in a saved list."""
        if bool(self.targets) == bool(self.check):
            raise UsageError("expected either names or --check FILE", advice="Run: lineagekit help fingerprint")
        config = Config.from_environment()
        with closing(self._open_cache(config)) as cache:
            options = self._options(cache, config.threads, out)
            return _check(self.check, options, out) if self.check else _name(self.targets or [], options, out)

    def _options(self, cache: DigestCache, threads: int, out: Output) -> Options:
        from lineagekit.identity.options import Options

        return Options(
            what=self._what(),
            algorithm=self.algorithm,
            columns=_items(self.columns),
            ignore=_items(self.ignore),
            delimiter=self.delimiter.replace("\\t", "\t") or None,
            include=tuple(self.include or ()),
            exclude=tuple(self.exclude or ()),
            threads=self.threads or threads,
            cache=cache,
            progress=out.progress,
        )

    def _what(self) -> Literal["auto", "bytes", "content", "both"]:
        if self.content + self.bytes + self.both > 1:
            raise UsageError("--content, --bytes and --both exclude each other", advice="Give one of them.")
        return "content" if self.content else "bytes" if self.bytes else "both" if self.both else "auto"

    def _open_cache(self, config: Config) -> DigestCache:
        from lineagekit.identity.cache import NullCache, open_cache

        return NullCache() if self.no_cache else open_cache(config.cache_folder, trust=not self.paranoid)


def _name(targets: list[str], options: Options, out: Output) -> int:
    out.progress.total = _plain_size(targets, options)
    answers = [_answer(target, options, out, alone=len(targets) == 1) for target in targets]
    out.show({"snapshots": answers})
    return int(any(answer["state"] == "unknown" for answer in answers))


def _answer(target: str, options: Options, out: Output, *, alone: bool) -> dict[str, Any]:
    from lineagekit.identity.fingerprint import fingerprint

    try:
        snapshot = fingerprint(target, options)
    except LineagekitError as error:
        if alone:
            raise
        out.complain(str(error))
        return {"name": target, "state": "unknown", "reason": error.message, "error": describe_error(error)}
    out.say(*_lines(target, snapshot))
    for warning in snapshot.warnings:
        out.warn(f"{target}: {warning}")
    if snapshot.reason:
        out.complain(f"{target}: {snapshot.reason}")
    return snapshot.to_json()


def _check(path: str, options: Options, out: Output) -> int:
    from lineagekit.identity.fingerprint import fingerprint

    fingerprint_once = lru_cache(maxsize=1)(fingerprint)  # the digests of one name stand together in a list
    verdicts = []
    for expected, name in list(read_list(_read(path), source=path)):
        verdict = compare(expected, name, lambda e, n: fingerprint_once(n, _as_saved(e, options)))
        out.say(str(verdict))
        verdicts.append(verdict)
    out.show({"entries": [verdict.to_json() for verdict in verdicts]})
    return int(any(verdict.verdict != "OK" for verdict in verdicts))


def _as_saved(digest: Digest, options: Options) -> Options:
    """The options that a digest's name asks for; which files of a folder count is not in it."""
    named = dict(digest.parameters)
    by = named.get("files", (digest.algorithm,))[0]
    return replace(
        options,
        what="bytes" if digest.algorithm in ("blake3", "sha256", "lkd1") else "content",
        algorithm="sha256" if by == "sha256" else "lkm1" if by == "lkm1" else "blake3",
        columns=named.get("columns", ()),
        ignore=named.get("ignore", ()),
        delimiter=named["csv"][0][0] if "csv" in named else None,
    )


def _read(path: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"no such list: {path}") from error
    except OSError as error:
        raise UnreadableError(f"cannot read the list {path}: {error.strerror}") from error
    return os.fsdecode(data).removesuffix("\n").split("\n")


def _items(values: Iterable[str] | None) -> tuple[str, ...]:
    """Comma-separated, with quotes around a name that has a comma."""
    return tuple(item for row in csv.reader(values or ()) for item in row)


def _plain_size(targets: Iterable[str], options: Options) -> int | None:
    """The bytes to read, where plain files make that cheap to know; how much a table decodes to is not."""
    from lineagekit.identity.tables.sources import is_table

    total = 0
    for target in targets:
        try:
            facts = os.stat(target)
        except OSError:
            return None
        if not stat.S_ISREG(facts.st_mode) or (options.what != "bytes" and is_table(target)):
            return None
        total += facts.st_size
    return total


def _lines(target: str, snapshot: Snapshot) -> Iterator[str]:
    """For a pipe one digest a line, as a saved list has it; on a terminal with what is worth knowing beside."""
    if not sys.stdout.isatty():
        yield from (format_line(digest, target) for digest in snapshot.digests)
        return
    yield format_line(target, " · ".join(_facts(snapshot)))
    yield from (f"  {digest}" for digest in snapshot.digests)


def _facts(snapshot: Snapshot) -> Iterator[str]:
    yield snapshot.kind
    for count, one in ((snapshot.files, "file"), (snapshot.rows, "row"), (len(snapshot.columns) or None, "column")):
        if count is not None:
            yield f"{count:,} {one}{'' if count == 1 else 's'}"
    if snapshot.bytes is not None:
        yield _size(snapshot.bytes)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
