# SPDX-License-Identifier: Apache-2.0
"""`lineagekit doctor --lineage`: what is odd about the recorded lineage, worst first, each with what mends it.

>>> examine_lineage(out, None)  # doctest: +SKIP
store /work/.lineagekit: history from 2026-11-01, last event 2 h ago
out of band    /data/orders.csv  3 times, last 2 h ago
               Record who changes it: lineagekit run -- COMMAND...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from lineagekit.cli.asking import asked
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe
from lineagekit.cli.times import ago
from lineagekit.graph.oddities import Oddity, oddities


def examine_lineage(out: Output, store: str | None) -> int:
    """Look for them, and say all."""
    with asked(out, store) as it:
        found = oddities(it.db)
    out.say(it.where, *(line for one in found for line in _lines(one)))
    if not found:
        out.say("lineage        nothing odd: every input has a writer, every output a digest, every dataset one name")
    out.show([asdict(one) for one in found])
    return 0


def _lines(one: Oddity) -> Iterator[str]:
    times = f"{one.times} time{'' if one.times == 1 else 's'}"
    when = f"  {times}, last {ago(one.last)}" if one.last else ""
    yield f"{one.kind:15}{safe(one.dataset)}{when}"
    yield f"{'':15}{one.mend}"
