# SPDX-License-Identifier: Apache-2.0
"""`lineagekit fingerprint PATH_OR_URI...`: takes digests and prints them, or takes saved ones again and compares.

$ lineagekit fingerprint orders.csv models/ > saved
$ lineagekit fingerprint --check saved
orders.csv: OK
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lineagekit.cli.checklist import compare, read_list
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.items import bounded, items
from lineagekit.cli.lines import snapshot_lines
from lineagekit.cli.output import Output, describe_error
from lineagekit.config import Config
from lineagekit.errors import (
    BadDataError,
    ChangedWhileReadError,
    LineagekitError,
    NotFoundError,
    UnreadableError,
    UsageError,
)
from lineagekit.identity.snapshot import Snapshot

if TYPE_CHECKING:
    from lineagekit.identity.cache import DigestCache
    from lineagekit.identity.options import Options

Take = Callable[[str, "Options"], Snapshot]

_CONTRADICTIONS = (
    ("--content", "--bytes"),
    ("--content", "--both"),
    ("--bytes", "--both"),
    ("--bytes", "--columns"),
    ("--bytes", "--ignore"),
    ("--bytes", "--delimiter"),
    ("--bytes", "--algorithm lkm1"),
    ("--content", "--algorithm sha256"),
    *(
        ("--engine spark", other)
        for other in ("--bytes", "--both", "--algorithm sha256", "--delimiter", "--include", "--exclude", "--threads")
    ),
)


def _option(name: str, text: str, *, metavar: str | None = None) -> Any:
    return typer.Option(name, help=text, metavar=metavar, show_default=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Name files, folders, tables and objects by bytes and content.

    Prints a digest of the bytes and, where a file is a table, digests of what it says. Equal digests: equal data.

    Example: lineagekit fingerprint data/ labels.csv > saved && lineagekit fingerprint --check saved
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
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="spark: content only, of tables too large for one machine.")
    ] = "local"
    columns: Annotated[list[str] | None, _option("--columns", "Only these columns.", metavar="A,B")] = None
    ignore: Annotated[list[str] | None, _option("--ignore", "All columns but these.", metavar="A,B")] = None
    delimiter: Annotated[str, _option("--delimiter", "What parts the cells of CSV.", metavar="CHARACTER")] = ""
    include: Annotated[list[str] | None, _option("--include", "Only these files of a folder.", metavar="GLOB")] = None
    exclude: Annotated[list[str] | None, _option("--exclude", "All files but these.", metavar="GLOB")] = None
    check: Annotated[str, _option("--check", "Take the digests in this list again.", metavar="FILE")] = ""
    no_cache: Annotated[bool, _option("--no-cache", "Neither use nor keep remembered digests.")] = False
    paranoid: Annotated[bool, _option("--paranoid", "Read all bytes again, and remember what they say.")] = False
    threads: Annotated[int | None, _option("--threads", "Cores to use; all if not said.", metavar="NUMBER")] = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Take the digests of every target, or those of every name in a saved list."""
        if bool(self.targets) == bool(self.check):
            raise UsageError("expected either names or --check FILE", advice="Run: lineagekit help fingerprint")
        config = Config.from_environment()
        threads = config.threads if self.threads is None else bounded(self.threads)
        self._refuse_contradictions()
        with closing(self._open_cache(config)) as cache, _taking(self.engine) as take:
            options = self._options(cache, threads, out)
            if self.check:
                return _check(self.check, options, out, take)
            out.progress.total = _plain_size(self.targets or [], options) if self.engine == "local" else None
            return _name(self.targets or [], options, out, take)

    def _options(self, cache: DigestCache, threads: int, out: Output) -> Options:
        from lineagekit.identity.options import Options

        return Options(
            what=self._what(),
            algorithm=self.algorithm,
            columns=items(self.columns),
            ignore=items(self.ignore),
            delimiter=self.delimiter.replace("\\t", "\t") or None,
            include=tuple(self.include or ()),
            exclude=tuple(self.exclude or ()),
            threads=threads,
            cache=cache,
            progress=out.progress,
        )

    def _what(self) -> Literal["auto", "bytes", "content", "both"]:
        return "content" if self.content else "bytes" if self.bytes else "both" if self.both else "auto"

    def _refuse_contradictions(self) -> None:
        given = {
            "--content": self.content,
            "--bytes": self.bytes,
            "--both": self.both,
            "--columns": self.columns,
            "--ignore": self.ignore,
            "--delimiter": self.delimiter,
            "--include": self.include,
            "--exclude": self.exclude,
            "--threads": self.threads is not None,
            f"--engine {self.engine}": True,
            f"--algorithm {self.algorithm}": True,
        }
        for one, other in _CONTRADICTIONS:
            if given.get(one) and given.get(other):
                raise UsageError(f"{one} and {other} exclude each other: got both", advice=f"Leave out {other}.")

    def _open_cache(self, config: Config) -> DigestCache:
        from lineagekit.identity.cache import NullCache, open_cache

        return NullCache() if self.no_cache else open_cache(config.cache_folder, trust=not self.paranoid)


