# SPDX-License-Identifier: Apache-2.0
"""Values of the user's, made fit for a journal: plain, small, without secrets, whatever object comes in.

>>> plain({"C": 0.3, "when": float("nan"), "model": object})
{'C': 0.3, 'when': 'nan', 'model': "<class 'object'>"}
"""

from __future__ import annotations

import math

from lineagekit.agent.redact import redact, redact_value

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from typing import Any

LONGEST = 1000
"""Characters of a text that are kept, and items of a container."""

_DEEPEST = 6


def params_of(given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Parameters from keywords, mappings, argparse namespaces and objects with fields."""
    params: dict[str, Any] = {}
    for one in given:
        params.update(one if isinstance(one, dict) else _fields(one))
    params.update(named)
    return {str(name)[:LONGEST]: redact_value(str(name), plain(value)) for name, value in params.items()}


def plain(value: Any, depth: int = 0) -> Any:
    """The same as JSON has it; what JSON lacks is its text."""
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return _scalar(value)
    if depth < _DEEPEST:
        if isinstance(value, dict):
            return {str(k)[:LONGEST]: plain(v, depth + 1) for k, v in list(value.items())[:LONGEST]}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain(one, depth + 1) for one in list(value)[:LONGEST]]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy's or torch's
        return _scalar(value.item())
    return _text(value)


def number(value: Any) -> float | None:
    """A number, or None for what is none."""
    try:
        return None if value is None else _scalar_number(float(value))
    except (TypeError, ValueError):
        return None


def _scalar_number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if isinstance(value, int) and abs(value) >= 1 << 63:
        return str(value)[:LONGEST] if abs(value) < 1 << 10_000 else hex(value)[:LONGEST]
    return value[:LONGEST] if isinstance(value, str) else value


def _text(value: Any) -> str:
    try:
        return redact(repr(value)[:LONGEST])
    except Exception as error:  # job border
        return f"<{type(value).__name__}: its repr raises {type(error).__name__}>"


def _fields(value: Any) -> dict[str, Any]:
    fields = getattr(value, "__dict__", None)
    return dict(fields) if isinstance(fields, dict) else {"value": value}
