# SPDX-License-Identifier: Apache-2.0
"""Two of which at least one is only remembered: digests, manifests, schemas and profiles instead of bytes.

    >>> compare_kept("orders@1", before, "orders.csv", after, steps).verdict  # doctest: +SKIP
    'changed (about 100 rows, columns amount)'

Sums of cell hashes name the columns that changed, whatever the order of rows; the sketch of rows says how many did.
"""

from __future__ import annotations

from dataclasses import replace

from lineagekit.differ.changes import Column, ColumnChange, Renamed, Retyped, RowChanges, SchemaChanges
from lineagekit.differ.difference import Difference
from lineagekit.differ.files import compare_manifests
from lineagekit.differ.kept import Columns, Kept
from lineagekit.differ.profiles import changed_profiles, changed_totals, totals_of
from lineagekit.differ.steps import Steps, size_text
from lineagekit.differ.verdict import Verdict, files_verdict, table_verdict
from lineagekit.errors import IncomparableError
from lineagekit.identity.profile_summary import estimate_changed_rows

_STORED = "from what the store keeps"


def compare_kept(a: str, before: Kept, b: str, after: Kept, steps: Steps) -> Difference:
    """Compare what is remembered; the levels say what could not be."""
    found = Difference(a, b, "unknown", "not known")
    if _bytes(before, after, steps):
        return _told(found, ("identical", "identical bytes"), steps)
    if before.manifest is not None or after.manifest is not None:
        return _folders(found, before, after, steps)
    if (verdict := _content(before, after, steps)) is not None:
        return _told(found, verdict, steps)
    if not (before.columns or after.columns):
        return _told(found, _of_bytes(before, after), steps)
    schema = _schema(before, after, steps)
    if schema is None:
        return _told(found, _of_bytes(before, after), steps)
    columns = changed_totals(before, after)
    rows = _rows(before, after, schema, steps)
    found = replace(found, schema=schema, rows=rows, statistics=_statistics(before, after, steps))
    if columns and (rows is None or not rows.differ):
        words = [f"columns {', '.join(columns)}", *([f"schema: {', '.join(schema.words())}"] * bool(schema))]
        return _told(found, ("changed", f"changed ({', '.join(words)}; in how many rows is not known)"), steps)
    return _told(found, table_verdict(schema, rows), steps)


def _statistics(before: Kept, after: Kept, steps: Steps) -> tuple[ColumnChange, ...] | None:
    if not (before.profiled and after.profiled) or before.is_text != after.is_text:
        steps.skip("statistics", _missing(before, after, "profile"))
        return None
    with steps.step("statistics") as step:
        changed = changed_profiles(before, after)
        step.found(bool(changed), f"{len(changed)} column{'' if len(changed) == 1 else 's'} differ")
        step.cost = _STORED
    return changed


def _told(found: Difference, verdict: Verdict, steps: Steps) -> Difference:
    kind, phrase = verdict
    return replace(found, kind=kind, verdict=phrase, levels=tuple(steps.levels), warnings=tuple(steps.warnings))


def _bytes(before: Kept, after: Kept, steps: Steps) -> bool:
    a, b = before.of_bytes, after.of_bytes
    if a is None or b is None or a.method != b.method:
        if before.pin and before.pin == after.pin:
            steps.skip("bytes", f"both are version {before.pin}, which vouches for no bytes")
        else:
            steps.skip("bytes", _why(before, after))
        return False
    with steps.step("bytes") as step:
        step.found(a != b, f"{a.hex[:12]} and {b.hex[:12]}" if a != b else f"{a.algorithm}:{a.hex[:12]}")
        step.cost = _STORED
    return a == b


def _why(before: Kept, after: Kept) -> str:
    reasons = [one.reason for one in (before, after) if one.reason]
    return "; ".join(dict.fromkeys(reasons)) or "there is no digest of the same kind of both"


def _of_bytes(before: Kept, after: Kept) -> Verdict:
    a, b = before.of_bytes, after.of_bytes
    if a is None or b is None or a.method != b.method:
        return "unknown", f"not known ({_why(before, after)})"
    sizes = [size_text(one.bytes) for one in (before, after) if one.bytes is not None]
    return "changed", f"changed ({' -> '.join(sizes) if len(sizes) == 2 else 'other bytes'})"


def _missing(before: Kept, after: Kept, what: str) -> str:
    who = [name for name, one in (("before", before), ("after", after)) if getattr(one, what) is None]
    if who:
        return f"no {what} was kept of {' and '.join(who)}"
    is_text = before.is_text != after.is_text
    return "one side is text, which has no types" if is_text else f"a {what} is not known to be of these columns"


