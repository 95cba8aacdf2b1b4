# SPDX-License-Identifier: Apache-2.0
"""Bisect by hand, as in git: it says what to build, a person builds it, wherever that is, and says what came of it.

$ lineagekit bisect start churn
build 7 with change 1; put there, and build:
  /data/labels.csv   the bytes in /work/.lineagekit/objects/9f/3c0712ab...
then say: lineagekit bisect good, bad or skip
$ lineagekit bisect good 0.81
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lineagekit.cause.outcome import Outcome, Verdict
from lineagekit.cause.session import FOLDER, write_json
from lineagekit.cli.asking import asked
from lineagekit.cli.bisect_text import hybrid_words
from lineagekit.cli.bisecting import Case, Options, conclude, go_on, open_case, try_all
from lineagekit.cli.output import Output
from lineagekit.cli.text import safe
from lineagekit.errors import NotFoundError, UsageError

_CURRENT = "current.json"
_OPTIONS = ("good", "bad", "metric", "higher", "threshold", "only", "environment")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Waiting(Exception):  # noqa: N818: nothing went wrong: it is a person's turn
    """This hybrid has to be built."""

    chosen: frozenset[str]


class Person:
    """Who builds by hand."""

    def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
        """Ask for it."""
        raise Waiting(chosen)


def do(verb: str, words: Sequence[str], options: Options, out: Output) -> int:
    """One of start, good, bad, skip, run, log, replay, reset."""
    if verb == "start":
        if len(words) != 1:
            raise UsageError(f"got {len(words)} models, expected one", advice="Write: lineagekit bisect start MODEL")
        return _start(words[0], options, out)
    folder, told = _current(out, options)
    if verb == "reset":
        (folder / _CURRENT).unlink()
        out.say(f"forgotten: the bisect of {safe(told['model'])}")
        out.show({"reset": told["model"]})
        return 0
    given = replace(options, **{name: told[name] for name in _OPTIONS}, dry_run=False)
    if verb == "run":
        return _run(told["model"], list(words), given, out)
    case = _case(out, told["model"], given)
    if verb == "log":
        return _log(case, out)
    if verb == "replay":
        _replay(case, words)
    else:
        _judge(case, verb, words)
    return _next(case, out)


def _start(model: str, options: Options, out: Output) -> int:
    case = open_case(out, model, options, [])
    chosen = case.found.chosen
    told = {name: getattr(options, name) for name in _OPTIONS}
    told |= {"model": model, "good": str(chosen.good.number), "bad": str(chosen.bad.number), "metric": chosen.metric}
    write_json(case.session.folder.parent / _CURRENT, told)
    return _next(case, out)


def _case(out: Output, model: str, options: Options) -> Case:
    return open_case(Output(out.command, as_json=True), model, options, [])  # its plan was said at the start


def _current(out: Output, options: Options) -> tuple[Path, Mapping[str, Any]]:
    with asked(out, options.store) as it:
        folder = Path(it.store.folder, FOLDER)
    try:
        told = json.loads((folder / _CURRENT).read_text())
    except (OSError, ValueError):
        raise NotFoundError("no bisect was begun here", advice="Run: lineagekit bisect start MODEL") from None
    return folder, told


def _next(case: Case, out: Output) -> int:
    """Say what to build next, or what was shown."""
    try:
        finding = go_on(case, Person(), lambda *_: None)
    except Waiting as waiting:
        out.say(*_wanted(case, waiting.chosen))
        out.show({"build": _build_json(case, waiting.chosen)})
        return 1
    return conclude(out, finding)


def _judge(case: Case, verdict: str, words: Sequence[str]) -> None:
    """Remember what a person says of the hybrid that was asked for."""
    try:
        value = float(words[0]) if words else None
    except ValueError:
        raise UsageError(f"no number: got {words[0]!r}, expected what the build scored, or nothing") from None
    try:
        go_on(case, Person(), lambda *_: None)
    except Waiting as waiting:
        case.session.add(waiting.chosen, Outcome(_verdict(verdict), value, by_hand=True))
        return
    raise UsageError("it is decided already", advice="See: lineagekit bisect log")


def _verdict(word: str) -> Verdict:
    if word in ("good", "bad", "skip"):
        return word  # type: ignore[return-value]
    raise UsageError(f"no verdict: got {word!r}, expected good, bad or skip")


def _run(model: str, command: list[str], options: Options, out: Output) -> int:
    """Go on with a command, from what was told by hand."""
    if not command:
        raise UsageError("no command to rebuild with", advice="Write: lineagekit bisect run -- make")
    by_hand = _case(out, model, options).session
    case = open_case(out, model, options, command)
    known = dict(case.session.outcomes())
    for chosen, outcome in by_hand.outcomes():
        if chosen not in known:
            case.session.add(chosen, outcome)
    return try_all(out, case, options)


def _log(case: Case, out: Output) -> int:
    """What was told, in lines that `replay` understands."""
    lines = [(chosen, outcome) for chosen, outcome in case.session.outcomes()]
    out.say(f"# {safe(case.found.series.model)}: lineagekit bisect replay FILE tells all of it again")
    for chosen, outcome in lines:
        value = "" if outcome.value is None else f" {outcome.value!r}"
        out.say(f"{outcome.verdict} {','.join(sorted(chosen)) or '-'}{value}")
    out.show([{"verdict": one.verdict, "changes": sorted(chosen), "value": one.value} for chosen, one in lines])
    return 0


def _replay(case: Case, words: Sequence[str]) -> None:
    if len(words) != 1:
        raise UsageError(f"got {len(words)} files, expected one", advice="Write: lineagekit bisect replay FILE")
    try:
        lines = Path(words[0]).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(f"{words[0]} cannot be read: {error}") from None
    atoms = {atom.id for atom in case.inquest.atoms.atoms}
    told = [_told(line, atoms) for line in lines if line.strip() and not line.startswith("#")]
    case.session.empty()
    for chosen, outcome in told:
        case.session.add(chosen, outcome)


def _told(line: str, atoms: set[str]) -> tuple[frozenset[str], Outcome]:
    """One line of a log."""
    verdict, _, rest = line.partition(" ")
    names, _, value = rest.partition(" ")
    chosen = frozenset(names.split(",")) - {"-", ""}
    if unknown := {one for one in chosen if one not in atoms and ":" not in one}:
        raise UsageError(f"no such change in this bisect: got {sorted(unknown)}, expected some of {sorted(atoms)}")
    try:
        return chosen, Outcome(_verdict(verdict), float(value) if value else None, by_hand=True)
    except ValueError:
        raise UsageError(f"no number: got {value!r} in {line!r}") from None


def _wanted(case: Case, chosen: frozenset[str]) -> Iterator[str]:
    yield f"{hybrid_words(case.found, case.inquest, chosen)}; put there, and build:"
    wanted = _build_json(case, chosen)
    files = list(wanted["files"].items())
    for path, source in files[:_SHOWN]:
        yield f"  {safe(path)}   {'is not to be there' if source is None else f'the bytes in {safe(source)}'}"
    if len(files) > _SHOWN:
        yield f"  and {len(files) - _SHOWN} more: lineagekit bisect log --json"
    yield from (f"  {safe(name)} = {safe(value)}" for name, value in wanted["params"].items())
    if not files:
        yield "  all files as they are now"
    yield "then say: lineagekit bisect good, bad or skip; and the number, if there is one: lineagekit bisect good 0.81"


def _build_json(case: Case, chosen: frozenset[str]) -> dict[str, Any]:
    plan = case.inquest.plan
    hybrid = plan.hybrid(chosen)
    moving = {name for atom in plan.atoms for name in atom.params}
    placed = dict(plan.placed(hybrid, case.supply))
    return {
        "files": {path: None if source is None else _place(source) for path, source in sorted(placed.items())},
        "params": {name: value for name, value in hybrid.values.items() if name in moving},
    }


def _place(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else "git"
