# SPDX-License-Identifier: Apache-2.0
"""People who come back or do not: the truth behind the linear pipeline and the join of three."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.faults.world import random_for

CITIES = 12
Columns = dict[str, Any]


def people(seed: int, what: str, day: int, count: int) -> Columns:
    """Rows with a label, and a column that only becomes known after the label is."""
    random = random_for(seed, what, day)
    city = random.integers(0, CITIES, count)
    amount = np.round(np.exp(random.normal(3.5, 0.8, count)), 2)
    visits = random.poisson(5, count)
    age = random.integers(18, 90, count)
    label = (random.random(count) < chance(seed, city, amount, visits, age)).astype(np.int64)
    refunds = np.where(random.random(count) < 0.9, label * random.integers(1, 9, count), 0)
    return {"city": city, "amount": amount, "visits": visits, "age": age, "refunds": refunds, "label": label}


def chance(seed: int, city: Any, amount: Any, visits: Any, age: Any) -> Any:
    """Of a label to be one."""
    effects = random_for(seed, "cities").normal(0, 0.8, CITIES)
    odds = effects[city] + 1.2 * (np.log(amount) - 3.5) + 0.4 * (visits - 5) - 0.03 * (age - 50)
    return 1 / (1 + np.exp(-odds))