def _folders(found: Difference, before: Kept, after: Kept, steps: Steps) -> Difference:
    if before.manifest is None or after.manifest is None:
        steps.skip("files", _missing(before, after, "manifest"))
        return _told(found, _of_bytes(before, after), steps)
    try:
        with steps.step("files") as step:
            files = compare_manifests(before.manifest, after.manifest)
            step.found(bool(files), f"{files.before:,} and {files.after:,} files")
            step.cost = _STORED
    except IncomparableError:
        return _told(found, _of_bytes(before, after), steps)
    steps.skip("rows", "the bytes of one side are gone, and tables in folders have no profile of their own")
    return _told(replace(found, files=files), files_verdict(files), steps)


def _content(before: Kept, after: Kept, steps: Steps) -> Verdict | None:
    """Equal digests of the content, which make all else needless."""
    pairs = [(before.digest(name), after.digest(name)) for name in ("lks1", "lkt1")]
    known = [(a, b) for a, b in pairs if a is not None and b is not None and a.method == b.method]
    if not known:
        steps.skip("content", "there are no content digests of the same kind of both")
        return None
    with steps.step("content") as step:
        equal = [a.algorithm for a, b in known if a == b]
        step.found(not equal, f"equal {equal[0]}" if equal else "other rows, or other types")
        step.cost = _STORED
    if "lks1" in equal:
        return "same content", "same content, re-encoded"
    names = [[name for name, _ in one.columns] for one in (before, after)]
    if equal and names[0] == names[1]:
        return "other order", "same rows, other order"
    return ("schema only", "schema only (columns reordered)") if equal else None


def _schema(before: Kept, after: Kept, steps: Steps) -> SchemaChanges | None:
    if not (before.columns and after.columns):
        steps.skip("schema", "no columns were recorded of one side")
        return None
    with steps.step("schema") as step:
        changes = _compare_columns(before.columns, after.columns, _renamed(before, after))
        if before.is_text != after.is_text:  # every column has another type, which says nothing
            changes = replace(changes, retyped=())
        words = changes.words()
        step.found(bool(words), ", ".join(words) or f"{len(after.columns)} columns")
        step.cost = _STORED
    return changes


def _compare_columns(before: Columns, after: Columns, renamed: tuple[Renamed, ...]) -> SchemaChanges:
    one, other = dict(before), dict(after)
    gone, new = {column.before for column in renamed}, {column.after for column in renamed}
    shared = [name for name in one if name in other]
    return SchemaChanges(
        added=tuple(Column(*column) for column in after if column[0] not in one and column[0] not in new),
        dropped=tuple(Column(*column) for column in before if column[0] not in other and column[0] not in gone),
        renamed=renamed,
        retyped=tuple(Retyped(name, one[name], other[name]) for name in shared if one[name] != other[name]),
        reordered=shared != [name for name in other if name in one],
    )


def _renamed(before: Kept, after: Kept) -> tuple[Renamed, ...]:
    """By content: one column on either side, and no other, has this sum of cells."""
    a, b = totals_of(before), totals_of(after)
    gone = {name: total for name, total in a.items() if name not in b}
    new = {total: name for name, total in b.items() if name not in a}
    pairs = [(name, new[total]) for name, total in gone.items() if total in new]
    is_sure = len({after for _, after in pairs}) == len(pairs) and before.rows == after.rows
    return tuple(Renamed(*pair) for pair in pairs) if is_sure else ()


def _rows(before: Kept, after: Kept, schema: SchemaChanges, steps: Steps) -> RowChanges | None:
    if before.rows is None or after.rows is None:
        steps.skip("rows", "the number of rows was not recorded of one side")
        return None
    if not (before.profiled and after.profiled) or before.is_text != after.is_text:
        steps.skip("rows", _missing(before, after, "profile"))
        return None
    columns, net = changed_totals(before, after), after.rows - before.rows
    rows = RowChanges(before.rows, after.rows, columns=tuple((name, 0) for name in columns), exact=False)
    if before.profiled != after.profiled:  # rows of other columns or types hash otherwise
        steps.skip("rows", f"{before.rows:,} and {after.rows:,}; which ones is not known, for the columns are others")
        rows = replace(rows, added=max(0, net), removed=max(0, -net))
        return rows if rows.differ or not (columns or schema.retyped) else None
    with steps.step("rows") as step:
        changed, added, removed = _by_sketch(before, after)
        count = changed + added + removed
        step.found(bool(count), f"about {count:,} rows differ; which ones is not known, for bytes are gone")
        step.cost = f"{_STORED}, no row was read"
    return replace(rows, changed=changed, added=added, removed=removed)


def _by_sketch(before: Kept, after: Kept) -> tuple[int, int, int]:
    """Changed, added, removed: the row counts tell the last two apart, and one of each is a changed row."""
    if before.profile is None or after.profile is None:
        return 0, 0, 0
    moved, net = estimate_changed_rows(before.profile, after.profile), (after.rows or 0) - (before.rows or 0)
    return max(0, round((moved - abs(net)) / 2)), max(0, net), max(0, -net)
