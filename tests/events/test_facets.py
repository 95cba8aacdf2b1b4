# SPDX-License-Identifier: Apache-2.0
"""Facets of our own: their schemas are shaped as the official ones, and say what is built and nothing that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from lineagekit.events.account import Use
from lineagekit.events.build import build_events
from lineagekit.events.content import content
from lineagekit.events.facets import data_source
from lineagekit.events.ours import schema_url
from tests.events.accounts import FULL
from tests.events.schemas import CHECKER, OURS, facets_of, needs_official, validator

SCHEMAS = {path: json.loads(path.read_text()) for path in sorted(OURS.glob("*.json"))}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_a_schema_is_one_and_is_at_its_url(path: Path) -> None:
    schema = SCHEMAS[path]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://lineagekit.dev/schemas/1-0-0/{path.name}"
    assert all(key.startswith("lineagekit_") for key in schema["properties"])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_a_schema_stands_on_the_official_base(path: Path) -> None:
    schema = SCHEMAS[path]
    for reference in schema["properties"].values():
        definition = schema["$defs"][reference["$ref"].removeprefix("#/$defs/")]
        assert definition["allOf"][0]["$ref"].startswith("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/")


def test_a_schema_describes_every_field_that_is_built() -> None:
    built: dict[str, set[str]] = {}
    for event in build_events(FULL):
        for key, facet in facets_of(event):
            if key.startswith("lineagekit_"):
                built.setdefault(facet["_schemaURL"], set()).update(facet)
    for url, fields in built.items():
        assert {name for name in fields if not name.startswith("_")} <= set(described(url))


def described(url: str) -> dict[str, Any]:
    file, _, name = url.partition("#/$defs/")
    schema = SCHEMAS[OURS / file.rpartition("/")[2]]
    body = schema["$defs"][name]["allOf"][1]
    body = schema["$defs"][body["$ref"].removeprefix("#/$defs/")] if "$ref" in body else body
    return dict(body["properties"])


@needs_official
def test_a_facet_that_lacks_its_point_is_invalid() -> None:
    facet = content("input", Use("file", "/a", reason="gone"))
    check = validator(schema_url("ContentDatasetFacet", "InputContentInputDatasetFacet"))
    check.validate(facet)
    for wrong in (
        {"state": "maybe"},
        {"digest": "md5"},
        {"rows": -1},
        {"evidence": "1:2"},
        {"at": "today"},
        {"_producer": 1},
    ):
        with pytest.raises(ValidationError):
            check.validate({**facet, **wrong})


@pytest.mark.parametrize(
    ("namespace", "uri"),
    [
        ("file", "file://"),
        ("s3://raw", "s3://raw"),
        ("bigquery", "bigquery://"),
        ("7 dwarves", "namespace:7%20dwarves"),
        ("a_b", "namespace:a_b"),
    ],
)
def test_every_namespace_has_a_source_with_a_uri(namespace: str, uri: str) -> None:
    assert data_source(namespace)["uri"] == uri
    assert CHECKER.conforms(uri, "uri")
