# SPDX-License-Identifier: Apache-2.0
"""`lineagekit reindex`: makes the index anew from the log, which is never touched.

$ lineagekit reindex
store /work/.lineagekit: history from 2026-11-01, last event 2 h ago
1,204 events indexed: 602 runs, 48 datasets
"""

from __future__ import annotations

from dataclasses import dataclass

from lineagekit.cli.asking import StoreOption, described
from lineagekit.cli.count import Count
from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.freshness import opened_store
from lineagekit.cli.mirror import settings_for
from lineagekit.cli.output import Output


@dataclass(frozen=True, slots=True)
class Reindex:
    """Make the index anew from the log, which is never touched.

    Questions keep the index up to date by themselves; this is for one that is damaged or doubted.

    Example: lineagekit reindex
    """

    store: StoreOption = None
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Throw it away and fill a new one, showing how far it is."""
        from lineagekit.store.aliases import rules_of
        from lineagekit.store.index import reindex
        from lineagekit.store.query import counts

        with opened_store(out, self.store) as (store, where):
            rules = rules_of(settings_for(store), store.aliases())
            with reindex(store, store.folder, rules=rules) as index:
                out.progress = count = Count("events", total=index.behind())
                events = index.catch_up(count)
                count.hide()
                runs, datasets = counts(index.database)
                lost = len(store.damaged())
                out.say(described(where, index.database))
        out.say(f"{events:,} events indexed: {runs:,} runs, {datasets:,} datasets")
        if lost:
            out.warn(f"{lost} events are damaged on the disk, and left out")
        out.show({"events": events, "runs": runs, "datasets": datasets, "damaged": lost})
        return 0
