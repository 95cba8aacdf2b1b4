# SPDX-License-Identifier: Apache-2.0
"""Folders, groups of files, tables, models, answers: what a run is told to have used, beyond single files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lineagekit.identity.fingerprint import fingerprint
from lineagekit.identity.manifest import Manifest
from lineagekit.identity.options import Options
from lineagekit.record import reasons
from lineagekit.store.log import open_store
from tests.record.jobs import Job, World


@pytest.fixture
def job(world: World) -> Job:
    return world.job()


def make_files(folder: Path, count: int, suffix: str = ".bin") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(b"%d" % number)
    return paths


def manifest_of(world: World, digest: str) -> Manifest:
    with open_store(world.store) as store:
        body = store.object("manifest", digest)
    assert body is not None
    return Manifest.from_lines(body.decode().splitlines(keepends=True))


def test_a_folder_is_one_dataset_with_its_manifest(world: World, job: Job) -> None:
    folder = world.data / "orders"
    make_files(folder / "deep", 3)
    job.read_folder(folder)
    job.end()
    world.settle()
    facet = world.inputs(job.run)[str(folder)]
    assert facet["digest"] == str(fingerprint(folder).digest("lkd1"))
    assert (facet["kind"], facet["files"]) == ("directory", 3)
    paths = [entry.path for entry in manifest_of(world, facet["digest"])]
    assert paths == ["deep/000.bin", "deep/001.bin", "deep/002.bin"]


@pytest.mark.parametrize("what", ["changed", "added", "removed"])
def test_a_folder_that_is_not_what_it_was_is_unknown(world: World, job: Job, what: str) -> None:
    path, *_ = make_files(world.data / "orders", 3)
    job.read_folder(path.parent)
    job.end()
    if what == "changed":
        path.write_bytes(b"9")
    elif what == "added":
        (path.parent / "more").touch()
    else:
        path.unlink()
    assert world.settle().unknown == {reasons.CHANGED_AFTER_READ: 1}


def test_many_files_of_one_folder_are_one_dataset_with_parts(world: World, job: Job) -> None:
    paths = make_files(world.data / "orders", 20)
    for path in paths[:18]:
        job.read(path)
    job.end()
    world.settle()
    (facet,) = world.inputs(job.run).values()
    assert [part["path"] for part in facet["parts"]] == [path.name for path in paths[:18]]
    assert all(part["digest"] and part["evidence"] for part in facet["parts"])
    manifest = manifest_of(world, facet["digest"])
    assert (len(manifest), str(manifest.digest)) == (18, facet["digest"])


def test_a_group_of_all_files_has_the_digest_of_the_folder(world: World, job: Job) -> None:
    folder = world.data / "orders"
    for path in make_files(folder, 16):
        job.read(path)
    job.end()
    world.settle()
    assert world.inputs(job.run)[str(folder)]["digest"] == str(fingerprint(folder).digest("lkd1"))


def test_a_group_with_an_unknown_file_is_unknown_and_knows_the_others(world: World, job: Job) -> None:
    paths = make_files(world.data / "orders", 16)
    for path in paths:
        job.read(path)
    paths[3].write_bytes(b"other")
    job.end()
    world.settle()
    (facet,) = world.inputs(job.run).values()
    assert (facet["state"], facet["reason"]) == ("unknown", reasons.CHANGED_AFTER_READ)
    assert ["digest" in part for part in facet["parts"]] == [number != 3 for number in range(16)]


def test_partitions_are_parts_of_the_folder_above_them(world: World, job: Job) -> None:
    paths = [world.data / "sales" / f"year={year}" / "m=1" / "part.parquet" for year in (2025, 2026)]
    for path in paths:
        path.parent.mkdir(parents=True)
        job.write(path, b"1")
    job.end()
    world.settle()
    facet = world.outputs(job.run)[str(world.data / "sales")]
    assert [part["path"] for part in facet["parts"]] == ["year=2025/m=1/part.parquet", "year=2026/m=1/part.parquet"]


def test_a_table_is_told_with_its_content_and_its_profile_is_kept(world: World, job: Job) -> None:
    path = world.data / "t.csv"
    job.write(path, b"id,label\n1,a\n2,b\n")
    job.end()
    world.settle()
    facet = world.outputs(job.run)[str(path)]
    expected = fingerprint(path, Options(what="both"))
    assert (facet["lkt1"], facet["lks1"]) == tuple(str(expected.digest(name)) for name in ("lkt1", "lks1"))
    assert (facet["kind"], facet["rows"]) == ("table", 2)
    with open_store(world.store) as store:
        assert store.object("profile", facet["lkt1"])


def test_the_content_of_a_table_that_was_overwritten_is_taken_from_its_copy(world: World, job: Job) -> None:
    path = world.data / "t.csv"
    path.write_bytes(b"id,label\n1,a\n")
    expected = fingerprint(path, Options(what="both"))
    job.read(path)
    job.write(path, b"id\n")
    job.end()
    world.settle()
    facet = world.inputs(job.run)[str(path)]
    assert (facet["lkt1"], facet["rows"]) == (str(expected.digest("lkt1")), 1)


def test_content_is_not_taken_where_it_is_not_wanted(world: World, job: Job) -> None:
    path = world.data / "t.csv"
    job.write(path, b"id\n1\n")
    job.end()
    world.settle(content=False)
    facet = world.outputs(job.run)[str(path)]
    assert (facet["state"], "lkt1" in facet) == ("exact", False)


def test_a_table_that_cannot_be_read_keeps_the_digest_of_its_bytes(world: World, job: Job) -> None:
    path = world.data / "t.parquet"
    job.write(path, b"PAR1 and no more")
    job.end()
    assert world.settle().exact == 1
    facet = world.outputs(job.run)[str(path)]
    assert facet["digest"] == str(fingerprint(path, Options(what="bytes")).digest("blake3"))
    assert facet["warnings"][0].startswith("the content was not taken: cannot read")


def test_a_model_is_named_by_job_and_file_and_versioned_by_its_bytes(world: World, job: Job) -> None:
    first, second = world.data / "model.joblib", world.data / "other.pkl"
    for path in (first, second):
        job.write(path, b"weights")
    job.say("model", path=str(first), name="", version="")
    job.say("model", path=str(second), name="risk", version="42")
    job.end()
    world.settle()
    facets = {one["name"]: one["facets"] for one in world.end(job.run)["outputs"]}
    told = [facets[str(path)]["lineagekit_model"] for path in (first, second)]
    digest = world.outputs(job.run)[str(first)]["digest"]
    assert [(one["name"], one["version"]) for one in told] == [("train/model", digest[7:19]), ("risk", "42")]
    assert facets[str(first)]["datasetType"]["datasetType"] == "MODEL"


def test_a_metric_is_of_and_on_datasets_as_the_run_leaves_them(world: World, job: Job) -> None:
    scratch, model = world.data / "model.tmp", world.data / "model.pkl"
    parts = make_files(world.data / "eval", 16)
    for path in parts:
        job.read(path)
    job.write(scratch, b"1")
    job.say("metric", name="auc", value=0.9, of=str(scratch), on=str(parts[3]), higher_is_better=True, step=None)
    job.say("dataset", role="input", namespace="s3://raw", name="orders/1.csv", etag="abc", door="boto3")
    job.say("metric", name="f1", value=None, of="", on="s3://raw/orders/1.csv", higher_is_better=None, step=3.0)
    job.move(scratch, model)
    job.end()
    world.settle()
    first, second = world.end(job.run)["run"]["facets"]["lineagekit_metrics"]["metrics"]
    assert (first["of"], first["on"]) == (str(model), str(world.data / "eval"))
    assert (second["on"], second["step"]) == ("orders/1.csv", 3)


def test_what_is_no_file_is_told_with_its_pins(world: World, job: Job) -> None:
    named = {"namespace": "s3://raw", "name": "orders/1.csv", "door": "boto3"}
    job.say("dataset", role="input", **named, etag="abc", version="v1", bytes=10)
    job.say("dataset", role="input", **named, rows=5)
    job.end()
    assert world.settle().unknown == {reasons.NO_BYTES: 1}
    facet = world.inputs(job.run)["orders/1.csv"]
    assert facet["pins"] == [{"system": "s3", "version": "v1", "etag": "abc"}]
    assert (facet["bytes"], facet["rows"]) == (10, 5)


def test_the_answer_of_a_query_is_an_input_by_its_digest(world: World, job: Job) -> None:
    answer: dict[str, Any] = {
        "kind": "query",
        "namespace": "postgres://db:5432",
        "name": "crm.public.customers",
        "statement": "SELECT * FROM customers",
        "tables": ["crm.public.customers"],
        "rows": 3,
        "columns": [["id", "int64"]],
        "digest": "sha256:" + "ab" * 32,
    }
    for _ in range(2):
        job.say("result", **answer)
    job.say("result", kind="http", namespace="https://api", name="/rates", digest="", reason="over its cap")
    job.end()
    world.settle()
    inputs = world.inputs(job.run)
    assert inputs["crm.public.customers"]["digest"] == answer["digest"]
    assert inputs["crm.public.customers"]["statement"] == answer["statement"]
    assert inputs["/rates"]["reason"] == "over its cap"


def test_what_one_of_two_runs_did_is_told_of_both_as_ambiguous(world: World, job: Job) -> None:
    other, path = world.job(journal=job.journal), world.data / "a"
    job.read(path) if path.exists() else job.write(path, b"1")
    among = {"fact": "ambiguous", "run": "", "among": [job.run, other.run], "role": "output", "path": str(path)}
    job.journal.append(among)
    for one in (job, other):
        one.end()
    world.settle()
    assert world.outputs(job.run)[str(path)]["state"] == "exact"  # it did so for certain
    assert world.outputs(other.run)[str(path)]["reason"] == reasons.AMBIGUOUS


def test_code_and_environment_of_several_processes_add_up(world: World, job: Job) -> None:
    worker = world.job(job.run, journal=job.journal, begins=False)
    root = str(world.data)
    for one, name in ((job, "__main__"), (worker, "features")):
        digests = ["sha256:" + "ab" * 32]
        module = [name, f"{root}/{name}.py", digests]
        one.say("code", entry=f"{root}/train.py", repository=root, commit="9f3a", modules=[module], cells=[])
        one.say("environment", python="3.11", packages={name: "1.0"}, variables={})
    job.end()
    world.settle()
    facets = world.end(job.run)["run"]["facets"]
    assert [one["name"] for one in facets["lineagekit_code"]["modules"]] == ["__main__", "features"]
    assert facets["lineagekit_code"]["entry"] == "train.py"
    assert facets["lineagekit_environment"]["packages"] == {"__main__": "1.0", "features": "1.0"}


def test_hostile_names_go_through(world: World, job: Job) -> None:
    names = [os.fsdecode(name) for name in (b'a"b', b"a\nb", b"\xff\xfe", "\u202erevo".encode(), b"a#b%00", b"x" * 255)]
    for name in names:
        job.write(world.data / name, b"1")
    job.say("read", path="/nul\0inside", evidence=[1, 2, 3, 4, 5], door="open")
    job.say("params", params={"\0": "\ud800", "nan": float(10**300)})
    job.end()
    settled = world.settle()
    assert (settled.exact, settled.unknown) == (len(names), {reasons.GONE: 1})
