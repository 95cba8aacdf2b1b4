# SPDX-License-Identifier: Apache-2.0
"""A run: from its beginning to its end, with what it reads and writes in between.

    >>> with run("train", owner="risk") as training:  # doctest: +SKIP
    ...     training.params(C=0.3)
    ...     training.metric("auc", 0.87, on="eval.parquet")

Each method returns what it was given, so that it can be wrapped around a path in place; none of them ever raises for
what goes wrong on our side.
"""

from __future__ import annotations

import os
import time
from contextvars import ContextVar

from lineagekit.agent.border import border, describe
from lineagekit.agent.hooks import say_last_words
from lineagekit.agent.journal import new_id
from lineagekit.agent.ledger import Ledger
from lineagekit.agent.process import Process, say_troubles, tell_children

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

COMMANDED, DERIVED, SAID = 0, 1, 2
"""How a run came by its name; of several names of one run the best-founded counts."""

current_run: ContextVar[Run | None] = ContextVar("lineagekit_run", default=None)


class Run:
    """One run. `begin` is written with its first fact, or at once by `with`."""

    __slots__ = (
        "began",
        "ended",
        "extra",
        "how",
        "id",
        "job",
        "ledger",
        "namespace",
        "outer",
        "owner",
        "parent",
        "place",
        "process",
        "rank",
    )

    def __init__(self, process: Process, job: str, *, id: str = "", how: str = "process", rank: int = SAID) -> None:
        """Name it; `id` where somebody else began it."""
        self.process = process
        self.id = id or new_id(time.time_ns())
        self.job, self.how, self.rank = job, how, rank
        self.namespace = process.settings.get("namespace", "")
        self.parent = ""
        self.place: dict[str, Any] = {}  # where the job comes from, if that is not this process's own program
        self.extra: dict[str, Any] = {}
        self.owner = os.getpid()
        self.began = self.ended = False
        self.ledger = Ledger(self)
        self.outer: Run | None = None  # what this thread was in when it was entered

    def say(self, fact: dict[str, Any]) -> bool:
        """Write a fact of this run."""
        if not self.began:
            self.begin()
        fact["run"] = self.id
        return self.process.say(fact)

    def begin(self) -> None:
        """Write that the run exists, once, by the process that owns it."""
        self.began = True
        if self.owner != os.getpid():
            return
        from lineagekit.agent import origin  # names, repository, command line: only where a run begins
        from lineagekit.agent.redact import redact_words

        with border("begin"):
            place = self.place or origin.place_of_job()
            fact = {
                "fact": "run",
                "run": self.id,
                "job": self.job or place["job"],
                "rank": self.rank,
                "namespace": self.namespace or place["namespace"],
                "parent": self.parent,
                "how": self.how,
                "cwd": place["cwd"],
                "entry": place["entry"],
                "argv": redact_words(place["argv"]),
            }
            if self.extra:
                fact["extra"] = self.extra
            self.process.say(fact)

    def end(self, state: str = "COMPLETE", error: str = "", exit_code: int | None = None) -> None:
        """Write that it is over, and how; what it left in doubt is looked at once more. Only the owner can end it."""
        if self.ended or self.owner != os.getpid():
            return
        say_last_words(self)
        self.ended = True
        if not self.began:
            return
        with border("doubts"):
            self.ledger.settle_doubts()
        with border("modules"):
            if not self.process.journal.dropped and not self.place:
                from lineagekit.agent import modules

                modules.say_all(self)
        with border("end"):  # whatever failed before, it is said
            say_troubles(self.process, self.id)
            from lineagekit.agent.redact import redact

            end = {"fact": "end", "run": self.id, "state": state, "error": redact(error), "exit": exit_code}
            self.process.say(end)
            self.process.journal.sync()

    def leave(self) -> None:
        """A member's last words: what it left in doubt, what it ran, what failed."""
        with border("leave"):
            say_last_words(self)
            if self.began:
                self.ledger.settle_doubts()
                from lineagekit.agent import modules

                modules.say_all(self)
                say_troubles(self.process, self.id)

    # What a person says; `api` is the same for the current run.

    def input(self, target: Any, **facts: Any) -> Any:
        """Say that this was read: a path, URI, OpenLineage dataset, name in a database, or data frame."""
        from lineagekit.agent import targets, values

        with border("input"):
            targets.say_input(self, target, values.params_of((), facts))
        return target

    def output(self, target: Any, **facts: Any) -> Any:
        """Say that this was written."""
        from lineagekit.agent import targets, values

        with border("output"):
            targets.say_output(self, target, values.params_of((), facts))
        return target

    def params(self, *given: Any, **params: Any) -> Any:
        """Say what the run was set to: keywords, or one mapping or namespace."""
        from lineagekit.agent import values

        with border("params"):
            self.say({"fact": "params", "params": values.params_of(given, params)})
        return given[0] if given else params

    def metric(
        self,
        name: str,
        value: Any,
        *,
        of: Any = "",
        on: Any = "",
        higher_is_better: bool | None = None,
        step: Any = None,
    ) -> Any:
        """Say how good a model (`of`) is on some data (`on`)."""
        from lineagekit.agent import targets, values

        with border("metric"):
            fact = {"fact": "metric", "name": str(name), "value": values.number(value)}
            fact.update(of=targets.spell(of), on=targets.spell(on))
            fact.update(higher_is_better=higher_is_better, step=values.number(step))
            self.say(fact)
        return value

    def model(self, target: Any, name: str = "", version: str = "") -> Any:
        """Say that this output is a model, and which."""
        from lineagekit.agent import targets

        with border("model"):
            targets.say_model(self, target, name, str(version))
        return target

    # `with run(...)`

    def __enter__(self) -> Run:
        """Begin it; until the end, what this thread reads and writes is its lineage."""
        with border("enter"):
            process = self.process
            outer = current_run.get() or (process.opened[-1] if process.opened else process.main)
            if outer is not None and outer is not self and not self.parent:
                # A silent process is nobody's parent, unless `lineagekit run` has begun its run, and waits for these.
                is_begun = outer.began or (process.launched and outer is process.main)
                self.parent = outer.id if is_begun else outer.parent
            self.open()
            self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, with the error if there is one; the error goes on."""
        with border("exit"):
            self.close()
            state = "COMPLETE" if error is None else "FAIL" if isinstance(error, Exception) else "ABORT"
            self.end(state, "" if error is None else describe(error))

    def open(self) -> None:
        """What this thread does from here on is its lineage, and that of programs which it starts."""
        with self.process.lock:
            self.process.opened.append(self)
        tell_children(self.process)
        self.outer = current_run.get()
        current_run.set(self)

    def close(self) -> None:
        """What this thread does from here on is no longer its lineage."""
        process = self.process
        with process.lock:
            if self in process.opened:
                process.opened.remove(self)
        tell_children(process)
        if current_run.get() is self:  # not in another task, nor where blocks end in another order than they began
            outer, self.outer = self.outer, None
            while outer is not None and outer not in process.opened:
                outer = outer.outer
            current_run.set(outer)

    def __repr__(self) -> str:
        """Short."""
        return f"<lineagekit run {self.job or '?'} {self.id}>"
