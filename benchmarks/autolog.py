# SPDX-License-Identifier: Apache-2.0
"""Claim: `import lineagekit; lineagekit.autolog()` costs a job < 30 ms, and the open of an excluded file <= 4 us more.

Peer: `python -c pass`, and the same open without us. Bytecode is cached, as after any installation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

from measure import run

OPENING = """
import sys, time
{0}
open("/etc/hostname").close()
def once(path):
    began = time.perf_counter_ns()
    open(path).close()
    return time.perf_counter_ns() - began
print(sorted(once(sys.argv[1]) for _ in range(20_000))[10_000])
"""
AUTOLOG = "import lineagekit; lineagekit.autolog()"


def call(code: str, *words: str) -> str:
    """Run a program, with a store that nobody else has."""
    with tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "LINEAGEKIT_SETTLE": "off", "LINEAGEKIT_STORE": folder}
        return subprocess.run(
            [sys.executable, "-c", code, *words], check=True, capture_output=True, env=environ, text=True
        ).stdout


def main() -> None:
    """Measure both."""
    rounds = run({"python": lambda: call("pass"), "autolog": lambda: call(AUTOLOG)}, rounds=25)
    over = statistics.median(a - b for a, b in zip(rounds["autolog"], rounds["python"], strict=True))
    print(f"autolog()                     {over * 1000:5.1f} ms over python   target < 30")
    for name, path in (("an excluded file", "/etc/hostname"), ("a recorded file, again", __file__ + "x")):
        if path.endswith("x"):
            with open(path := os.path.join(tempfile.gettempdir(), "lineagekit-open.csv"), "w") as file:
                file.write("1\n")
        pairs = [int(call(OPENING.format(AUTOLOG), path)) - int(call(OPENING.format(""), path)) for _ in range(5)]
        target = "   target <= 4" if "excluded" in name else ""
        print(f"open of {name:22}{statistics.median(pairs) / 1000:5.1f} us over open{target}")


if __name__ == "__main__":
    main()
