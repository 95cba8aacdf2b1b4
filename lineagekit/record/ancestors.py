# SPDX-License-Identifier: Apache-2.0
"""Which run began a run, and which began them all: by the journals, else by the log.

>>> root_of("0197a1b2-0000-7000-8000-000000000002", bench)  # doctest: +SKIP
RunName(run='0197...1', namespace='risk', job='nightly.sh')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineagekit.events.account import RunName
from lineagekit.events.lenient import mapping
from lineagekit.events.naming import run_id
from lineagekit.record.bench import Ancestors, Bench, name_of, row_of
from lineagekit.store.log import Store


def root_of(run: str, bench: Bench) -> RunName | None:
    """The topmost ancestor of a run, or itself; None where the chain breaks off before its top is seen."""
    seen: set[str] = set()
    while run not in seen:
        seen.add(run)
        above = bench.names.parents.get(run, "")
        if not above:
            if run in bench.names.known:
                return name_of(run, bench)
            parent, root = ancestors_in_log(run, bench)
            if root or not parent:
                return root or (name_of(run, bench) if row_of(run, bench.store) else None)
            above = parent.run
        run = above
    return None


def ancestors_in_log(run: str, bench: Bench) -> Ancestors:
    """What the events of a run say of those above it; asked once, until it has said more."""
    row = row_of(run, bench.store)
    newest = row.seq if row else 0
    known = bench.above.get(run)
    if known is None or known[0] != newest:
        known = bench.above[run] = newest, _read(run_id(run), bench.store)
    return known[1]


def _read(run: str, store: Store) -> Ancestors:
    for row in store.each_event(run):
        if told := mapping(mapping(mapping(row.event.get("run")).get("facets")).get("parent")):
            return Ancestors(_name(told), _name(mapping(told.get("root"))))
    return Ancestors()


def _name(told: Mapping[str, Any]) -> RunName | None:
    run, job = mapping(told.get("run")).get("runId"), mapping(told.get("job"))
    return RunName(str(run), str(job.get("namespace", "")), str(job.get("name", ""))) if run else None
