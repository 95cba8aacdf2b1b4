# SPDX-License-Identifier: Apache-2.0
"""`lineagekit demo`: every promise is put to the test before it is printed."""

from __future__ import annotations

import json

from tests.cli.conftest import Run


def test_the_demo_keeps_its_promises_and_fits_a_screen(run: Run) -> None:
    done = run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80


def test_a_table_written_anew_keeps_its_content_and_a_flipped_label_does_not(run: Run) -> None:
    answer = json.loads(run("demo", "--json").stdout)["result"]
    seen = {trial["what"]: trial["seen"] for trial in answer["trials"]}
    assert answer["kept"] is True
    assert seen["written anew, zstd"] == {"blake3": "changed", "lkt1": "same", "lks1": "same"}
    assert seen["rows backwards"] == {"blake3": "changed", "lkt1": "same", "lks1": "changed"}
    assert seen["one label flipped"] == {"blake3": "changed", "lkt1": "changed", "lks1": "changed"}
    assert seen["copied elsewhere"] == {"lkd1": "same"}
    assert seen["one file renamed"] == {"lkd1": "changed"}
