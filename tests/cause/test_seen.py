# SPDX-License-Identifier: Apache-2.0
"""What ran in a copy is told by the paths of what was copied; what it read past the copy counts by its bytes alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lineagekit.cause.probe import Record
from lineagekit.cause.proof import Intent
from lineagekit.cause.seen import Seen, read_past
from lineagekit.cause.views import Views
from lineagekit.events.naming import escape_name
from lineagekit.store import query
from lineagekit.store.index import open_index
from lineagekit.store.log import entry_of, open_store
from tests.store.told import Event, dataset, digest, run

LABELS, MODEL, OPEN = "/work/labels.csv", "/work/model.pkl", "/work/.lineagekit/x/open"
RIGHT, WRONG = "1" * 16, "2" * 16
PAST = f"it read {LABELS} by its absolute path, which cannot be put back here: user namespaces are forbidden"


@contextmanager
def recorded(folder: Path, events: Sequence[Event], opened: str = OPEN) -> Iterator[Record]:
    with open_store(folder) as store:
        store.append(map(entry_of, events))
        seen = Seen(store, Path(opened, "tree"))
        with open_index(seen, folder) as index:
            index.catch_up()
            yield Record(index.database, seen, read_past(store, Path(opened)))


def trouble(
    folder: Path, *reads: Event, writes: Sequence[Event] = (), wanted: str | None = RIGHT, **more: object
) -> str:
    """Why a run that read this does not count, where `wanted` is what the labels are to be."""
    files = {LABELS: digest(wanted) if wanted else wanted}
    with recorded(folder, run("train.py", 10, 20, reads=reads, writes=writes)) as record:
        return record.prove(Intent(files)).trouble


def in_copy(path: str, role: str = "input", **said: str) -> Event:
    return dataset(f"{OPEN}/tree{path}", role, at=11, **said)


def test_what_lies_in_the_copy_counts_as_what_was_copied(tmp_path: Path) -> None:
    assert trouble(tmp_path / "1", in_copy(LABELS, digest=RIGHT)) == ""
    assert trouble(tmp_path / "2", in_copy(LABELS, digest=WRONG)) == f"it read other bytes of {LABELS} than intended"
    assert trouble(tmp_path / "3", in_copy(LABELS, digest=WRONG), wanted=None) == (
        f"it read {LABELS}, which is not to be there"
    )
    assert trouble(tmp_path / "4", in_copy("/work/x", digest=RIGHT)) == "it read /work/x, which neither build read"


def test_an_original_counts_only_if_it_has_the_bytes_that_were_intended(tmp_path: Path) -> None:
    right, wrong = (dataset(LABELS, at=11, digest=one) for one in (RIGHT, WRONG))
    assert trouble(tmp_path / "1", right) == ""
    assert trouble(tmp_path / "2", wrong).startswith(PAST)
    assert trouble(tmp_path / "3", dataset(LABELS, at=11, reason="vanished")).startswith(PAST)
    assert trouble(tmp_path / "4", right, wanted=None).startswith(PAST)


def test_an_original_does_not_hide_behind_its_copy(tmp_path: Path) -> None:
    copy, wrong = in_copy(LABELS, digest=RIGHT), dataset(LABELS, at=12, digest=WRONG)
    assert trouble(tmp_path / "1", copy, wrong).startswith(PAST)
    assert trouble(tmp_path / "2", wrong, copy).startswith(PAST)


def test_an_original_of_what_was_made_anew_in_the_copy_is_stale(tmp_path: Path) -> None:
    written = in_copy(LABELS, "output", digest=RIGHT)
    for number, wanted in enumerate((RIGHT, WRONG)):
        found = trouble(tmp_path / str(number), dataset(LABELS, at=12, digest=RIGHT), writes=[written], wanted=wanted)
        assert found.startswith(PAST)


@pytest.mark.parametrize("path", ["/work/lib.py", f"{OPEN}/tree/work/lib.py"])
def test_modules_are_told_apart_like_files(tmp_path: Path, path: str) -> None:
    module = {"name": "lib", "path": path, "digests": ["sha256:aa"]}
    events = run("train.py", 10, 20, run_facets={"lineagekit_code": {"modules": [module]}})
    with recorded(tmp_path, events) as record:
        assert record.prove(Intent({"/work/lib.py": "sha256:aa"})).trouble == ""
        other = record.prove(Intent({"/work/lib.py": "sha256:bb"})).trouble
    assert ("by its absolute path" in other) == (path == "/work/lib.py")
    assert other != ""


@pytest.mark.parametrize("opened", ["/wörk/a b/open", "/w#1/open", '/w"\\/open', "/new\nline/open", "/w\udcff/open"])
def test_the_copy_may_lie_anywhere(tmp_path: Path, opened: str) -> None:
    said = {"name": "auc", "value": 0.6, "higherIsBetter": True, "of": escape_name(f"{opened}/tree{MODEL}")}
    facets = {"lineagekit_metrics": {"metrics": [said]}, "lineagekit_run": {"argv": [f"--to={opened}/tree{MODEL}"]}}
    model = dataset(escape_name(f"{opened}/tree{MODEL}"), "output", at=12, digest=RIGHT, model="m")
    labels = dataset(escape_name(f"{opened}/tree{LABELS}"), at=11, digest=RIGHT)
    events = run("train.py", 10, 20, reads=[labels], writes=[model], run_facets=facets)
    with recorded(tmp_path, events, opened) as record:
        proof = record.prove(Intent({LABELS: digest(RIGHT)}, model=MODEL))
        view = Views(record.db, record.store).of(query.all_runs(record.db)[0])
    assert (proof.trouble, proof.read, proof.metrics) == ("", frozenset({LABELS}), {"auc": 0.6})
    assert [name.name for name in (*view.inputs, *view.outputs)] == [LABELS, MODEL]
    assert view.launch["argv"] == [f"--to={MODEL}"] or "\udcff" in opened