@contextmanager
def _taking(engine: str) -> Iterator[Take]:
    """What takes a Snapshot: this process, or a session of Spark that ends with the command."""
    if engine == "local":
        yield _take
        return
    from lineagekit.cli.spark_engine import spark_session, take_with_spark

    with spark_session() as spark:
        yield partial(take_with_spark, spark)


def _name(targets: list[str], options: Options, out: Output, take: Take) -> int:
    answers = [_answer(target, partial(take, target, options), out, alone=len(targets) == 1) for target in targets]
    out.show({"snapshots": answers})
    return int(any(answer["state"] == "unknown" for answer in answers))


def _answer(target: str, take: Callable[[], Snapshot], out: Output, *, alone: bool) -> dict[str, Any]:
    try:
        snapshot = take()
    except LineagekitError as error:
        if alone:
            raise
        named = _named(error, target)
        out.complain(str(named))
        return {"name": target, "state": "unknown", "reason": named.message, "error": describe_error(named)}
    if snapshot.digests:
        out.say(*snapshot_lines(target, snapshot, detailed=sys.stdout.isatty()))
    for warning in snapshot.warnings:
        out.warn(f"{target}: {warning}")
    if snapshot.reason:
        out.complain(str(_named(LineagekitError(snapshot.reason), target)))
    return snapshot.to_json()


def _take(target: str, options: Options) -> Snapshot:
    from lineagekit.identity.fingerprint import fingerprint
    from lineagekit.identity.tables.sources import is_table

    try:
        return fingerprint(target, options)
    except BadDataError as error:
        changed = isinstance(error, ChangedWhileReadError)
        if options.what != "auto" or options.wants_content or changed or not (is_table(target) and isfile(target)):
            raise
        advice = f"{error.advice} Use --bytes to take only the digest of its bytes.".lstrip()
        raise type(error)(error.message, advice=advice) from error


def _named(error: LineagekitError, target: str) -> LineagekitError:
    """The error with the name of what it is about, where that is not said."""
    from lineagekit.identity.access import show

    said = target in error.message.split() or any(show(target)[:-1] + end in error.message for end in ("'", '"', "/"))
    return error if said else type(error)(f"{target}: {error.message}", advice=error.advice)


def _check(path: str, options: Options, out: Output, take: Take) -> int:
    take_once = lru_cache(maxsize=1)(take)  # the digests of one name stand together in a list
    verdicts = []
    for expected, name in list(read_list(_read(path), source=path)):
        verdict = compare(expected, name, lambda e, n: take_once(n, options.as_named(e)))
        out.say(str(verdict))
        verdicts.append(verdict)
    out.show({"entries": [verdict.to_json() for verdict in verdicts]})
    return int(any(verdict.verdict != "OK" for verdict in verdicts))


def _read(path: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"no such list: {path}") from error
    except OSError as error:
        raise UnreadableError(f"cannot read the list {path}: {error.strerror}") from error
    return os.fsdecode(data).removesuffix("\n").split("\n")


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
