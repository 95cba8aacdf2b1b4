# SPDX-License-Identifier: Apache-2.0
"""Events that somebody else made, as plain values.

>>> as_mapping({"eventType": "START"})
{'eventType': 'START'}
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any


def as_mapping(event: Any) -> dict[str, Any]:
    """A mapping as it is, JSON as text, or an event of openlineage-python, whose package is loaded then."""
    if isinstance(event, dict):
        return event
    import json

    if isinstance(event, (str, bytes)):
        parsed = json.loads(event)
        return parsed if isinstance(parsed, dict) else {"event": parsed}
    from openlineage.client.serde import Serde

    parsed = json.loads(Serde.to_json(event))
    return dict(parsed)
