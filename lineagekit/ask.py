# SPDX-License-Identifier: Apache-2.0
"""Questions as functions: what `lineagekit trace` and `lineagekit impact` answer, as values.

    >>> import lineagekit
    >>> lineagekit.impact("s3://raw/orders").counts  # doctest: +SKIP
    Counter({'table': 11, 'model': 3})
    >>> lineagekit.trace("model-42").graph.number_of_nodes()  # doctest: +SKIP
    47

`.graph` is a `networkx.DiGraph` of the answer, `.to_json()` what `--json` prints. What jobs left is settled first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineagekit.cli.asking import asked
from lineagekit.cli.output import Output

if TYPE_CHECKING:
    from lineagekit.graph.impact import Impact
    from lineagekit.graph.trace import Trace


def trace(target: str, *, store: str | None = None, depth: int | None = None) -> Trace:
    """Exactly which bytes made this. `store` is a folder or `marquez+http://HOST`; without it the usual one.

    Raises NotFoundError for what was never recorded, UsageError for what may be several things, StoreError.
    """
    from lineagekit.graph.trace import trace as ask

    with asked(Output("trace"), store) as it:
        return ask(it.db, it.store, target, depth=depth, complete=it.settings.complete)


def impact(
    target: str,
    *,
    store: str | None = None,
    version: str = "",
    columns: Sequence[str] = (),
    depth: int | None = None,
    models: bool = False,
) -> Impact:
    """Who uses this, and who breaks if it is deleted; arguments and errors as those of the command and of `trace`."""
    from lineagekit.graph.impact import Scope
    from lineagekit.graph.impact import impact as ask

    scope = Scope(version=version, columns=tuple(columns), depth=depth, models=models)
    with asked(Output("impact"), store) as it:
        return ask(it.db, target, scope=scope, settings=it.settings)
