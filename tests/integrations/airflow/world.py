# SPDX-License-Identifier: Apache-2.0
"""An Airflow of its own environment, with its home, its DAGs and a store in a folder."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from lineagekit.cli.settling import settle
from lineagekit.store.log import open_store

ROOT = Path(__file__).parents[3]
DAGS = Path(__file__).parent / "dags"


class Airflow:
    """`airflow` and `python` of an environment, told of one option: ours."""

    def __init__(self, folder: Path, *, environment: str = ".venv-airflow", **transport: Any) -> None:
        self.folder, self.store, self.data = folder, folder / "store", folder / "data"
        self.bin = ROOT / environment / "bin"
        self.data.mkdir(parents=True)
        (self.data / "raw.csv").write_text("id,x\n" + "".join(f"{n},{n * 2}\n" for n in range(100)))
        (self.data / "shop.db").touch()
        (self.data / "old.csv").write_text("of yesterday")
        told = {"type": "lineagekit_airflow.Transport", "store": str(self.store), **transport}
        self.environ = {
            "HOME": str(folder),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(told),
            "AIRFLOW__OPENLINEAGE__NAMESPACE": "prod",
            "AIRFLOW_CONN_SHOP": json.dumps({"conn_type": "sqlite", "host": str(self.data / "shop.db")}),
            "SHOP_DATA": str(self.data),
            "LINEAGEKIT_CACHE": str(folder / "cache"),
        }

    def run(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.bin / words[0], *words[1:]], env=self.environ, capture_output=True, text=True, cwd=self.folder
        )
        assert not check or done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done

    def migrate(self) -> None:
        self.run("airflow", "db", "migrate")
        self.run("python", "-c", "import sqlite3; sqlite3.connect('data/shop.db').execute('CREATE TABLE orders (x)')")

    def events(self) -> dict[str, list[dict[str, Any]]]:
        """By job, in the order of the log; everything is settled before."""
        settle(str(self.store))
        found = defaultdict(list)
        with open_store(str(self.store)) as store:
            for row in store.events(after=0, limit=10_000):
                event = json.loads(row.body)
                found[event["job"]["name"]].append(event)
        return found


def content(event: dict[str, Any], role: str) -> dict[str, dict[str, Any]]:
    """By the last part of the name: what we say of each dataset; nothing of those that only Airflow speaks of."""
    return {
        Path(one["name"]).name: (one.get(f"{role}Facets") or {}).get(f"lineagekit_{role}Content", {})
        for one in event.get(f"{role}s", ())
    }
