# SPDX-License-Identifier: Apache-2.0
"""Rounds that alternate, so that a machine's moods hit all alike; ratios are medians of same-round ratios.

rounds = run({"peer": peer, "us": us}, rounds=5)
report("one file", rounds, against="peer")
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

Rounds = dict[str, list[float]]


def run(contenders: dict[str, Callable[[], object]], *, rounds: int = 5, warm_up: int = 1) -> Rounds:
    """Seconds of each contender in each counted round."""
    taken: Rounds = {name: [] for name in contenders}
    for turn in range(-warm_up, rounds):
        for name, work in contenders.items():
            began = time.perf_counter()
            work()
            if turn >= 0:
                taken[name].append(time.perf_counter() - began)
    return taken


def ratio(rounds: Rounds, name: str, against: str) -> float:
    """Median of the same-round ratios."""
    return statistics.median(a / b for a, b in zip(rounds[name], rounds[against], strict=True))


def report(title: str, rounds: Rounds, *, against: str, targets: dict[str, float] | None = None) -> None:
    """One line a contender: median milliseconds, ratio to the peer, and the target where there is one."""
    print(title)
    for name, seconds in rounds.items():
        target = f"   target <= {targets[name]:g}x" if targets and name in targets else ""
        print(f"  {name:42} {statistics.median(seconds) * 1000:9.0f} ms {ratio(rounds, name, against):7.2f}x{target}")
