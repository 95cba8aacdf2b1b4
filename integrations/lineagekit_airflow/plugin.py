# SPDX-License-Identifier: Apache-2.0
"""What Airflow finds by its entry point: a listener that begins and ends the recording of each task.

    [project.entry-points."airflow.plugins"]
    lineagekit = "lineagekit_airflow.plugin:LineagekitPlugin"

It is there only where the provider of OpenLineage emits through our transport, by whichever of its ways it was told so:
one option switches all of it on.
"""

from __future__ import annotations

import os
from functools import lru_cache

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
        if not _may_be_chosen():
            return []
        from lineagekit.agent.imported import imported
        from lineagekit_airflow.listener import Listener

        imported.look()  # once, in the process from which tasks are forked

        return [Listener(is_chosen)]
    return []


def _may_be_chosen() -> bool:
    """Whether events go through our transport, or may: a connection is looked up by the first task, and not here."""
    try:
        from airflow.providers.openlineage import conf
    except ImportError:  # an Airflow without lineage
        return False
    return not conf.is_disabled() and (bool(conf.config_conn_id()) or is_chosen())


@lru_cache(maxsize=1)
def is_chosen() -> bool:
    """Whether events go through our transport; what that says of store and hashing counts from here on."""
    transport = _ours(_configured())
    if transport is None:
        return False
    from lineagekit_airflow import outputs

    outputs.limit = int(transport.get("hash_in_task", outputs.limit))
    if store := transport.get("store"):
        os.environ["LINEAGEKIT_STORE"] = os.path.abspath(os.path.expanduser(str(store)))
    return True


def _configured() -> Any:
    """The transport of the provider, wherever it looks for one: connection, file, option, and what its client knows."""
    from airflow.providers.openlineage import conf

    if connection := conf.config_conn_id():
        from airflow.providers.openlineage.token_provider import AirflowConnectionConfigProvider

        return AirflowConnectionConfigProvider(connection).get_config()
    if path := conf.config_path(check_legacy_env_var=False):
        return _read(path)
    return conf.transport() or _of_client()


def _of_client() -> Any:
    """Without a word of Airflow's: an openlineage.yml that it finds, else its variables of the environment."""
    from openlineage.client import OpenLineageClient

    path = OpenLineageClient._find_yaml_config_path()
    told = (_read(path) if path else None) or {}
    return told.get("transport") or (OpenLineageClient._load_config_from_env_variables() or {}).get("transport")


def _read(path: str) -> Any:
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
