# SPDX-License-Identifier: Apache-2.0
"""Build hook: an editable install carries the start-up line too, and nothing else that would shadow the source."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StartupLine(BuildHookInterface[Any]):
    """Replaces the copied files of an editable install by the one file that Python reads at its start."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling calls this before each build; `version` is "editable" or "standard"."""
        if version == "editable":
            build_data["force_include_editable"] = {"lineagekit_agent.pth": "lineagekit_agent.pth"}
