# SPDX-License-Identifier: Apache-2.0
"""The events of one run put together: what it says does not depend on the order in which they came, or how often.

>>> start, end = Said("run", "START", 1, run="r", job=Name("n", "j")), Said("run", "COMPLETE", 2, run="r")
>>> told = combine([(b"2", end), (b"1", start)])
>>> told.state, told.began, told.ended
('COMPLETE', 1, 2)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lineagekit.events.edges import merge
from lineagekit.events.producers import mend
from lineagekit.events.said import Name, Said, Told, Touches
from lineagekit.events.summary import ENDS, outcome

Edge = tuple[Name | None, Name | None]

_UNNAMED = Name("", "")


def combine(events: Iterable[tuple[bytes, Said]]) -> Told:
    """A run from its events, each with its key, which settles ties the same way every time."""
    ordered = [said for _, said in sorted(events, key=_order)]
    ends = [said for said in ordered if said.type in ENDS]
    last = ends[-1] if ends else ordered[-1]
    # What our START names and our end does not was found to be no data of the run.
    is_told = any(said.is_ours for said in ends)
    telling = [said for said in ordered if not (is_told and is_brief(said))]
    whole = telling[0] if len(telling) == 1 else _merged(telling)
    told = Told(
        run=last.run,
        job=last.job or next((said.job for said in reversed(ordered) if said.job), _UNNAMED),
        began=min(said.time for said in ordered),
        ended=last.time if ends else 0,
        state=outcome(said.type for said in ends),
        said=whole,
    )
    if any(said.note is not None for said in ordered):
        told = mend(told, ordered)
    told.edges = _edges(told.said)
    return told


def is_brief(said: Said) -> bool:
    """Whether our end of the run says all of this, and more."""
    return said.is_ours and said.type == "START"


def _order(event: tuple[bytes, Said]) -> tuple[bool, int, bool, bytes]:
    """START says least, whatever its clock said; of one moment the end is the last word."""
    key, said = event
    return said.type != "START", said.time, said.type in ENDS, key


def _merged(ordered: list[Said]) -> Said:
    whole = replace(ordered[0], inputs={**ordered[0].inputs}, outputs={**ordered[0].outputs})
    whole.columns, whole.facts = {**whole.columns}, {**whole.facts}
    for said in ordered[1:]:
        _add_touches(whole.inputs, said.inputs)
        _add_touches(whole.outputs, said.outputs)
        whole.columns.update(said.columns)
        whole.facts.update(said.facts)
        if said.explicit is not None:
            whole.explicit = said.explicit | (whole.explicit or frozenset())
        whole.parent, whole.root = said.parent or whole.parent, said.root or whole.root
        whole.grades = said.grades or whole.grades
        whole.owners = said.owners or whole.owners
    return whole


def _add_touches(whole: Touches, more: Touches) -> None:
    for name, touch in more.items():
        whole[name] = merge(whole[name], touch) if name in whole else touch


def _edges(said: Said) -> frozenset[Edge] | None:
    """Which input went where: as it was spelled out, else as the columns say, else all into all (None).

    An input that no column came from was still read, to filter or to join perhaps: it counts for every output.
    """
    if said.explicit is not None or not said.columns:
        return said.explicit
    known = {link: name for name, touch in said.inputs.items() for link in (name, *touch.links)}
    told = {output: {known[c.source] for c in columns if c.source in known} for output, columns in said.columns.items()}
    claimed = set().union(*told.values())
    edges: set[Edge] = set()
    for output in said.outputs:
        sources = told.get(output)
        edges.update((source, output) for source in (sources or said.inputs))
        edges.update((source, output) for source in said.inputs if source not in claimed)
    return frozenset(edges) if len(edges) < len(said.inputs) * len(said.outputs) else None
