# SPDX-License-Identifier: Apache-2.0
"""A DAG without a word of lineage in it, but for two outlets; `python shop.py` runs it in this process."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor

try:
    from airflow.sdk import DAG, Asset, task
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.models.dag import DAG

DATA = Path(os.environ["SHOP_DATA"])
HERE = Path(__file__).parent


def _extract(rows: int) -> None:
    with (DATA / "raw.csv").open() as source, (DATA / "orders.csv").open("w") as target:
        csv.writer(target).writerows(list(csv.reader(source))[: rows + 1])


def _call_back(context: Any) -> None:
    """Reads what the body did not, and writes over what it did."""
    (DATA / "raw.csv").read_text()
    (DATA / "report.csv").write_text("sent")
    (DATA / {"tells": "told.csv", "fails": "half.csv"}[context["ti"].task_id]).write_text("over")


with DAG("shop", schedule=None, params={"C": 0.5}) as dag:
    extract = PythonOperator(task_id="extract", python_callable=_extract, op_kwargs={"rows": 50})

    @task
    def features() -> None:
        import pandas as pd

        frame = pd.read_csv(DATA / "orders.csv")
        frame.assign(twice=frame["x"] * 2).to_parquet(DATA / "features.parquet")

    train = BashOperator(task_id="train", bash_command=f"{sys.executable} {HERE / 'train.py'}")

    @task(inlets=[Asset(f"file://{DATA}/orders.csv")], outlets=[Asset(f"file://{DATA}/copy.csv")])
    def copy() -> None:
        subprocess.run(["cp", DATA / "orders.csv", DATA / "copy.csv"], check=True)

    @task(outlets=[Asset(f"file://{DATA}/old.csv")])
    def idle() -> None:
        """Has nothing to do today."""

    @task
    def part(number: int) -> None:
        (DATA / f"part{number}.csv").write_text(str(number))

    wait = TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=1), deferrable=True)
    load = SQLExecuteQueryOperator(
        task_id="load",
        conn_id="shop",
        sql=["CREATE TABLE IF NOT EXISTS daily (x INTEGER)", "INSERT INTO daily SELECT x FROM orders"],
    )

    @task(on_success_callback=_call_back)
    def tells() -> None:
        (DATA / "told.csv").write_text("told")

    @task(on_failure_callback=_call_back)
    def fails() -> None:
        (DATA / "orders.csv").read_text()
        (DATA / "half.csv").write_text("half")
        raise ValueError("no")

    extract >> features() >> train >> [copy(), idle(), part.expand(number=[1, 2]), wait, load, tells()] >> fails()

if __name__ == "__main__":
    dag.test()
