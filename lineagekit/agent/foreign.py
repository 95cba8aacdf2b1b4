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
    """A mapping, JSON as text, or an event of openlineage-python: of that, what its own serializer would make."""
    try:
        plain = _plain(event) if hasattr(type(event), "__attrs_attrs__") else _through_json(event)
    except _OddError:
        plain = _through_json(event)
    return plain if isinstance(plain, dict) else {"event": plain}


class _OddError(Exception):
    """A value that JSON has no word for: what becomes of it the serializer knows."""


def _plain(value: Any) -> Any:
    """In one walk: the serializer takes three, of which each costs as much as all else that happens to an event."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if (fields := getattr(kind, "__attrs_attrs__", None)) is not None:
        return {one.name: told for one in fields if (told := _plain(getattr(value, one.name))) is not None}
    if isinstance(value, dict):
        return {_key(key): told for key, one in value.items() if (told := _plain(one)) is not None}
    if isinstance(value, (list, tuple)):
        return [told for one in value if (told := _plain(one)) is not None and told != {}]
    if kind is float and value - value == 0:  # neither NaN nor infinite
        return value
    from enum import Enum  # whoever has events has it loaded

    if isinstance(value, Enum):
        return _plain(value.value)
    raise _OddError


def _key(key: Any) -> str:
    if type(key) is not str:
        raise _OddError
    return key


def _through_json(event: Any) -> Any:
    import json

    if isinstance(event, dict):
        event = json.dumps(event, default=str)
    elif not isinstance(event, (str, bytes)):
        from openlineage.client.serde import Serde

        event = Serde.to_json(event)
    return json.loads(event, parse_constant=lambda _: None)  # NaN is no JSON, and no reason to lose an event
