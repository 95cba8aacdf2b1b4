# SPDX-License-Identifier: Apache-2.0
"""The index without its numbers: what two of them have to have in common to be one graph."""

from __future__ import annotations

from lineagekit.store.index import Index
from lineagekit.store.run_ids import run_text


def picture(index: Index) -> dict[str, list[tuple[object, ...]]]:
    """Every table by names."""
    rows = index.database.rows
    classes: dict[int, list[str]] = {}
    for class_, namespace, name in rows("SELECT class, namespace, name FROM name"):
        classes.setdefault(class_, []).append(f"{namespace} {name}")
    title = {number: " = ".join(sorted(names)) for number, names in classes.items()} | {0: "", None: ""}
    run = {number: run_text(key) for number, key in rows("SELECT id, uuid FROM run")} | {0: "", None: ""}
    job = {number: f"{space} {name}" for number, space, name in rows("SELECT id, namespace, name FROM job")} | {0: ""}
    word = dict(rows("SELECT id, text FROM word"))
    algorithm = dict(rows("SELECT id, name FROM algorithm"))
    snap = {
        number: (title[dataset], algorithm[algo], hash_)
        for number, dataset, algo, hash_ in rows("SELECT id, dataset, algorithm, hash FROM snapshot")
    } | {None: ()}
    told = {
        "run": [
            (run[r], job.get(j), *rest[:3], run[p], *facts)
            for r, j, *rest, p, a, b, c in rows(
                "SELECT id, job, began, took, state, parent, code, params, environment FROM run"
            )
            for facts in [(a, b, c)]
        ],
        "read": [
            (run[r], title[d], run[s], title[v], at, snap[n], how, parts)
            for r, d, s, v, at, n, how, parts in rows("SELECT run, dataset, src, via, at, snap, how, parts FROM read")
        ],
        "write": [
            (run[r], title[d], at, snap[n], mark, done, title[of], parts)
            for r, d, at, n, mark, done, of, parts in rows(
                "SELECT run, dataset, at, snap, mark, done, of, parts FROM write"
            )
        ],
        "flow": [
            (job[j], title[s], title[d], designed, first, last, runs)
            for j, s, d, designed, first, last, runs in rows(
                "SELECT job, src, dst, designed, first, last, runs FROM flow"
            )
        ],
        "run_flow": [(run[r], title[s], title[d]) for r, s, d in rows("SELECT run, src, dst FROM run_flow")],
        "column": [
            (job[j], title[s], word[a], title[d], word[b], word[k])
            for j, s, a, d, b, k in rows("SELECT job, src, src_column, dst, dst_column, kind FROM column_flow")
        ],
        "build": [
            (run[r], title[d], word[m], v) for r, d, m, v in rows("SELECT run, dataset, model, version FROM build")
        ],
        "metric": [
            (run[r], p, word[n], value, title[d], of)
            for r, p, n, value, d, of in rows("SELECT run, position, name, value, dataset, of FROM metric")
        ],
        "pin": [(title[d], v, snap[s]) for d, v, s in rows("SELECT dataset, version, snap FROM pin")],
        "owner": [
            (kind, job[s] if kind == "job" else title[s], name)
            for kind, s, name in rows("SELECT kind, subject, name FROM owner")
        ],
        "around": [
            (title[a], title[b])
            for a, b in rows("SELECT n.class, o.class FROM name n JOIN name o ON o.id = n.outer WHERE n.rank > 0")
        ],
        "kind": [
            (title[n], kind) for n, kind in rows("SELECT class, max(kind) FROM name WHERE rank > 0 GROUP BY class")
        ],
    }
    return {table: sorted(found, key=repr) for table, found in told.items()}
