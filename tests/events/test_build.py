# SPDX-License-Identifier: Apache-2.0
"""What is built of an account, whatever stands in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from lineagekit.errors import UsageError
from lineagekit.events.account import Account, Code, Metric, RunName, Use
from lineagekit.events.build import build_events, build_late, build_start
from lineagekit.events.naming import original_name, original_namespace
from lineagekit.events.wire import clean, event_key, read_event
from lineagekit.identity.snapshot import Snapshot
from tests.events.accounts import BEGAN, FULL, INPUTS, JOURNAL, PROFILE, RUN, TABLE, accounts
from tests.events.schemas import needs_official, validate_event

OUTPUT_NAMESPACE = re.compile(r"[a-zA-Z:;=/0-9_\-.@+]{1,1024}")
# Shrinking an account takes minutes, and tells little: every field of it is independent of the others.
hostile = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
JOB_NAMESPACE = re.compile(r"[a-zA-Z:/0-9_\-.@+]{1,1024}")


def end_of(account: Account) -> Any:
    return build_events(account)[-1]


def facets(account: Account) -> Any:
    return end_of(account)["run"]["facets"]


def job(account: Account) -> Any:
    return end_of(account)["job"]["facets"]


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@needs_official
def test_the_account_that_has_everything_validates() -> None:
    for event in (*build_events(FULL), build_start(FULL), build_late(FULL, 2)):
        validate_event(event)


@needs_official
@hostile
@given(accounts)
def test_whatever_was_recorded_its_events_validate(account: Account) -> None:
    for event in (*build_events(account), build_late(account, 7)):
        validate_event(event)


@pytest.mark.slow
@needs_official
@settings(hostile, max_examples=1000)
@given(accounts)
def test_events_of_a_thousand_hostile_accounts_validate(account: Account) -> None:
    for event in build_events(account):
        validate_event(event)


@hostile
@given(accounts)
def test_whatever_was_recorded_every_backend_can_hold_it(account: Account) -> None:
    for event in build_events(account):
        assert json.loads(json.dumps(event, allow_nan=False).encode()) == event
        for leaf in leaves(event):
            assert leaf is not None
            assert not isinstance(leaf, str) or ("\0" not in leaf and leaf.encode() is not None)
            assert not isinstance(leaf, float) or math.isfinite(leaf)
        assert clean(event) == event
        assert read_event(event).kind == "run"


@hostile
@given(accounts)
def test_whatever_things_are_called_no_name_poisons_a_server(account: Account) -> None:
    event = end_of(account)
    assert JOB_NAMESPACE.fullmatch(event["job"]["namespace"])
    for named in (event["job"], *event["inputs"], *event["outputs"]):
        assert "#" not in named["name"]
        assert 0 < len(named["name"].encode()) + len(named["namespace"].encode()) <= 2600
    for dataset in (*event["inputs"], *event["outputs"]):
        assert OUTPUT_NAMESPACE.fullmatch(dataset["namespace"])
        for column in dataset["facets"].get("schema", {}).get("fields", ()):
            assert len(column["name"]) <= 255
            assert len(column["name"].encode()) + len(column["type"].encode()) <= 2600
    assert len(event["job"]["facets"].get("sourceCodeLocation", {}).get("url", "")) <= 255
    assert all(len(key) <= 255 for key in event["run"]["facets"])


@hostile
@given(accounts)
def test_no_two_events_of_a_run_share_a_time_or_a_key(account: Account) -> None:
    events = [*build_events(account), build_late(account, 2), build_late(account, 3)]
    times = [str(event["eventTime"]) for event in events]
    assert times == sorted(set(times))
    assert len({event_key(event) for event in events}) == 4


def test_times_have_six_digits_and_follow_the_run() -> None:
    start, end = build_events(FULL)
    assert start["eventTime"] == "2026-09-21T14:13:20.123456Z"
    assert end["eventTime"] == "2026-09-21T14:13:25.123456Z"
    assert datetime.fromisoformat(str(end["eventTime"]))


def test_a_run_that_ended_before_it_began_ends_a_microsecond_later() -> None:
    start, end = build_events(replace(FULL, ended=BEGAN - 10**12))
    assert str(end["eventTime"]) == "2026-09-21T14:13:20.123457Z"
    assert str(start["eventTime"]) < str(end["eventTime"])


def test_a_run_that_goes_on_has_a_start_alone() -> None:
    going = replace(FULL, ended=None)
    assert [event["eventType"] for event in build_events(going)] == ["START"]
    assert build_start(going) == build_events(going)[0]


def test_a_start_is_the_same_event_whether_it_went_ahead_or_not() -> None:
    early = build_start(replace(FULL, ended=None, inputs=(), params={}))
    assert event_key(early) == event_key(build_events(FULL)[0])


def test_start_and_end_name_the_same_datasets_with_all_that_marquez_makes_a_version_of() -> None:
    start, end = build_events(FULL)

    def seen(event: Any) -> list[Any]:
        datasets = event["inputs"] + event["outputs"]
        keys = ("dataSource", "schema", "symlinks", "lifecycleStateChange")
        return [(d["namespace"], d["name"], {k: d["facets"].get(k) for k in keys}) for d in datasets]

    assert seen(start) == seen(end)
    assert start["job"] == end["job"]


def test_a_late_event_says_other_and_bears_its_number() -> None:
    late: Any = build_late(FULL, 5)
    assert late["eventType"] == "OTHER"
    assert late["run"]["facets"]["lineagekit_event"]["sequence"] == 5
    assert late["eventTime"] == "2026-09-21T14:13:25.123460Z"
    with pytest.raises(UsageError, match="got 1, expected 2 or more"):
        build_late(FULL, 1)


def test_an_input_is_bound_to_its_bytes() -> None:
    (dataset, *_) = end_of(FULL)["inputs"]
    content = dataset["inputFacets"]["lineagekit_inputContent"]
    assert content["state"] == "exact"
    assert content["digest"] == f"blake3:{'ab' * 32}" == dataset["facets"]["version"]["datasetVersion"]
    assert content["lks1"] == f"lks1:{'cd' * 32}"
    assert content["lkt1"] == f"lkt1;columns=a%2Cb,c:{'ef' * 32}"
    assert content["evidence"] == f"4096:{BEGAN}:{BEGAN + 1}:{(1 << 60) + 1}:2049"
    assert content["at"] == "2026-09-21T14:13:20.123457789Z"
    assert content["realpath"] == "/mnt/lake/orders.parquet"
    assert content["schemaDigest"] == bytes(range(32)).hex()
    assert dataset["facets"]["symlinks"]["identifiers"][0]["name"] == "/mnt/lake/orders.parquet"
    assert dataset["facets"]["schema"]["fields"][0] == {"name": "amount", "type": "float64"}
    assert dataset["inputFacets"]["inputStatistics"]["rowCount"] == 10


def test_a_profile_becomes_quality_metrics() -> None:
    (dataset, *_) = end_of(FULL)["inputs"]
    metrics = dataset["inputFacets"]["dataQualityMetrics"]
    assert metrics["rowCount"] == 10
    assert metrics["columnMetrics"]["amount"]["nullCount"] == 2
    assert (metrics["columnMetrics"]["amount"]["min"], metrics["columnMetrics"]["amount"]["max"]) == (0.0, 100.0)
    assert metrics["columnMetrics"]["zip"]["distinctCount"] == 2
    written = end_of(replace(FULL, outputs=INPUTS[:1]))["outputs"][0]
    assert written["facets"]["dataQualityMetrics"]["columnMetrics"] == metrics["columnMetrics"]


def test_there_are_no_more_distinct_values_than_values() -> None:
    samples = tuple((number, 1) for number in range(10, 90))
    many = replace(PROFILE, columns=(replace(PROFILE.columns[0], samples=samples), PROFILE.columns[1]))
    table = replace(TABLE, name="/data/many.parquet", profile=many)
    (dataset,) = end_of(replace(FULL, inputs=(replace(INPUTS[0], snapshot=table),)))["inputs"]
    assert dataset["inputFacets"]["dataQualityMetrics"]["columnMetrics"]["amount"]["distinctCount"] == 8


def test_parts_pins_and_what_was_read_of_a_folder_are_told() -> None:
    dataset = end_of(FULL)["inputs"][1]
    content = dataset["inputFacets"]["lineagekit_inputContent"]
    assert [part["path"] for part in content["parts"]] == ["orders/a.csv", "orders/b.csv"]
    assert content["partsTotal"] == content["files"] == 2
    assert content["pins"][1] == {"system": "delta", "version": "12"}
    assert dataset["inputFacets"]["subset"]["inputCondition"] == {"type": "location", "locations": ["orders/*.csv"]}
    assert dataset["facets"]["storage"]["storageLayer"] == "s3"


def test_a_query_is_told_by_its_result_and_its_statement() -> None:
    dataset = end_of(FULL)["inputs"][2]
    content = dataset["inputFacets"]["lineagekit_inputContent"]
    assert content["digest"] == f"sha256:{'ab' * 32}"
    assert content["statement"] == job(FULL)["sql"]["query"] == "SELECT id FROM customers"
    assert job(FULL)["sql"]["dialect"] == "postgres"
    assert dataset["facets"]["datasetType"]["datasetType"] == "TABLE"


def test_an_unknown_output_says_why_and_has_no_digest() -> None:
    dataset = end_of(FULL)["outputs"][1]
    content = dataset["outputFacets"]["lineagekit_outputContent"]
    assert (content["state"], content["reason"]) == ("unknown", "overwritten")
    assert "digest" not in content
    assert dataset["facets"]["version"]["datasetVersion"] == "v7"
    assert original_name(dataset["name"]) == "/tmp/a#1.csv"


def test_digests_that_something_speaks_against_are_not_told() -> None:
    doubted = replace(INPUTS[0], reason="changed after it was read")
    (dataset,) = end_of(replace(FULL, inputs=(doubted,)))["inputs"]
    assert not {"digest", "lks1", "lkt1", "schemaDigest"} & dataset["inputFacets"]["lineagekit_inputContent"].keys()
    assert not {"version", "dataQualityMetrics"} & {*dataset["facets"], *dataset["inputFacets"]}


def test_a_model_is_a_dataset_of_its_type() -> None:
    dataset = end_of(FULL)["outputs"][0]
    assert dataset["facets"]["datasetType"]["datasetType"] == "MODEL"
    assert dataset["facets"]["lineagekit_model"]["version"] == "42"


def test_params_keep_their_types_as_texts() -> None:
    told = {one["name"]: (one["type"], one["value"]) for one in facets(FULL)["lineagekit_params"]["params"]}
    assert told == {
        "C": ("float", "0.3"),
        "n": ("int", "5"),
        "big": ("int", str(2**70)),
        "seed": ("null", ""),
        "grid": ("list", '[1, {"a": null}]'),
        "bad": ("float", "NaN"),
        "on": ("bool", "true"),
    }
    assert facets(FULL)["executionParameters"]["parameters"][0] == {"key": "C", "name": "C", "value": "0.3"}


def test_metrics_have_numbers_or_their_names() -> None:
    auc, loss, later = facets(FULL)["lineagekit_metrics"]["metrics"]
    assert (auc["value"], auc["of"], auc["higherIsBetter"], auc["step"]) == (0.87, "/models/risk.joblib", True, 3)
    assert (loss, later) == ({"name": "loss", "text": "NaN"}, {"name": "later"})
    assert [one["status"] for one in facets(FULL)["test"]["tests"]] == ["pass", "skip", "skip"]


def test_of_too_many_metrics_the_last_of_each_name_stay() -> None:
    steps = tuple(Metric("loss", float(step), step=step) for step in range(5000))
    told = facets(replace(FULL, metrics=steps))["lineagekit_metrics"]
    assert [one["step"] for one in told["metrics"]] == [4999]
    assert told["metricsTotal"] == 5000


def test_the_code_location_holds_the_commit() -> None:
    place = job(FULL)["sourceCodeLocation"]
    assert place["url"] == f"https://github.com/acme/risk/blob/{'9f3a1c2d' * 5}/pipelines/train.py"
    assert facets(FULL)["lineagekit_code"]["dirty"] is True


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("https://ann:s3cret@git.acme.eu/risk.git", "https://git.acme.eu/risk/tree/9f"),
        ("ssh://git@git.acme.eu/risk/x.git/", "https://git.acme.eu/risk/x/tree/9f"),
        ("git.acme.eu:risk/x", "https://git.acme.eu/risk/x/tree/9f"),
        ("/srv/my risk", "git+file:///srv/my%20risk@9f"),
    ],
)
def test_a_repository_is_spelled_as_people_open_it(repository: str, url: str) -> None:
    assert job(replace(FULL, code=Code(repository, "9f")))["sourceCodeLocation"]["url"] == url


def test_a_location_that_marquez_cannot_hold_loses_its_path_then_goes() -> None:
    deep = Code("/srv/risk", "9f", entry="d/" * 200 + "train.py")
    assert job(replace(FULL, code=deep))["sourceCodeLocation"]["url"] == "git+file:///srv/risk@9f"
    assert "sourceCodeLocation" not in job(replace(FULL, code=Code("/srv/" + "d" * 300, "9f")))


def test_a_failure_has_its_last_line_as_message() -> None:
    told = facets(FULL)["errorMessage"]
    assert told["message"] == "ValueError: no rows"
    assert told["stackTrace"].startswith("Traceback")
    assert "errorMessage" not in facets(replace(FULL, state="COMPLETE"))
    assert facets(replace(FULL, state="ABORT", error="", killed=True))["errorMessage"]["message"] == "killed"


def test_what_the_author_said_has_standard_facets() -> None:
    assert job(FULL)["ownership"]["owners"] == [{"name": "risk"}]
    assert job(FULL)["documentation"]["description"] == "Trains the model."
    assert facets(FULL)["tags"]["tags"] == [{"key": "ticket", "value": "7", "source": "USER"}]
    several = replace(FULL, extra={"owner": ["risk", "ops"]})
    assert [one["name"] for one in job(several)["ownership"]["owners"]] == ["risk", "ops"]


def test_facets_that_a_journal_brings_are_kept_without_nulls() -> None:
    told = facets(FULL)
    assert told["acme_cost"]["euros"] == 3
    assert "note" not in told["acme_cost"]
    assert told["parent"]["run"]["runId"].endswith("aa")
    assert "odd" not in told


def test_the_parent_is_named_as_its_own_events_name_it() -> None:
    mother = replace(FULL, job="night\0ly", namespace="équipe", parent=None)
    child = replace(FULL, parent=RunName(FULL.run, "équipe", "night\0ly"), root=None)
    parent = facets(child)["parent"]
    named = end_of(mother)["job"]
    assert parent["job"] == {"namespace": named["namespace"], "name": named["name"]}
    assert "root" not in parent
    assert original_namespace(named["namespace"]) == "équipe"
    logged = replace(child, parent=RunName(FULL.run, named["namespace"], named["name"]))
    assert facets(logged)["parent"] == parent


def test_a_run_id_that_is_no_uuid_becomes_one_and_is_kept() -> None:
    event = end_of(replace(FULL, run="nightly-7"))
    assert event["run"]["facets"]["lineagekit_run"]["run"] == "nightly-7"
    assert event["run"]["runId"] == end_of(replace(FULL, run="nightly-7"))["run"]["runId"] != RUN


def test_a_wide_schema_is_cut_and_says_so() -> None:
    wide = Use("file", "/w", path="/w", columns=tuple((f"c{i}", "int64") for i in range(1500)))
    (dataset,) = end_of(replace(FULL, inputs=(wide,)))["inputs"]
    assert len(dataset["facets"]["schema"]["fields"]) == 1000
    assert dataset["inputFacets"]["lineagekit_inputContent"]["columnsTotal"] == 1500


def test_a_name_that_was_cut_is_kept_whole_in_our_facet() -> None:
    long = "/data/" + "x" * 65_000
    (dataset,) = end_of(replace(FULL, inputs=(Use("file", long),), job=long))["inputs"]
    assert len(dataset["name"]) <= 2000
    assert dataset["inputFacets"]["lineagekit_inputContent"]["name"] == long
    assert facets(replace(FULL, job=long))["lineagekit_run"]["job"] == long


def test_a_type_of_many_levels_is_cut_and_an_empty_one_is_unknown() -> None:
    odd = Use("file", "/w", columns=(("deep", "struct<a:" * 1000), ("", "")))
    (dataset,) = end_of(replace(FULL, inputs=(odd,)))["inputs"]
    deep, empty = dataset["facets"]["schema"]["fields"]
    assert len(deep["type"]) <= 1500
    assert empty == {"name": "unnamed", "type": "unknown"}


def test_every_event_bears_the_journal_that_told_of_it() -> None:
    for sequence, event in enumerate(build_events(FULL)):
        told = event["run"]["facets"]["lineagekit_event"]  # type: ignore[index]
        assert (told["journal"], told["sequence"]) == (JOURNAL, sequence)


def test_a_profile_of_columns_that_the_snapshot_does_not_name_is_passed_over() -> None:
    odd = Snapshot("x", "table", TABLE.digests, profile=PROFILE)
    (dataset,) = end_of(replace(FULL, inputs=(replace(INPUTS[0], snapshot=odd),)))["inputs"]
    assert "dataQualityMetrics" not in dataset["inputFacets"]
