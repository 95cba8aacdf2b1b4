# SPDX-License-Identifier: Apache-2.0
"""`lineagekit demo`: ten days of a small pipeline, recorded for real, one of which goes wrong; then who is to blame.

$ lineagekit demo
...
day  8  2026-06-08  auc 0.6724   the oldest labels come once more; another comment in features.py; ...
$ lineagekit blame returns
 1 SUSPECT  raw/labels 2026-06-01 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01
$ lineagekit bisect returns -- python pipeline.py --day {day}
CULPRIT  raw/labels 2026-06-01 was rewritten: blake3:9f3c0712ab -> blake3:b17e55aa01

No server is needed, and nothing outside of a temporary folder is touched. The exit code is 0 only where the first
suspect is what was done.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.errors import StoreError
from lineagekit.extras import need

if TYPE_CHECKING:
    from lineagekit.cli.demo_shop import Shop

MODEL = "returns"
_NEXT = (
    ("diff", f"{MODEL}@7 {MODEL}@8", "all that differs between the last good model and the first bad one"),
    ("trace", f"{MODEL}@8", "exactly which bytes made the bad one"),
    ("impact", "raw/labels", "who else is built from these labels"),
    ("show", MODEL, "every version, with what it scored"),
    ("log", "", "all runs"),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Run a pipeline for ten days, break it on one, ask for the cause.

    Example: lineagekit demo --remove
    """

    keep: Annotated[bool, typer.Option("--keep/--remove", help="Leave the folder, to ask more.")] = True
    digests: Annotated[bool, typer.Option("--digests", help="Show what each digest notices, instead.")] = False
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Play one of the two stories in a temporary folder."""
        if self.digests:
            return _show_digests(out)
        need("sklearn", extra="demo")
        root = Path(mkdtemp(prefix="lineagekit-demo-"))
        is_told = False
        try:
            code = _play(root, out, keep=self.keep)
            is_told = True
            return code
        finally:
            if not (self.keep and is_told):
                shutil.rmtree(root, ignore_errors=True)


def _show_digests(out: Output) -> int:
    from lineagekit.cli import demo_digests

    with TemporaryDirectory(prefix="lineagekit-demo-") as name:
        played = demo_digests.scenes(Path(name))
    out.say(*demo_digests.told(*played))
    out.show(demo_digests.to_json(*played))
    return 0 if demo_digests.is_kept(*played) else 1


def _play(root: Path, out: Output, *, keep: bool) -> int:
    from lineagekit.cli.demo_shop import DAYS, FAULT_DAY, Shop

    shop = Shop.open_in(root, date.today())
    out.say("A shop learns which orders will be returned. Ten days, each of them:", "")
    out.say("$ lineagekit run -- python pipeline.py --day DAY   # clean, join, features, train, evaluate", "")
    days = [_live(shop, out) for _ in range(DAYS)]
    out.say("", f"$ lineagekit blame {MODEL}", *_lineagekit(root, "blame", MODEL).splitlines(), "")
    answer = json.loads(_lineagekit(root, "blame", MODEL, "--json"))["result"]
    key = str(shop.date_of(1))
    is_found = _is_first(answer, shop.path("labels", 1), key)
    shown = _prove(root, out)
    out.say(f"Done to it: on day {FAULT_DAY} the labels of {key} were flipped for one region, unannounced.")
    is_shown = shown is None or any(str(shop.path("labels", 1).parents[1]) in one for one in shown)
    out.say(*_told(root, keep=keep, is_found=is_found, is_shown=is_shown))
    told = {"found": is_found, "confirmed": shown, "days": days, "blame": answer}
    out.show({**told, "folder": str(root) if keep else None})
    return 0 if is_found and is_shown else 1


def _prove(root: Path, out: Output) -> list[str] | None:
    """Rebuild, until the cause is shown: its first words; None where nothing can be closed off."""
    from lineagekit.cause.recipe import Recipe
    from lineagekit.cause.ways import choose

    try:
        choose(Recipe((), str(root)))
    except StoreError as error:
        out.say(f"Not shown by rebuilding: {error}", "")
        return None
    out.say(f"$ lineagekit bisect {MODEL} -- python pipeline.py --day {{day}}")
    command = ("--", sys.executable, "pipeline.py", "--day", "{day}")
    out.say(*_lineagekit(root, "bisect", MODEL, *command, may_be=(0, 1)).splitlines()[1:], "")
    answer = json.loads(_lineagekit(root, "bisect", MODEL, "--json", *command, may_be=(0, 1)))["result"]
    causes = [change for cause in answer["causes"] for change in cause]
    return causes if answer["status"] == "confirmed" else []


def _live(shop: Shop, out: Output) -> dict[str, Any]:
    """One day: what comes in, the pipeline, and what the model scores."""
    happened = shop.next_day()
    day = shop.date_of(shop.day)
    said = _lineagekit(shop.root, "run", "--quiet", "--", sys.executable, "pipeline.py", "--day", str(day))
    auc = float(said.split()[-1])
    lines = [f"day {shop.day:2}  {day}  auc {auc:.4f}", *happened]
    out.say("   ".join(lines[:2]), *(f"{'':33}{line}" for line in lines[2:]))
    return {"day": shop.day, "date": str(day), "auc": auc, "happened": list(happened)}


def _lineagekit(root: Path, *words: str, may_be: tuple[int, ...] = (0,)) -> str:
    """What the command prints, in the folder and with a store and a cache of its own."""
    own = {"LINEAGEKIT_STORE": str(root / ".lineagekit"), "LINEAGEKIT_CACHE": str(root / ".lineagekit" / "cache")}
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "OPENLINEAGE"))}
    command = [sys.executable, "-m", "lineagekit", *words]
    done = subprocess.run(command, cwd=root, env={**environ, **own}, capture_output=True, text=True)
    if done.returncode not in may_be:
        raise StoreError(
            f"the demo's command failed: lineagekit {' '.join(words[:1])}: {done.stderr.strip()[-2000:]}",
            advice="Run: lineagekit doctor",
        )
    return done.stdout


def _is_first(answer: dict[str, Any], path: Path, key: str) -> bool:
    """Whether the first suspect is what was done."""
    first = next((one for one in answer["suspects"] if one["status"] == "suspect"), None)
    return first is not None and str(path).startswith(first["where"]) and first["key"] == key


def _told(root: Path, *, keep: bool, is_found: bool, is_shown: bool) -> Iterator[str]:
    yield "It is the first suspect." if is_found else "It is not the first suspect: that is a defect of lineagekit."
    if not is_shown:
        yield "Rebuilding did not show it: that is a defect of lineagekit."
    if not keep:
        return
    from lineagekit.cli.main import COMMANDS

    yield from ("", "Try next:")
    yield f"  cd {root}" + (" && unset LINEAGEKIT_STORE" if "LINEAGEKIT_STORE" in os.environ else "")
    for command, words, why in _NEXT:
        if command in COMMANDS:
            yield f"  {f'lineagekit {command} {words}'.rstrip():36}  # {why}"
    yield f"  rm -r {root}"
