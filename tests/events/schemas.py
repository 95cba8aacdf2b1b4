# SPDX-License-Identifier: Apache-2.0
"""The official schemas and ours in one registry: nothing is fetched. Absent official ones skip what needs them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

ROOT = Path(__file__).parent.parent.parent
OFFICIAL = ROOT / "../shared/reference/ol_spec"
OURS = ROOT / "lineagekit/events/schemas"
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json"

_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(?:\d{6}|\d{9})Z")

FORMATS = Draft202012Validator.FORMAT_CHECKER
needs_official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official OpenLineage schemas are not here")


def _checker() -> Any:
    checker = type(FORMATS)(())
    for name, pattern in (("uri", _URI), ("uuid", _UUID), ("date-time", _TIME)):
        checker.checks(name)(
            lambda value, pattern=pattern: not isinstance(value, str) or bool(pattern.fullmatch(value))
        )
    return checker


CHECKER = _checker()


@cache
def registry() -> Registry[Any]:
    paths = [*OFFICIAL.rglob("*.json"), *OURS.glob("*.json")]
    documents = [json.loads(path.read_text()) for path in paths if "current" not in path.parts]
    return Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in documents if "$id" in one)


@cache
def validator(url: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": url}, registry=registry(), format_checker=CHECKER)


def validate_event(event: dict[str, Any]) -> None:
    """The event as a whole, and each facet by the schema that it names."""
    validator(EVENT).validate(event)
    for key, facet in facets_of(event):
        url = facet["_schemaURL"]
        assert url.startswith(("https://openlineage.io/spec/", "https://lineagekit.dev/schemas/")), key
        validator(url).validate(facet)


def facets_of(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    holders = [event["run"], event["job"], *event.get("inputs", ()), *event.get("outputs", ())]
    for holder in holders:
        for place in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(place, {}).items()
