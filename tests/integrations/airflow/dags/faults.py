# SPDX-License-Identifier: Apache-2.0
"""Tasks that end badly, each run by `airflow tasks test`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.dag import DAG

DATA = Path(os.environ["SHOP_DATA"])

with DAG("faults", schedule=None):

    @task
    def killed() -> None:
        (DATA / "before.csv").write_text("before")
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def works() -> None:
        (DATA / "works.csv").write_text("works")

    killed()
    works()
