# SPDX-License-Identifier: Apache-2.0
"""A model from raw data in three tasks, for the real scheduler; of lineage it knows its grade, and no more."""

from __future__ import annotations

import os
from pathlib import Path

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.dag import DAG

DATA = Path(os.environ["SHOP_DATA"])

with DAG("model", schedule=None, max_active_runs=1):

    @task
    def prepare() -> None:
        import pandas as pd

        orders, labels = pd.read_csv(DATA / "orders.csv"), pd.read_csv(DATA / "labels.csv")
        orders.merge(labels, on="id").to_parquet(DATA / "train.parquet")

    @task
    def train() -> None:
        import joblib
        import pandas as pd
        from sklearn.linear_model import LogisticRegression

        frame = pd.read_parquet(DATA / "train.parquet")
        joblib.dump(LogisticRegression().fit(frame[["a", "b"]], frame["label"]), DATA / "model.joblib")

    @task
    def grade() -> None:
        import joblib
        import pandas as pd
        from sklearn.metrics import roc_auc_score

        import lineagekit

        exam = pd.read_csv(DATA / "exam.csv")
        auc = roc_auc_score(exam["label"], joblib.load(DATA / "model.joblib").predict_proba(exam[["a", "b"]])[:, 1])
        lineagekit.metric("auc", auc, of=DATA / "model.joblib", on=DATA / "exam.csv", higher_is_better=True)

    prepare() >> train() >> grade()
