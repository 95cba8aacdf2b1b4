# SPDX-License-Identifier: Apache-2.0
"""A transport for openlineage-python that writes to the journal and returns: whoever emits through it never waits.

    OPENLINEAGE__TRANSPORT__TYPE=lineagekit_python.LineagekitTransport

    # or, in openlineage.yml; where the events go in the end is done later, by whoever delivers
    transport:
      type: lineagekit_python.LineagekitTransport
      transport: {type: http, url: "https://lineage.example.com"}

An event that `emit` has returned from survives the death of its process. Nothing is raised here: Airflow, dbt and
others take what goes wrong with lineage for trouble of the task.
"""

from __future__ import annotations

import os
from json import dumps

from openlineage.client.transport.transport import Config, Transport

from lineagekit.agent.border import border
from lineagekit.agent.foreign import as_mapping
from lineagekit.agent.handover import hand_over_at_exit
from lineagekit.agent.process import Process, is_disabled, open_process
from lineagekit.config import Config as Environment

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

FORWARD = "forward.json"
"""In the store: the configuration of the transport that this one stands in front of."""


class LineagekitConfig(Config):
    """`store`: the folder, if not the one that is found; `transport`: openlineage-python's own, for the deliverer."""

    def __init__(self, store: str = "", transport: dict[str, Any] | None = None) -> None:
        """Both may be left out."""
        self.store, self.transport = store, transport

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> LineagekitConfig:
        """Take what is known; a key that is not is no reason to lose events."""
        transport = params.get("transport")
        store = params.get("store") or ""
        return cls(os.fspath(store), dict(transport) if isinstance(transport, dict) else None)


class LineagekitTransport(Transport):
    """Writes each event as a fact of the journal of this process."""

    kind = "lineagekit"
    config_class = LineagekitConfig

    def __init__(self, config: LineagekitConfig | None = None) -> None:
        """Nothing is opened yet, but where another transport is meant it is told to the deliverer."""
        self.config = config or LineagekitConfig()
        self._process: Any = None
        with border("transport"):
            self._process = _open(self.config.store)
            if self._process is not None and self.config.transport:
                write_forward(self._process, self.config.transport)

    def emit(self, event: Any) -> None:
        """Write it down."""
        with border("transport"):
            process = self._process
            if process is not None and not is_disabled() and process.say({"fact": "event", "event": as_mapping(event)}):
                hand_over_at_exit(process)

    def close(self, timeout: float = -1) -> bool:
        """Nothing waits here."""
        return True


_others: dict[str, Process] = {}


def _open(store: str) -> Process | None:
    """The process's own journal; one of a store of its own where another is asked for."""
    process = open_process()
    if process is None or not store:
        return process
    folder, known = os.path.abspath(os.path.expanduser(store)), process.config
    if folder == known.store_folder:
        return process
    if folder not in _others:
        config = Environment(
            cache_folder=known.cache_folder, threads=known.threads, store_folder=folder, settle=known.settle
        )
        _others[folder] = Process(config)
    return _others[folder]


def write_forward(process: Any, transport: dict[str, Any]) -> None:
    """Write a transport's configuration, whole or not at all, so that nobody else can read it; it may hold a key."""
    process.prepare_store()
    path = os.path.join(process.config.store_folder, FORWARD)
    text = dumps(transport, sort_keys=True, default=str).encode()
    try:
        with open(path, "rb") as file:
            if file.read() == text:
                return
    except OSError:
        pass
    draft = f"{path}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)
    os.replace(draft, path)
