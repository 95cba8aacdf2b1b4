# SPDX-License-Identifier: Apache-2.0
"""`lineagekit ingest FILE...`: reads OpenLineage events from files or standard input into the store.

$ lineagekit ingest events.jsonl
store /work/.lineagekit
error: events.jsonl, line 17: not an OpenLineage event: job.name is missing
ingested 1,000 events from events.jsonl: 998 new, 2 known, 1 line refused
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from lineagekit.cli.count import Count
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output, describe_error
from lineagekit.cli.progress import Progress
from lineagekit.config import Config
from lineagekit.errors import LineagekitError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from lineagekit.exchange.ingest import Ingested, Refused
    from lineagekit.store.log import Store

Found = int | LineagekitError | None
"""The size of a file, None where it has none, or why there is nothing to read."""

STDIN = "-"
_TOLD = 20  # refusals of a file that are said one by one
_NOTHING_GOOD = 8


@dataclass(frozen=True, slots=True)
class Ingest:
    """Read OpenLineage events from files or standard input into the store.

    JSON lines, arrays or single objects, also gzipped. What is no event is told with its line and reason; the rest
    goes in. To do it again adds nothing twice.

    Example: lineagekit ingest events.jsonl
    """

    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", show_default=False, help="What to read; - is standard input.")
    ]
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Read one after the other, and say of each what came of it."""
        from lineagekit.store.log import open_store

        found = {name: _look_for(name) for name in self.files}
        errors = [one for one in found.values() if isinstance(one, LineagekitError)]
        if len(errors) == len(found):
            raise errors[0]
        out.progress = _progress([one for one in found.values() if not isinstance(one, LineagekitError)])
        folder = Config.from_environment().store_folder
        with open_store(folder) as store:
            out.say(f"store {folder}")
            answers = [_answer(name, one, store, out, alone=len(found) == 1) for name, one in found.items()]
        out.show({"files": answers})
        return _exit_code(answers)


def _answer(name: str, found: Found, store: Store, out: Output, *, alone: bool) -> dict[str, Any]:
    refused = _Refused(name, out)
    try:
        if isinstance(found, LineagekitError):
            raise found
        ingested = _ingest(name, store, out, refused)
    except NotFoundError as error:
        if alone:
            raise
        out.complain(str(error))
        return {"file": name, "error": describe_error(error)}
    refused.sum_up(ingested.refused)
    out.say(_summary(name, ingested))
    return {"file": name, "events": ingested.events, **asdict(ingested)}


def _ingest(name: str, store: Store, out: Output, refused: _Refused) -> Ingested:
    from lineagekit.exchange.ingest import ingest

    try:
        if name == STDIN:
            return ingest(
                store, sys.stdin.buffer, origin="ingest:stdin", progress=_events(out.progress), refuse=refused
            )
        with _Measured(name, _bytes(out.progress)) as file:
            origin = f"ingest:{os.path.basename(name)}"
            return ingest(store, cast(BinaryIO, file), origin=origin, progress=_events(out.progress), refuse=refused)
    except UnreadableError as error:
        raise UnreadableError(f"cannot read {_shown(name)}: {error.message}", advice=error.advice) from error
    except OSError as error:
        raise UnreadableError(f"cannot read {name}: {error.strerror}") from error


class _Refused:
    """Says of the first refusals what they are, and how many more there were."""

    def __init__(self, name: str, out: Output) -> None:
        """Begin with a file."""
        self._name, self._out, self._told = _shown(name), out, 0

    def __call__(self, refused: Refused) -> None:
        """Say it, if there were not too many."""
        self._told += 1
        if self._told <= _TOLD:
            self._out.complain(f"{self._name}, line {refused.line}: {refused.reason}")

    def sum_up(self, total: int) -> None:
        """Say how many were not said."""
        if total > _TOLD:
            self._out.complain(f"{self._name}: {total - _TOLD:,} more are no events; --json lists the first 1,000")


class _Measured(io.FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: str, progress: Callable[[int], None]) -> None:
        """Open it."""
        super().__init__(path)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and tell."""
        data = super().read(-1 if size is None else size)
        self._progress(len(data))
        return data


def _look_for(name: str) -> Found:
    if name == STDIN:
        return None
    try:
        facts = os.stat(name)
    except (FileNotFoundError, NotADirectoryError):
        return NotFoundError(f"no such file: {name}", advice="Check the path.")
    except (OSError, ValueError) as error:
        return UnreadableError(f"cannot read {name}: {getattr(error, 'strerror', error)}")
    if stat.S_ISDIR(facts.st_mode):
        return UnreadableError(f"{name} is a folder: expected a file", advice="Name the files in it.")
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _progress(sizes: list[int | None]) -> Progress:
    """In bytes where all sizes are known, else in events."""
    if None in sizes:
        return Count("events")
    progress = Progress()
    progress.total = sum(size or 0 for size in sizes)
    return progress


def _events(progress: Progress) -> Callable[[int], None]:
    return progress if isinstance(progress, Count) else _nothing


def _bytes(progress: Progress) -> Callable[[int], None]:
    return _nothing if isinstance(progress, Count) else progress


def _nothing(count: int) -> None:
    """Count what the bar does not show."""


def _summary(name: str, ingested: Ingested) -> str:
    told = f"{ingested.events:,} event{'' if ingested.events == 1 else 's'} from {_shown(name)}"
    counts = [f"{ingested.new:,} new", f"{ingested.known:,} known"]
    if ingested.refused:
        counts.append(f"{ingested.refused:,} line{'' if ingested.refused == 1 else 's'} refused")
    return f"ingested {told}: {', '.join(counts)}"


def _shown(name: str) -> str:
    return "standard input" if name == STDIN else name


def _exit_code(answers: list[dict[str, Any]]) -> int:
    refused = sum(answer.get("refused", 0) for answer in answers)
    if any("error" in answer for answer in answers):
        return 1
    events = sum(answer["events"] for answer in answers)
    return 0 if not refused else 1 if events else _NOTHING_GOOD
