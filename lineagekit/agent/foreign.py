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
    """A mapping, JSON as text, or an event of openlineage-python, whose package is loaded then."""
    import json

    if isinstance(event, dict):
        event = json.dumps(event, default=str)
    elif not isinstance(event, (str, bytes)):
        from openlineage.client.serde import Serde

        event = Serde.to_json(event)
    parsed = json.loads(event, parse_constant=lambda _: None)  # NaN is no JSON, and no reason to lose an event
    return parsed if isinstance(parsed, dict) else {"event": parsed}
