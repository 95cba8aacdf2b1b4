# SPDX-License-Identifier: Apache-2.0
"""The story of one run: what its facts add up to, whichever processes wrote them.

    >>> story = Story("0197a1b2-0000-7000-8000-000000000001")
    >>> story.take({"fact": "run", "job": "train.py", "rank": 1}, "0197...", 10)
    >>> story.take({"fact": "end", "state": "COMPLETE"}, "0197...", 20)
    >>> story.job, story.ended, story.state
    ('train.py', 20, 'COMPLETE')

A fact that is not known is passed over. One with a value of the wrong type is counted, and what it had to say before
that value counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal, cast

from lineagekit.errors import BadDataError
from lineagekit.events.account import Code, Metric, ModelName, State
from lineagekit.record.facts import Fact, columns, flag, integer, items, mapping, number, path, text, texts, whole
from lineagekit.record.paths import Paths
from lineagekit.record.touches import Ambiguous, Dataset, Result

Role = Literal["input", "output"]


class Story:
    """A run as it unfolds."""

    def __init__(self, run: str) -> None:
        """Nothing is known but its id."""
        self.run = run
        self.paths = Paths()
        self.job = self.namespace = self.parent = self.how = self.cwd = self.entry = self.journal = self.error = ""
        self.argv: tuple[str, ...] = ()
        self.began = self.last = 0
        self.ended: int | None = None
        self.exit: int | None = None
        self.state: State = "COMPLETE"
        self.extra: dict[str, object] = {}
        self.facets: dict[str, object] = {}
        self.datasets: dict[tuple[str, str, str], Dataset] = {}
        self.results: dict[tuple[str, ...], Result] = {}
        self.ambiguous: dict[tuple[str, str, str], Ambiguous] = {}
        self.params: dict[str, object] = {}
        self.metrics: list[Metric] = []
        self.models: dict[tuple[str, str], ModelName] = {}
        self.code: Code | None = None
        self.environment: dict[str, object] = {}
        self.troubles: Counter[tuple[str, str]] = Counter()
        self.unwatched: dict[str, None] = {}
        self.emitted: list[object] = []
        self.odd = 0
        self._rank = -1
        self._modules: dict[tuple[str, str], tuple[str, ...]] = {}

    def take(self, fact: Fact, journal: str, at: int) -> None:
        """Add one fact; facts come in the order of time."""
        kind = fact.get("fact")
        self.began = self.began or at
        self.last = max(self.last, at)
        self.journal = self.journal or journal
        try:
            if kind == "run":
                self._begin(fact, journal, at)
            elif kind == "end":
                self._end(fact, at)
            elif (handler := _OF_PATHS.get(kind)) is not None:
                handler(self.paths, fact, at)
            elif (handle := _OF_STORY.get(kind)) is not None:
                handle(self, fact, at)
        except BadDataError:
            self.odd += 1
            self.troubles[f"settle:{kind}"[:80], "odd fact"] += 1

    def _begin(self, fact: Fact, journal: str, at: int) -> None:
        """Of several names the best-founded counts: a person's, then a script's, then a command's."""
        rank = whole(fact, "rank") or 0
        if self._rank < 0:
            self.began, self.journal = at, journal
        self.parent = self.parent or text(fact, "parent")
        self.namespace = self.namespace or text(fact, "namespace")
        self.extra |= mapping(fact, "extra")
        self.facets |= mapping(fact, "facets")
        if rank > self._rank:
            self._rank = rank
            self.job, self.how = text(fact, "job") or self.job, text(fact, "how")
            self.namespace = text(fact, "namespace") or self.namespace
            self.cwd, self.entry, self.argv = text(fact, "cwd"), text(fact, "entry"), texts(fact, "argv")

    def _end(self, fact: Fact, at: int) -> None:
        state = text(fact, "state")
        self.ended = at
        if state in ("COMPLETE", "FAIL", "ABORT"):
            self.state = cast(State, state)
        else:
            raise BadDataError(f"a fact is odd: got state {state!r}, expected COMPLETE, FAIL or ABORT")
        self.error = self.error or text(fact, "error")
        exit_code = integer(fact, "exit")
        self.exit = self.exit if exit_code is None else exit_code

    def _dataset(self, fact: Fact, at: int) -> None:
        role, namespace, name = text(fact, "role"), text(fact, "namespace"), text(fact, "name")
        if role not in ("input", "output") or not name:
            raise BadDataError(f"a fact is odd: got role {role!r} of {name!r}, expected input or output and a name")
        one = self.datasets.setdefault((role, namespace, name), Dataset(role, namespace, name, at))
        one.at = at if role == "output" else one.at
        one.learn(fact)

    def _result(self, fact: Fact, at: int) -> None:
        """The same answer to the same question is one input, however often it was asked."""
        one = Result(
            text(fact, "kind") or "query",
            text(fact, "namespace"),
            text(fact, "name"),
            at,
            statement=text(fact, "statement"),
            tables=texts(fact, "tables"),
            rows=whole(fact, "rows"),
            columns=columns(fact),
            digest=text(fact, "digest"),
            reason=text(fact, "reason"),
            bytes=whole(fact, "bytes"),
            etag=text(fact, "etag"),
            door=text(fact, "door"),
        )
        self.results.setdefault((one.namespace, one.name, one.statement, one.digest), one)

    def _params(self, fact: Fact, at: int) -> None:
        self.params |= mapping(fact, "params")

    def _metric(self, fact: Fact, at: int) -> None:
        name, value = text(fact, "name"), number(fact, "value")
        if not name:
            raise BadDataError("a fact is odd: got a metric without a name")
        better, step = flag(fact, "higher_is_better"), integer(fact, "step")
        self.metrics.append(Metric(name, value, text(fact, "of"), text(fact, "on"), better, step))

    def _model(self, fact: Fact, at: int) -> None:
        model = ModelName(text(fact, "name"), text(fact, "version"))
        if text(fact, "path"):
            self.paths.model(path(fact), model)
        else:
            self.models[text(fact, "namespace"), text(fact, "name_of")] = model

    def _code(self, fact: Fact, at: int) -> None:
        for module in items(fact, "modules"):
            name, where, digests = _module(module)
            known = self._modules.get((name, where), ())
            self._modules[name, where] = known + tuple(one for one in digests if one not in known)
        earlier = self.code or Code()
        self.code = Code(
            repository=text(fact, "repository") or earlier.repository,
            commit=text(fact, "commit") or earlier.commit,
            dirty=earlier.dirty if flag(fact, "dirty") is None else flag(fact, "dirty"),
            entry=text(fact, "entry") or earlier.entry,
            modules=tuple((name, where, digests) for (name, where), digests in self._modules.items()),
            cells=earlier.cells + tuple(items(fact, "cells")),
        )

    def _environment(self, fact: Fact, at: int) -> None:
        """Several processes add up: packages, seeds and variables of all; of single values the first that was said."""
        for key, value in fact.items():
            if key in ("fact", "run", "n", "at") or value is None:
                continue
            known = self.environment.get(key)
            if isinstance(value, dict) and isinstance(known, dict):
                self.environment[key] = {**value, **known}
            else:
                self.environment.setdefault(key, value)

    def _trouble(self, fact: Fact, at: int) -> None:
        self.troubles[text(fact, "where"), text(fact, "error")] += whole(fact, "count") or 1

    def _unwatched(self, fact: Fact, at: int) -> None:
        self.unwatched.setdefault(f"{text(fact, 'what')} {text(fact, 'peer')}".strip())

    def _emitted(self, fact: Fact, at: int) -> None:
        self.emitted.append(fact.get("event"))

    def _ambiguous(self, fact: Fact, at: int) -> None:
        role = text(fact, "role")
        one = Ambiguous("output" if role == "output" else "input", at, text(fact, "path"))
        one.namespace, one.name = text(fact, "namespace"), text(fact, "name")
        self.ambiguous.setdefault((one.role, one.path or one.namespace, one.name), one)


def _module(value: object) -> tuple[str, str, tuple[str, ...]]:
    """Name, path, and each digest that was taken of it."""
    if isinstance(value, list) and len(value) == 3:
        name, where, digests = value
        if isinstance(name, str) and isinstance(where, str):
            found = digests if isinstance(digests, list) else [digests]
            return name, where, tuple(one for one in found if isinstance(one, str))
    raise BadDataError(f"a fact is odd: got a module {value!r:.80}, expected name, path, digests")


_OF_PATHS: dict[object, Callable[[Paths, Fact, int], None]] = {
    "read": Paths.read,
    "kept": Paths.kept,
    "writing": Paths.writing,
    "written": Paths.written,
    "moved": Paths.moved,
    "removed": Paths.removed,
    "changed": Paths.changed,
    "taken": Paths.taken,
}
_OF_STORY: dict[object, Callable[[Story, Fact, int], None]] = {
    "dataset": Story._dataset,
    "result": Story._result,
    "params": Story._params,
    "metric": Story._metric,
    "model": Story._model,
    "code": Story._code,
    "environment": Story._environment,
    "trouble": Story._trouble,
    "unwatched": Story._unwatched,
    "ambiguous": Story._ambiguous,
    "event": Story._emitted,
}
