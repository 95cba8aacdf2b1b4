# SPDX-License-Identifier: Apache-2.0
"""Root changes of what was read and written: what is different where nothing further up explains it.

>>> source_change(views, old, new, ([], [])).kind  # doctest: +SKIP
'source'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lineagekit.cause.change import Change, Kind
from lineagekit.cause.pairing import columns_of, is_equal, is_same_content
from lineagekit.cause.views import Columns, Use, View, Views
from lineagekit.store import walk
from lineagekit.store.found import Read

_CHANGED = "changed after it was written"


def source_change(views: Views, old: Use, new: Use, writers: tuple[list[Read], list[Read]]) -> Change:
    """Bytes that nobody known wrote: a source, or, where runs write it, somebody out of band."""
    if old.columns and new.columns and old.columns != new.columns:
        return replace(changed("schema", old, new), details=tuple(_compared(old.columns, new.columns)))
    is_written = bool(walk.writes_to(views.db, new.dataset, limit=1))
    kind: Kind = "out of band" if is_written and not writers[1] else "source"
    return changed(kind, old, new)


def changed(kind: Kind, old: Use, new: Use) -> Change:
    """What was read has other bytes."""
    return Change(
        kind,
        new.title,
        before=old.touch.identity[1],
        after=new.touch.identity[1],
        identity=new.touch.identity[0],  # type: ignore[arg-type]
        inert=is_same_content(old, new),
        dataset=new.dataset,
        at=new.touch.at or None,
    )


def schema_change(where: str, olds: Sequence[Use], news: Sequence[Use]) -> Change | None:
    """Of a feed of parts: a column that some part has now, or none has any longer."""
    old, new = columns_of(olds), columns_of(news)
    if not old or not new or set(old) == set(new):
        return None
    details = tuple(_compared(old, new))
    return Change("schema", where, dataset=news[-1].dataset, at=news[-1].touch.at or None, details=details)


def _compared(old: Columns, new: Columns) -> Iterator[str]:
    before, after = dict(old), dict(new)
    gone, added = [n for n in before if n not in after], [n for n in after if n not in before]
    if gone:
        yield f"gone: {', '.join(gone[:8])}"
    if added:
        yield f"new: {', '.join(added[:8])}"
    yield from (f"{n}: {before[n]} -> {after[n]}" for n in before if n in after and before[n] != after[n])


def unexplained(good: View, bad: View, read: tuple[Use, Use] | None) -> Iterator[Change]:
    """Two runs with the same code, settings and inputs, of which other bytes were read.

    Either they wrote other bytes, and something is hidden; or somebody changed these after they were written.
    """
    if not good.run.state == bad.run.state == "COMPLETE":
        return
    if read is None:
        if _outputs_differ(good, bad):
            yield _hidden(good, bad)
        return
    old, new = read
    written = bad.outputs.get(new.name)
    is_theirs = written is None or written.digest == new.digest
    is_changed = written is not None and str(written.content.get("reason", "")).startswith(_CHANGED)
    if not is_theirs and (is_changed or (written is not None and written.digest)):
        yield changed("out of band", old, new)
    else:
        yield _hidden(good, bad)


def _outputs_differ(good: View, bad: View) -> bool:
    pairs = ((good.outputs[name], bad.outputs[name]) for name in good.outputs.keys() & bad.outputs.keys())
    return any(old.digest and new.digest and not is_equal(old, new) for old, new in pairs)


def _hidden(good: View, bad: View) -> Change:
    return Change("hidden", bad.job, run=bad.run.run, good_run=good.run.run, at=bad.run.began)
