# SPDX-License-Identifier: Apache-2.0
"""What a hook says: this was read, this was written, this came from a query. Always of the run that is meant now.

    >>> reads("data/orders.parquet", door="pandas.read_parquet")  # doctest: +SKIP
    >>> wrote("data/features.parquet", door="pandas.to_parquet", format="parquet")  # doctest: +SKIP

A target is a path, a URI, a folder, a glob, an open file, or a list of them. Outside of any run all of this is nothing.
"""

from __future__ import annotations

import os
from stat import S_ISDIR

from lineagekit.agent.naming import absolute, dataset_name, is_uri
from lineagekit.agent.redact import redact
from lineagekit.agent.scenery import is_scenery
from lineagekit.agent.scope import book as book_now
from lineagekit.agent.scope import whose
from lineagekit.agent.targets import read_path, text_of, written_path

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


def reads(target: Any, *, door: str, **facts: Any) -> None:
    """An input. Say it before the library reads, so that the evidence is of what it will read."""
    for text in _texts(target):
        if is_uri(text):
            _dataset("input", text, door, facts)
        else:
            path, book = absolute(text), book_now()
            if book is not None and not is_scenery(path) and not book.knows(path):
                read_path(book, path, door, **facts)


def writes(target: Any, *, door: str, mode: str = "w") -> None:
    """An output that the library is about to write: what it overwrites is looked at first. `wrote` must follow."""
    for text in _texts(target):
        path, book = absolute(text), book_now()
        if is_uri(text) or book is None or is_scenery(path):
            continue
        try:
            was = os.stat(path)
        except OSError:
            was = None
        if was is None or not S_ISDIR(was.st_mode):
            book.before_writing(path, was, mode)
            book.writing(path, was, mode, door)


def wrote(target: Any, *, door: str, **facts: Any) -> None:
    """An output that the library has written."""
    for text in _texts(target):
        if is_uri(text):
            _dataset("output", text, door, facts)
        else:
            path, book = absolute(text), book_now()
            if book is not None and not is_scenery(path):
                written_path(book, path, door, **facts)


def failed(target: Any) -> None:
    """The writer has raised: what it has not left behind is no output."""
    for text in _texts(target):
        path, book = absolute(text), book_now()
        if book is not None and not is_uri(text) and not os.path.lexists(path):
            book.removed(path)


def doubts(target: Any) -> None:
    """A file that may be written without anybody telling, until the run ends: a mapped array, a database."""
    for text in _texts(target):
        path, book = absolute(text), book_now()
        if book is not None and not is_uri(text) and not is_scenery(path):
            book.doubt(path)


def results(kind: str, **facts: Any) -> None:
    """An input that has no file: rows of a query, the body of a response."""
    say({"fact": "result", "kind": kind, **facts})


def say(fact: dict[str, Any]) -> None:
    """Any other fact of the run that is meant now."""
    run = run_now()
    if run is not None:
        run.say(fact)


def run_now() -> Any:
    """The run that is meant now, or None."""
    return whose()


def _dataset(role: str, uri: str, door: str, facts: dict[str, Any]) -> None:
    run = run_now()
    if run is None:
        return
    namespace, name = dataset_name(redact(uri))
    if role == "output" or run.ledger.is_new(f"{namespace} {name} {door} {facts!r}"):
        run.say(dict(facts, fact="dataset", role=role, namespace=namespace, name=name, door=door))


def _texts(target: Any) -> list[str]:
    """The paths and URIs that a target stands for; what stands for none (a buffer in memory) is no lineage."""
    if isinstance(target, (list, tuple, set, frozenset)):
        return [text for one in target for text in _texts(one)]
    text = text_of(target)
    return [text] if text and not text.startswith("<") else []
