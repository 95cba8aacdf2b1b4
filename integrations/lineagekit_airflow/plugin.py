# SPDX-License-Identifier: Apache-2.0
"""What Airflow finds by its entry point: a listener that begins and ends the recording of each task.

    [project.entry-points."airflow.plugins"]
    lineagekit = "lineagekit_airflow.plugin:LineagekitPlugin"

It is there only where the provider of OpenLineage emits through our transport: one option switches all of it on.
"""

from __future__ import annotations

import os

from lineagekit.agent.border import border

try:  # Airflow 3
    from airflow.sdk.plugins_manager import AirflowPlugin
except ImportError:
    from airflow.plugins_manager import AirflowPlugin  # type: ignore[no-redef]

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

_MARK = "lineagekit"


def listeners() -> list[Any]:
    """Ours, where it is wanted."""
    with border("plugin"):
        if not _is_chosen():
            return []
        from lineagekit.agent.imported import imported
        from lineagekit_airflow.listener import Listener

        imported.look()  # once, in the process from which tasks are forked

        return [Listener()]
    return []


def _is_chosen() -> bool:
    """Whether events go through our transport; what that says of store and hashing counts from here on."""
    try:
        from airflow.providers.openlineage import conf
    except ImportError:  # an Airflow without lineage
        return False
    if conf.is_disabled():
        return False
    path = conf.config_path(check_legacy_env_var=False)
    transport = _ours(_read(path) if path else conf.transport())
    if transport is None:
        return False
    from lineagekit_airflow import outputs

    outputs.limit = int(transport.get("hash_in_task", outputs.limit))
    if store := transport.get("store"):
        os.environ["LINEAGEKIT_STORE"] = os.path.abspath(os.path.expanduser(str(store)))
    return True


def _read(path: str) -> Any:
    """An openlineage.yml, which goes before the option, as for the provider."""
    import yaml

    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def _ours(config: Any) -> dict[str, Any] | None:
    """Our transport, wherever it is: a composite one has others in it."""
    if isinstance(config, dict) and _MARK in str(config.get("type")):
        return config
    inner = config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    return next((found for one in inner if (found := _ours(one)) is not None), None)


class LineagekitPlugin(AirflowPlugin):  # type: ignore[misc]
    """Records what the bodies of tasks read and write."""

    name = _MARK
    listeners = listeners()
