# SPDX-License-Identifier: Apache-2.0
"""Tasks that end badly, or meet something bad, each run by `airflow tasks test`."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.dag import DAG

DATA = Path(os.environ["SHOP_DATA"])


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(512)):
            pass


with DAG("faults", schedule=None):

    @task
    def killed() -> None:
        (DATA / "before.csv").write_text("before")
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def works() -> None:
        (DATA / "works.csv").write_text("works")

    @task
    def fills() -> None:
        """The disk of the store is full for a while, in the midst of the body."""
        (DATA / "before.csv").write_text("before")
        _fill(Path(os.environ["SHOP_STORE"], "filler"))
        for number in range(20):
            (DATA / f"part{number}.csv").write_text(str(number))
        Path(os.environ["SHOP_STORE"], "filler").unlink()
        (DATA / "after.csv").write_text("after")

    killed()
    works()
    fills()
