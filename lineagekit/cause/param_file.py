# SPDX-License-Identifier: Apache-2.0
"""A JSON file from which a command reads its parameters, with other values.

>>> with_values(b'{"lr": 0.1, "model": {"depth": 3}, "name": "a"}', {"lr": None, "model.depth": "7", "name": "b"})
b'{"model": {"depth": 7}, "name": "b"}'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineagekit.errors import BadDataError, NotFoundError


def read_params(path: str) -> bytes:
    """The file as it is; raises where it cannot be read, or holds no object."""
    try:
        body = Path(path).read_bytes()
        is_object = isinstance(json.loads(body), dict)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}", advice="See --param-file.") from error
    except ValueError:
        is_object = False
    if not is_object:
        raise BadDataError(f"{path} holds no parameters: expected a JSON object", advice="See --param-file.")
    return body


def with_values(body: bytes, values: Mapping[str, str | None]) -> bytes:
    """The same with these values, None for absent; a dot leads into an object. A text stays a text."""
    told = json.loads(body)
    for name, value in values.items():
        *parents, last = name.split(".") if name not in told else [name]
        inside: Any = told
        for parent in parents:
            inside = inside.setdefault(parent, {})
        if value is None:
            inside.pop(last, None)
            continue
        inside[last] = value if isinstance(inside.get(last), str) else _plain(value)
    return json.dumps(told).encode()


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(value, value)
