# SPDX-License-Identifier: Apache-2.0
"""Airflow: one option, and every DAG emits; what task bodies read and write joins the provider's own runs.

    AIRFLOW__OPENLINEAGE__TRANSPORT='{"type": "lineagekit_airflow.Transport", "store": "/var/lib/lineage"}'

    # where events go in the end is done later, by whoever delivers (`lineagekit push --watch`); never by a task
    AIRFLOW__OPENLINEAGE__TRANSPORT='{"type": "lineagekit_airflow.Transport", "store": "/var/lib/lineage",
                                      "transport": {"type": "http", "url": "http://marquez:5000"}}'

The provider of OpenLineage emits through `Transport`, which writes to the journal and returns. A plugin, which Airflow
finds by itself, records what the body of each task does, under the run id that the provider gives to it.
"""

from __future__ import annotations

__all__ = ["Transport"]

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

    from lineagekit_airflow.transport import Transport


def __getattr__(name: str) -> Any:
    """Load the transport when somebody asks for it: the plugin alone needs nothing of openlineage-python."""
    if name == "Transport":
        from lineagekit_airflow.transport import Transport

        return Transport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
