# SPDX-License-Identifier: Apache-2.0
"""Who is asked about data and jobs, as the settings say, stands in the events."""

from __future__ import annotations

from typing import Any

from lineagekit.events.account import Account, Use
from lineagekit.events.owners import with_owners
from lineagekit.record.plan import Plan
from lineagekit.settings import Settings
from tests.events.schemas import validate_event
from tests.record.jobs import World


def owners(thing: dict[str, Any]) -> list[str]:
    return [one["name"] for one in thing["facets"].get("ownership", {}).get("owners", ())]


def test_owners_of_the_settings_stand_in_the_events_of_jobs_and_data(world: World) -> None:
    source, made = world.data / "crm" / "in.bin", world.data / "out.bin"
    source.parent.mkdir()
    source.write_bytes(b"old")
    job = world.job(namespace="risk")
    job.write(made, job.read(source))
    job.end()
    said = {f"{world.data}/crm/**": "crm-team@example.com", "risk/*": "risk@example.com", f"{world.data}/**": "ann"}
    world.settle(owners=said)
    end = world.end(job.run)
    assert owners(end["job"]) == ["risk@example.com"]
    assert [owners(one) for one in end["inputs"]] == [["crm-team@example.com"]]
    assert [owners(one) for one in end["outputs"]] == [["ann"]]
    validate_event(end)


def test_whom_the_author_named_comes_first_and_nobody_twice(world: World) -> None:
    job = world.job(namespace="risk", extra={"owner": "bob"})
    job.end()
    world.settle(owners={"risk/*": "ann"})
    other = world.job(namespace="risk", extra={"owner": "ann"})
    other.end()
    world.settle(owners={"risk/*": "ann"})
    assert owners(world.end(job.run)["job"]) == ["bob", "ann"]
    assert owners(world.end(other.run)["job"]) == ["ann"]


def test_without_such_settings_nothing_is_said(world: World) -> None:
    job = world.job()
    job.write(world.data / "out.bin", b"new")
    job.end()
    world.settle()
    end = world.end(job.run)
    assert "ownership" not in end["job"]["facets"]
    assert "ownership" not in end["outputs"][0]["facets"]


def test_what_is_no_file_is_matched_by_namespace_and_name() -> None:
    account = Account("r", "train", inputs=(Use("s3://lake", "raw/orders"), Use("s3://lake", "raw/other")))
    told = with_owners(account, {"s3://lake/raw/orders": "ann", "default/train": "bob"})
    assert [use.owners for use in told.inputs] == [("ann",), ()]
    assert told.owners == ("bob",)


def test_the_settings_reach_settling() -> None:
    assert Plan.of(Settings(owners={"/data/**": "ann"})).owners == {"/data/**": "ann"}
