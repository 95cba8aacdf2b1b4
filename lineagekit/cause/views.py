# SPDX-License-Identifier: Apache-2.0
"""Runs looked at closely: what the index leaves in the log (parts, columns, parameters, modules), read once a run.

>>> views = Views(db, store)  # doctest: +SKIP
>>> views.of(run).inputs  # doctest: +SKIP
{Name(namespace='file', name='/data/orders.csv'): Use(dataset=17, ...)}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lineagekit.events.combine import combine
from lineagekit.events.lenient import mapping
from lineagekit.events.producers import SPARK, known_producer
from lineagekit.events.said import Name, Piece, Touch
from lineagekit.events.summary import Seen, page_of, summarize
from lineagekit.store import query, walk
from lineagekit.store.database import Database
from lineagekit.store.found import Read, Run, job_title, title_of
from lineagekit.store.heard import hear
from lineagekit.store.log import Store
from lineagekit.store.pieces import pieces_of

Columns = tuple[tuple[str, str], ...]
_MOST_PIECES = 20_000
"""Of a folder; one of more is compared as a whole."""


@dataclass(frozen=True, slots=True)
class Use:
    """A dataset as one run read or wrote it."""

    dataset: int
    name: Name
    touch: Touch
    content: Mapping[str, Any]
    """Our facet, where there is one."""
    columns: Columns
    writers: tuple[Read, ...] = ()
    """Of an input: who wrote it, a row for each."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return title_of(*self.name)

    @property
    def digest(self) -> str:
        """Of the bytes, else of the content; "" if unknown."""
        return self.touch.digest

    @property
    def table(self) -> str:
        """Of the content, whatever the order and the format."""
        return str(self.content.get("lkt1", ""))


@dataclass(frozen=True, slots=True)
class View:
    """A run, whole."""

    run: Run
    inputs: Mapping[Name, Use] = field(default_factory=dict)
    outputs: Mapping[Name, Use] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Code, params, environment: compared as a whole by the numbers in `run`."""
    launch: Mapping[str, Any] = field(default_factory=dict)
    """How it was started: `argv`, `cwd`; of runs that we recorded."""

    @property
    def job(self) -> str:
        """What a person calls it."""
        return job_title(self.run.namespace, self.run.job)


class Views:
    """Looks at runs, each once."""

    def __init__(self, db: Database, store: Store) -> None:
        """Nothing is read yet."""
        self.db, self._store = db, store
        self.folder = store.folder
        self._views: dict[int, View] = {}
        self._pages: dict[str, str] = {}
        self._pieces: dict[str, tuple[Piece, ...]] = {}

    def of(self, number: int) -> View:
        """The run of this number."""
        if number not in self._views:
            self._views[number] = self._look(number)
        return self._views[number]

    def page(self, run: str) -> str:
        """Where the scheduler of the run of this id shows it; "" where it has none."""
        if run not in self._pages:  # the parts of one feed are suspects by the hundred, of one run
            self._pages[run] = self._page(run)
        return self._pages[run]

    def _page(self, run: str) -> str:
        rows = self._store.run_events(run) if run else ()
        pages = (page_of(mapping(mapping(row.event.get("run")).get("facets"))) for row in rows if not row.damaged)
        return next(filter(None, pages), "")

    def gaps(self, runs: Iterable[int]) -> Iterator[str]:
        """Of which writes of the applications that these runs are of nobody told."""
        if all(known_producer(sender.producer) is not SPARK for sender in walk.senders(self.db)):
            return
        from lineagekit.record.spark import unreported

        above = {run.parent for run in query.runs(self.db, runs).values() if run.parent}
        family = {*above, *(child for one in above for child in query.children(self.db, one))}
        yield from unreported(self._store, (run.run for run in query.runs(self.db, family).values()))

    def profile(self, table: str) -> bytes | None:
        """The profile of the table with this `lkt1`, if it was kept."""
        return self._store.object("profile", table) if table else None

    def _look(self, number: int) -> View:
        run = query.runs(self.db, [number])[number]
        rows = [row for row in self._store.run_events(run.run) if not row.damaged]
        heard = hear(rows, self._store, refined=self._store.last_refinement() > 0)
        if not heard:
            return View(run)
        said = combine(heard).said
        summary = summarize([row.event for row in rows])
        writers: dict[int, list[Read]] = {}
        for read in walk.reads_of(self.db, [number]):
            if read.parts >= 0:
                writers.setdefault(read.dataset, []).append(read)
        seen = {Name(one.namespace, one.name): one for one in summary.inputs}
        made = {Name(one.namespace, one.name): one for one in summary.outputs}
        inputs = {name: self._use(name, touch, seen.get(name), writers) for name, touch in said.inputs.items()}
        outputs = {name: self._use(name, touch, made.get(name), {}) for name, touch in said.outputs.items()}
        return View(run, inputs, outputs, said.facts, summary.facets.get("lineagekit_run", {}))

    def _use(self, name: Name, touch: Touch, seen: Seen | None, writers: Mapping[int, list[Read]]) -> Use:
        dataset = query.find_dataset(self.db, name) or 0
        columns: Columns = ()
        if seen is not None:
            fields = seen.facets.get("schema", {}).get("fields") or ()
            columns = tuple((str(one.get("name")), str(one.get("type", ""))) for one in fields)
        content = seen.content if seen is not None else {}
        return Use(dataset, name, self._whole(touch), content, columns, tuple(writers.get(dataset, ())))

    def _whole(self, touch: Touch) -> Touch:
        """With all files of a folder, of which most events tell the digest alone."""
        digest = touch.digest
        if not digest.startswith("lkd1") or touch.pieces_total == len(touch.pieces) > 0:
            return touch
        if digest not in self._pieces:  # build after build reads the same
            self._pieces[digest] = tuple(pieces_of(self._store, digest, most=_MOST_PIECES))
        return replace(touch, pieces=self._pieces[digest] or touch.pieces)
