# SPDX-License-Identifier: Apache-2.0
"""One rebuild: lay out a hybrid in a workspace, run the command in its cage, prove what it read, and judge the result.

>>> Prober(plan, supply, recipe, folder).probe(frozenset({"1"}), log=Path("probe-3.log"))  # doctest: +SKIP
Outcome(verdict='bad', value=0.676, seconds=3.1, why='')
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from lineagekit.cause import cage
from lineagekit.cause.copied import Copied
from lineagekit.cause.hybrid import Hybrid, Plan
from lineagekit.cause.outcome import Outcome, Verdict
from lineagekit.cause.proof import Intent, Proof, prove
from lineagekit.cause.recipe import Recipe, number_in
from lineagekit.cause.seen import Seen, read_past
from lineagekit.cause.space import Space
from lineagekit.cause.supply import Supply
from lineagekit.cause.workspace import Workspace
from lineagekit.errors import LineagekitError
from lineagekit.settings import Settings
from lineagekit.store.database import Database
from lineagekit.store.index import open_index
from lineagekit.store.log import Store, open_store

T = TypeVar("T")
_SKIP, _TAIL = 125, 4096
"""What a command exits with that could not be judged, as in git bisect."""

_NOT_WRITABLE = ". In a copy only paths relative to the folder can be written: user namespaces are forbidden here"


class Prober:
    """Runs probes, one after the other, in one folder."""

    def __init__(
        self, plan: Plan, supply: Supply, recipe: Recipe, folder: Path, config: str = "", *, key: Path | None = None
    ) -> None:
        """Nothing is made yet; `config` is that of the stores in which probes are recorded.

        Digests of variables are comparable with those of the store that has this `key`.
        """
        self.plan, self.supply, self.recipe, self.folder = plan, supply, recipe, folder
        self._config, self._key = config, key

    def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
        """Rebuild as often as asked for; the first that cannot be judged is the answer, else the mean."""
        outcomes: list[Outcome] = []
        for _ in range(self.recipe.repeat):
            outcomes.append(self._once(chosen, log))
            if outcomes[-1].verdict == "skip" or outcomes[-1].value is None:
                return outcomes[-1]
        mean = statistics.fmean(one.value for one in outcomes if one.value is not None)
        seconds = sum(one.seconds for one in outcomes)
        return replace(outcomes[0], verdict=self._verdict(mean), value=mean, seconds=seconds)

    def _once(self, chosen: frozenset[str], log: Path) -> Outcome:
        hybrid = self.plan.hybrid(chosen)
        # A file that lies there now would tell of another build.
        stale = [self.recipe.metric_place[0]] if self.recipe.metric_file else []
        return self.build(hybrid, stale, log, lambda space, ended: self._judge(space, hybrid, ended, log))

    def build(self, hybrid: Hybrid, without: Iterable[str], log: Path, look: Callable[[Space, cage.Ended], T]) -> T:
        """Build it where no file `without` is there, and look at the workspace, which is new, and gone afterwards."""
        space = self._space()
        try:
            placed = list(self.plan.placed(hybrid, self.supply))
            for path, source in placed:
                if source is None:
                    space.remove(Path(path))
                else:
                    space.place(Path(path), source)
            if space.tree:
                _complete(space, hybrid.intent.files.keys() - {path for path, _ in placed})
            for path in without:
                space.remove(Path(self.recipe.folder, path))
            ended = cage.run(
                self._command(hybrid.values),
                space,
                cwd=os.path.abspath(self.recipe.folder),
                environ=self._environ(space, hybrid.values),
                timeout=self.recipe.timeout,
                output=log,
                is_unsafe=self.recipe.is_unsafe,
            )
            return look(space, ended)
        finally:
            space.remove_all()

    def _space(self) -> Space:
        folder = self.folder / "workspace"
        if self.recipe.in_copy:
            return Copied(folder, Path(self.recipe.folder), self._roots())
        return Workspace(folder, self._roots())

    def _roots(self) -> list[Path]:
        folders = {self.recipe.folder, *self.plan.folders()}
        return sorted({one for folder in folders if (one := _that_is_there(Path(folder))) != Path("/")})

    def _command(self, values: Mapping[str, str]) -> list[str]:
        return [sys.executable, "-P", "-m", "lineagekit", "run", "--", *self.recipe.command_for(values)]

    def _environ(self, space: Space, values: Mapping[str, str]) -> dict[str, str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "OPENLINEAGE_"))}
        environ |= {name[1:]: value for name, value in values.items() if name.startswith("$")}
        store = _store_of(space)
        store.mkdir(mode=0o700)
        (store / "config.toml").write_text(self._config)
        if self._key is not None and self._key.exists():
            shutil.copyfile(self._key, store / "key")
            (store / "key").chmod(0o600)
        own = {"LINEAGEKIT_STORE": str(store), "LINEAGEKIT_CACHE": str(store / "cache"), "LINEAGEKIT_SETTLE": "exit"}
        return environ | own | {"OPENLINEAGE_DISABLED": "true"}  # nobody else is told of what is only tried

    def _judge(self, space: Space, hybrid: Hybrid, ended: cage.Ended, log: Path) -> Outcome:
        if ended.timed_out:
            return Outcome("skip", None, ended.seconds, f"it took longer than {self.recipe.timeout:g} s")
        is_measured = bool(self.recipe.metric or self.recipe.metric_file)
        if ended.returncode == _SKIP or (is_measured and ended.returncode):
            why = f"exit code {ended.returncode}{_last_line(log)}"
            why += _NOT_WRITABLE if space.tree and "ermission denied" in why else ""
            return Outcome("skip", None, ended.seconds, why)
        try:
            proof = self._prove(space, hybrid)
        except LineagekitError as error:
            return Outcome("skip", None, ended.seconds, f"its record cannot be read: {error.message}")
        if proof.trouble:
            return Outcome("skip", None, ended.seconds, proof.trouble, proof.read)
        if not is_measured:
            return Outcome("bad" if ended.returncode else "good", None, ended.seconds, "", proof.read)
        value = self._value(space, proof)
        if value is None or not math.isfinite(value):
            what = self.recipe.metric_file or self.recipe.metric
            return Outcome("skip", None, ended.seconds, f"it reported no {what}", proof.read)
        return Outcome(self._verdict(value), value, ended.seconds, "", proof.read)

    def _verdict(self, value: float) -> Verdict:
        return "good" if self.recipe.is_good(value) else "bad"

    def _prove(self, space: Space, hybrid: Hybrid) -> Proof:
        with recorded_in(space) as record:
            return record.prove(hybrid.intent)

    def _value(self, space: Space, proof: Proof) -> float | None:
        if not self.recipe.metric_file:
            return proof.metrics.get(self.recipe.metric)
        path, key = self.recipe.metric_place
        try:
            return number_in(json.loads(space.real(Path(self.recipe.folder, path)).read_bytes()), key)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _that_is_there(folder: Path) -> Path:
    """The folder, or the nearest one above it that was not removed since."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _last_line(log: Path) -> str:
    """What the command said last, which mostly is why it failed."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last} ({log})" if last else ""
    return ""


def _complete(space: Space, paths: Iterable[str]) -> None:
    """What lies in other folders than the one that was copied, and is to be read as it is."""
    for path in map(Path, paths):
        if path.is_file() and not space.real(path).exists():
            space.place(path, path)


class Record(NamedTuple):
    """What was recorded of a build."""

    db: Database
    store: Store
    past: Mapping[str, str]
    """Digests by path of what it read past the copy that it ran in."""

    def prove(self, intent: Intent) -> Proof:
        """Whether it read what was intended."""
        return prove(self.db, self.store, intent, self.past)


@contextmanager
def recorded_in(space: Space) -> Iterator[Record]:
    """What was recorded of a build in this workspace, by the paths of the user's files. Raises LineagekitError."""
    folder = str(_store_of(space))
    with open_store(folder, make=False) as store:
        past = read_past(store, space.open) if space.tree else {}
        seen = Seen(store, space.tree) if space.tree else store
        with open_index(seen, folder) as index:
            index.catch_up()
            yield Record(index.database, seen, past)


def config_for(settings: Settings, *, content: bool = False) -> str:
    """What is recorded of a probe, where a store has these settings: names and what is left out are the same."""
    names = [f"{json.dumps(old)} = {json.dumps(new)}" for old, new in settings.names.items()]
    patterns = [f"*{one}" if one.startswith("/") else one for one in settings.capture.ignore]  # in a copy too
    ignored = f"ignore = {json.dumps(patterns)}"
    return "\n".join(
        [f"content = {str(content).lower()}", 'keep = "none"', "[capture]", ignored, "[names]", *names, ""]
    )


def _store_of(space: Space) -> Path:
    return space.open / "store"
