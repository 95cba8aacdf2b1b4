# SPDX-License-Identifier: Apache-2.0
"""lineagekit: names for data that are bound to its bytes, and answers that follow from them.

    >>> import lineagekit
    >>> lineagekit.fingerprint("orders.parquet").digest("lkt1")  # doctest: +SKIP
    Digest(algorithm='lkt1', hex='9f3c...', parameters=())

Names are loaded when they are first used: the import itself costs a job nothing and needs no package.
"""

from __future__ import annotations

from lineagekit.config import VERSION as __version__

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from lineagekit.agent.api import (
        autolog,
        current,
        disable,
        emit,
        flush,
        input,
        job,
        metric,
        model,
        output,
        params,
        run,
    )
    from lineagekit.ask import impact, trace
    from lineagekit.errors import LineagekitError
    from lineagekit.identity.digest import Digest
    from lineagekit.identity.fingerprint import fingerprint
    from lineagekit.identity.options import Options
    from lineagekit.identity.snapshot import Snapshot

__all__ = [
    "Digest",
    "LineagekitError",
    "Options",
    "Snapshot",
    "__version__",
    "autolog",
    "current",
    "disable",
    "emit",
    "fingerprint",
    "flush",
    "impact",
    "input",
    "job",
    "metric",
    "model",
    "output",
    "params",
    "run",
    "trace",
]

_AGENT = "lineagekit.agent.api"
_MODULES = {
    "Digest": "lineagekit.identity.digest",
    "LineagekitError": "lineagekit.errors",
    "Options": "lineagekit.identity.options",
    "Snapshot": "lineagekit.identity.snapshot",
    "autolog": _AGENT,
    "current": _AGENT,
    "disable": _AGENT,
    "emit": _AGENT,
    "fingerprint": "lineagekit.identity.fingerprint",
    "flush": _AGENT,
    "impact": "lineagekit.ask",
    "input": _AGENT,
    "job": _AGENT,
    "metric": _AGENT,
    "model": _AGENT,
    "output": _AGENT,
    "params": _AGENT,
    "run": _AGENT,
    "trace": "lineagekit.ask",
}


def __getattr__(name: str) -> object:
    """Load a public name; MissingExtraError where only the agent is installed and the name is not in it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'lineagekit' has no attribute {name!r}")
    from importlib import import_module

    try:
        value: object = getattr(import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("lineagekit."):
            raise
        from lineagekit.errors import MissingExtraError

        raise MissingExtraError(
            f"lineagekit.{name} is not in lineagekit-agent", advice="Run: pip install lineagekit"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
