# SPDX-License-Identifier: Apache-2.0
"""With LINEAGEKIT_REQUIRE_ALL set nothing is skipped for want of a component: the build machine has them all."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from lineagekit.cause import cage

settings.register_profile("patient", deadline=None)  # a machine's moods are no failure
settings.load_profile("patient")


ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ("airflow", "spark")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _require(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _require(report)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a Marquez that runs are there where MARQUEZ_URL names one; elsewhere a recorded one has to do.

    Those of a cage are there where the kernel lets anybody build one, which containers may forbid. Those of Airflow
    and Spark are there where `make airflow-env` and `make spark-env` have made an environment for them.
    """
    absent = [] if os.environ.get("MARQUEZ_URL") else ["live"]
    absent += [name for name in ENVIRONMENTS if not _has(name, items)]
    if any(item.get_closest_marker("caged") for item in items) and (why := cage.why_not()):
        print(f"tests that rebuild are left out: {why}")
        absent.append("caged")
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _has(name: str, items: list[pytest.Item]) -> bool:
    """Whether the environment is there; where all have to be, its tests fail rather than be left out."""
    if (ROOT / f".venv-{name}" / ".done").exists() or os.environ.get("LINEAGEKIT_REQUIRE_ALL"):
        return True
    if any(item.get_closest_marker(name) for item in items):
        print(f"tests of {name} are left out: run `make {name}-env` for them")
    return False


def _require(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("LINEAGEKIT_REQUIRE_ALL"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}. LINEAGEKIT_REQUIRE_ALL is set: install what this machine lacks."
