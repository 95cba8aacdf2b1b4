# SPDX-License-Identifier: Apache-2.0
"""A notebook in a real kernel: a session is a run until `flush`, its code are the cells that ran."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineagekit.agent.journal import read_facts
from lineagekit.record.plan import Plan
from lineagekit.record.settle import settle
from lineagekit.store.log import open_store

jupyter_client = pytest.importorskip("jupyter_client")
pytest.importorskip("ipykernel")
pytestmark = pytest.mark.slow
PATIENCE = 60
BEGIN = "import lineagekit; lineagekit.autolog()"


class Notebook:
    """A kernel, as a front end has it."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder, self.store, self.cells = folder, folder / ".lineagekit", [BEGIN]
        for made in (self.store, folder / "home"):
            made.mkdir()
        (folder / "in.csv").write_text("a,b\n1,2\n")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("LINEAGEKIT_", "CI", "PYTEST"))}
        env |= {"LINEAGEKIT_SETTLE": "off", "LINEAGEKIT_CACHE": str(folder / ".cache"), "HOME": str(folder / "home")}
        self.kernel: Any = jupyter_client.KernelManager()
        self.kernel.start_kernel(cwd=str(folder), env=env | environ)
        self.client = self.kernel.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        self("import lineagekit; lineagekit.autolog()", is_first=True)

    def __call__(self, cell: str, *, is_first: bool = False) -> None:
        """Execute a cell."""
        self.cells += [] if is_first else [cell]
        reply = self.client.execute_interactive(cell, timeout=PATIENCE, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", "\n".join(reply["content"].get("traceback", ()))

    def close(self) -> None:
        self.client.stop_channels()
        if self.kernel.has_kernel:
            self.kernel.shutdown_kernel(now=True)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        found = [
            fact for path in (self.store / "journal").glob("*.journal") for _, fact in read_facts(path.read_bytes())
        ]
        return sorted((fact for fact in found if fact["fact"] == kind), key=lambda fact: fact["at"])

    def events(self) -> list[dict[str, Any]]:
        settle(str(self.store), plan=Plan(cache_folder=str(self.folder / ".cache")))
        with open_store(self.store) as store:
            return [row.event for row in store.events(limit=100) if row.type != "START"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Notebook]]:
    started: list[Notebook] = []

    def start(**environ: str) -> Notebook:
        started.append(Notebook(tmp_path, **environ))
        return started[-1]

    yield start
    for one in started:
        one.close()


def names(event: dict[str, Any], role: str) -> list[str]:
    return sorted(Path(one["name"]).name for one in event[f"{role}s"])


def digests(cells: list[str]) -> list[str]:
    return ["sha256:" + hashlib.sha256(cell.encode()).hexdigest() for cell in cells]


def test_a_session_is_a_run_until_flush_and_its_code_are_the_cells_that_ran(start: Callable[..., Notebook]) -> None:
    notebook = start()
    notebook("text = open('in.csv').read()")
    notebook("with open('out.csv', 'w') as file: file.write(text)")
    notebook("lineagekit.flush()")
    first = list(notebook.cells)
    notebook("open('out.csv').read(); lineagekit.metric('auc', 0.9)")
    notebook("with open('more.csv', 'w') as file: file.write('1')")
    notebook("lineagekit.flush()")
    one, two = notebook.events()
    assert (names(one, "input"), names(one, "output")) == (["in.csv"], ["out.csv"])
    assert (names(two, "input"), names(two, "output")) == (["out.csv"], ["more.csv"])
    assert {one["eventType"], two["eventType"]} == {"COMPLETE"}
    assert {one["job"]["name"], two["job"]["name"]} == {"notebook"}
    assert one["run"]["runId"] != two["run"]["runId"]
    assert [fact["cells"] for fact in notebook.facts("code")] == [digests(first), digests(notebook.cells)]
    modules = [Path(path).name for fact in notebook.facts("code") for _, path, _ in fact["modules"]]
    assert modules == []
    assert {fact["how"] for fact in notebook.facts("run")} == {"notebook"}
    assert not [fact for fact in notebook.facts("trouble") if not fact["where"].startswith("absent:")]


def test_a_notebook_whose_name_is_told_is_the_job(start: Callable[..., Notebook], tmp_path: Path) -> None:
    (tmp_path / "explore.ipynb").write_text("{}")
    notebook = start(JPY_SESSION_NAME=str(tmp_path / "explore.ipynb"))
    notebook("open('in.csv').read()")
    (tmp_path / "child.py").write_text(BEGIN + "\nopen('in.csv').read()\n")
    notebook("!{__import__('sys').executable} child.py")
    notebook("lineagekit.flush()")
    events = notebook.events()
    assert [event["job"]["name"] for event in events] == ["explore.ipynb", "child.py"]
    assert names(events[0], "input") == ["in.csv"]


def test_a_kernel_that_is_shut_down_ends_its_run(start: Callable[..., Notebook]) -> None:
    notebook = start()
    notebook("open('in.csv').read()")
    notebook.client.shutdown()
    wait_until(lambda: not notebook.kernel.is_alive())
    (code,) = notebook.facts("code")
    assert (code["cells"], code["modules"], code["entry"]) == (digests(notebook.cells), [], "")
    (event,) = notebook.events()
    assert (event["eventType"], names(event, "input")) == ("COMPLETE", ["in.csv"])


def test_a_kernel_that_is_killed_has_its_run_closed_as_killed(start: Callable[..., Notebook]) -> None:
    notebook = start()
    notebook("open('in.csv').read()")
    notebook("lineagekit.flush()")
    notebook("open('out.csv', 'w').write('1')")
    os.kill(notebook.kernel.provisioner.pid, signal.SIGKILL)
    wait_until(lambda: not notebook.kernel.is_alive())
    one, two = notebook.events()
    assert (one["eventType"], two["eventType"]) == ("COMPLETE", "ABORT")
    assert two["run"]["facets"]["lineagekit_run"]["killed"] is True


def test_an_error_in_a_cell_does_not_end_the_run(start: Callable[..., Notebook]) -> None:
    notebook = start()
    notebook("open('in.csv').read()")
    reply = notebook.client.execute_interactive("1 / 0", timeout=PATIENCE, output_hook=lambda _: None)
    assert reply["content"]["status"] == "error"
    assert "lineagekit" not in "".join(reply["content"]["traceback"])
    notebook("open('out.csv', 'w').write('1')")
    notebook("lineagekit.flush()")
    (event,) = notebook.events()
    assert (event["eventType"], names(event, "input"), names(event, "output")) == ("COMPLETE", ["in.csv"], ["out.csv"])


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)
