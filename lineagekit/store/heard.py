# SPDX-License-Identifier: Apache-2.0
"""What events of the log say, each with its key.

>>> [said.type for _, said in hear(store.run_events(run), store, refined=False)]  # doctest: +SKIP
['START', 'COMPLETE']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineagekit.events.edges import EVENT_FACET, read_edges
from lineagekit.events.lenient import Facets, objects, parse
from lineagekit.events.said import Said
from lineagekit.events.summary import ENDS
from lineagekit.store.log import Store
from lineagekit.store.refinements import resolve
from lineagekit.store.rows import Refinement, Row

Heard = tuple[bytes, Said]

_OURS = f'"{EVENT_FACET}":'.encode()


def hear(rows: Sequence[Row], store: Store, *, refined: bool) -> list[Heard]:
    """Read events; damaged ones say nothing. `refined` says that the log holds refinements at all.

    Of a START of ours whose end is here too only the time counts (`events.combine`), so it is not even parsed.
    """
    told = {row.run for row in rows if row.type in ENDS and _OURS in row.body}
    heard: list[Heard] = []
    for row in rows:
        if row.type == "START" and row.run in told and _OURS in row.body:
            heard.append((row.key, Said("run", row.type, row.time, run=row.run, is_ours=True)))
        elif event := parse(row.body):
            if refined and (learned := store.refinements(row.key)):
                event = _refined(event, learned)
            heard.append((row.key, read_edges(event, time=row.time)))
    return heard


def _refined(event: Facets, learned: Iterable[Refinement]) -> Facets:
    """The event as it would have been, had it been known then."""
    told = {**event}
    for one in learned:
        side, of_side, ours = f"{one.role}s", f"{one.role}Facets", f"lineagekit_{one.role}Content"
        told[side] = [_with(dataset, of_side, ours, one) for dataset in objects(told.get(side))]
    return told


def _with(dataset: Facets, of_side: str, ours: str, one: Refinement) -> Facets:
    if (dataset.get("namespace"), dataset.get("name")) != (one.namespace, one.name):
        return dataset
    facets = dict(dataset.get(of_side) or {})
    facets[ours] = resolve([facet for facet in (facets.get(ours), one.facet) if facet])
    return {**dataset, of_side: facets}
