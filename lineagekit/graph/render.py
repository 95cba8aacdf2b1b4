# SPDX-License-Identifier: Apache-2.0
r"""A trace for other programs: Graphviz, Mermaid, or the OpenLineage events themselves.

>>> print(*as_dot(found), sep="\n")  # doctest: +SKIP
digraph lineage {
  rankdir=LR;
  n1 [shape=ellipse, label="/data/raw.csv\n0f451c99cb29"];
  ...
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from lineagekit.graph.nodes import Edge, Node
from lineagekit.graph.steps import WEAK
from lineagekit.graph.trace import Trace
from lineagekit.store.log import Store

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./_-:=@,+~")


def as_dot(found: Trace) -> Iterator[str]:
    """Graphviz: `dot -Tsvg`. Dashed is what is not certain."""
    yield "digraph lineage {"
    yield f"  // {found.coverage.summary}"
    yield "  rankdir=LR;"
    numbers = _numbers(found)
    for key, node in found.nodes.items():
        label = "\\n".join(map(_quoted, _label(node)))
        yield f'  n{numbers[key]} [shape={"box" if node.run else "ellipse"}, label="{label}"];'
    for edge in found.edges:
        yield f"  n{numbers[edge.source.key]} -> n{numbers[edge.target.key]}{' [style=dashed]' * _is_weak(edge)};"
    yield "}"


def as_mermaid(found: Trace) -> Iterator[str]:
    """Mermaid: what GitHub and GitLab draw in a Markdown file. Dotted is what is not certain."""
    yield "flowchart LR"
    yield f"  %% {found.coverage.summary}"
    numbers = _numbers(found)
    for key, node in found.nodes.items():
        label = "<br/>".join(map(_coded, _label(node)))
        left, right = ("[", "]") if node.run else ("([", "])")
        yield f'  n{numbers[key]}{left}"{label}"{right}'
    for edge in found.edges:
        arrow = "-.->" if _is_weak(edge) else "-->"
        yield f"  n{numbers[edge.source.key]} {arrow} n{numbers[edge.target.key]}"


def as_events(found: Trace, store: Store) -> Iterator[str]:
    """The OpenLineage events of the runs that were followed, one a line, in the order of the log."""
    rows = [row for step in found.steps for row in store.run_events(step.run.run) if not row.damaged]
    for row in sorted(rows, key=lambda row: row.seq):
        text = row.body.decode(errors="surrogateescape")
        yield text if text.isprintable() else json.dumps(json.loads(text), separators=(",", ":"))


def _numbers(found: Trace) -> dict[str, int]:
    return {key: number for number, key in enumerate(found.nodes, 1)}


def _label(node: Node) -> Iterable[str]:
    if node.run is not None:
        return node.run.job, node.run.run[:13]
    return (node.version.dataset.title, node.version.short) if node.version else ()


def _is_weak(edge: Edge) -> bool:
    return edge.how in WEAK


def _quoted(text: str) -> str:
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _coded(text: str) -> str:
    """Mermaid's own codes for all that may mean something to it."""
    return "".join(
        sign if sign in _PLAIN or (sign.isalpha() and sign.isprintable()) else f"#{ord(sign)};" for sign in text
    )
