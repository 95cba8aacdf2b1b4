# SPDX-License-Identifier: Apache-2.0
"""What a BashOperator starts: a script of somebody who has never heard of Airflow."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

import lineagekit

DATA = Path(os.environ["SHOP_DATA"])
frame = pd.read_parquet(DATA / "features.parquet")
model = lineagekit.model(DATA / "model.json", name="shop-model")
model.write_text(json.dumps({"mean": float(frame["twice"].mean())}))
lineagekit.metric("auc", 0.8, of=model)
