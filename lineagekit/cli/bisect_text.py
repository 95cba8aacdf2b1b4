# SPDX-License-Identifier: Apache-2.0
"""A bisect in lines of text: what will be tried, a line a rebuild, and what it has shown.

>>> list(finding_lines(finding))  # doctest: +SKIP
['CULPRIT  /data/labels 2026-05-03 was rewritten: ...', '         sufficient and necessary, by 4 rebuilds']
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lineagekit.cause.atoms import WINDOW
from lineagekit.cause.blame import Blame
from lineagekit.cause.finding import Finding
from lineagekit.cause.inquest import Inquest
from lineagekit.cause.outcome import Outcome
from lineagekit.cause.surgeon import CARRY
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe

if TYPE_CHECKING:
    from rich.status import Status

_MOST = 12


def plan_lines(found: Blame, inquest: Inquest) -> Iterator[str]:
    """Before anything runs."""
    chosen, recipe = found.chosen, inquest.recipe
    judged = "judged by the exit code of the command"
    if recipe.metric_file or recipe.metric:
        word = "from" if recipe.higher_is_better else "up to"
        judged = f"{safe(recipe.metric_file or recipe.metric)}, good {word} {recipe.threshold:.4g}"
    yield f"{safe(found.series.model)}  builds {chosen.good.number} -> {chosen.bad.number}; {judged}"
    if chosen.gate is not None and chosen.gate.verdict == "cannot tell" and not chosen.is_asked:
        yield "note  a regression is not established: what is shown makes the difference between these two builds"
    atoms = inquest.atoms.atoms
    yield from (f" {place:2} {safe(atom.label)}" for place, atom in enumerate(atoms[:_MOST], 1))
    if len(atoms) > _MOST:
        yield f"    and {len(atoms) - _MOST} more"
    yield from (f"cannot be tried  {safe(what)}: {safe(why)}" for what, why in inquest.atoms.untestable.items())
    yield from (f"in the way  {safe(one)}" for one in inquest.obstacles)
    most = 2 + max(len(atoms) - 1, 0).bit_length() + 2
    more = (
        ", and four or more to tell its feeds apart if it is the window" if any(a.id == WINDOW for a in atoms) else ""
    )
    yield f"about {min(most, 2 ** len(atoms)) if atoms else 0} rebuilds, if it is one cause{more}"


def plan_json(found: Blame, inquest: Inquest) -> dict[str, Any]:
    """The same for programs."""
    chosen, recipe = found.chosen, inquest.recipe
    return {
        "model": found.series.model,
        "good": chosen.good.number,
        "bad": chosen.bad.number,
        "metric": recipe.metric or recipe.metric_file or None,
        "threshold": recipe.threshold,
        "changes": [atom.label for atom in inquest.atoms.atoms],
        "untestable": dict(inquest.atoms.untestable),
        "obstacles": inquest.obstacles,
    }


class Teller:
    """A line for each rebuild, as it ends; meanwhile, on a terminal, what is being built."""

    def __init__(self, out: Output, found: Blame, inquest: Inquest) -> None:
        """Nothing was rebuilt yet."""
        self.out, self.found, self.inquest = out, found, inquest
        self._status: Status | None = None

    def __call__(self, number: int, chosen: frozenset[str], why: str, outcome: Outcome | None) -> None:
        """Before it and after it."""
        what = hybrid_words(self.found, self.inquest, chosen)
        if outcome is None:
            self._show(f"probe {number}  {what}: {why}")
            return
        self.hide()
        value = "" if outcome.value is None else f"{outcome.value:.4g}"
        remark = f"  {safe(outcome.why)}" if outcome.why else ""
        line = f"probe {number:<2} {what:46.46} {value:>9}  {outcome.verdict:5}{outcome.seconds:6.1f} s{remark}"
        self.out.say(line)

    def hide(self) -> None:
        """Nothing is being built."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show(self, text: str) -> None:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.markup import escape
            from rich.status import Status

            self._status = Status(escape(safe(text)), console=Console(stderr=True))
            self._status.start()


def _short(feed: str) -> str:
    """The last of its path, without what moves: /raw/clicks/{}.csv is clicks."""
    names = [part for part in feed.split("/") if part and "{}" not in part]
    return names[-1] if names else feed


def hybrid_words(found: Blame, inquest: Inquest, chosen: frozenset[str]) -> str:
    """Which hybrid it is, by the numbers of the plan.

    A few changes are named as what is new in the good build, many by what is left out of the bad one.
    """
    good, bad = found.chosen.good.number, found.chosen.bad.number
    carried = [_short(name.removeprefix(CARRY)) for name in chosen if name.startswith(CARRY)]
    name = f"{len(carried)} feeds" if len(carried) > 1 else "".join(carried)
    more = f", {name} carried on" if carried else ""
    atoms = inquest.atoms.atoms
    places = [place for place, atom in enumerate(atoms, 1) if atom.id in chosen]
    if not places:
        return f"as build {good}{more}"
    if len(places) == len(atoms):
        return f"as build {bad}{more}"
    if len(places) * 2 <= len(atoms):
        return f"build {good} with {_numbers(places)}{more}"
    return f"build {bad} without {_numbers([place for place in range(1, len(atoms) + 1) if place not in places])}{more}"


def _numbers(places: list[int]) -> str:
    return f"change{'s' * (len(places) > 1)} {', '.join(map(str, places))}"


def finding_lines(finding: Finding) -> Iterator[str]:
    """What it has shown."""
    is_shown = finding.status == "confirmed"
    for cause in finding.causes:
        yield f"{'CULPRIT' if is_shown else 'ENOUGH '}  {safe('; with '.join(cause))}"
    if is_shown:
        yield f"         {safe(finding.how)}" + ("" if finding.paid == finding.probes else f", {finding.paid} now")
    else:
        yield f"no culprit: {safe(finding.status)}. {safe(finding.why)}".rstrip()
    yield from (f"suspect  {safe(label)}" for label in finding.suspects)
    yield from (f"repairs  {net:.4g}  {safe(feed)}" for feed, net in finding.repairs.items())
    yield from (f"cleared  {safe(label)}" for label in finding.cleared)
    yield from (f"not tried  {safe(label)}" for label in finding.untested)
    yield from (f"not judged by this command, which never read it  {safe(label)}" for label in finding.unread)
    yield from (f"note     {safe(note)}" for note in finding.notes)
