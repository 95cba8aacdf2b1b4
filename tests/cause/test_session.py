# SPDX-License-Identifier: Apache-2.0
"""Sessions of bisect: what was paid for is remembered, whatever happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lineagekit.cause.outcome import Outcome
from lineagekit.cause.rebuilds import Rebuilds
from lineagekit.cause.session import Asked, Session, confirmed, sessions
from lineagekit.errors import StoreError, UsageError

ASKED = Asked("churn", "run-7", "run-8", ("make", "train"), "auc 0.74", ("labels", "window"))
NONE: frozenset[str] = frozenset()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session.open(str(tmp_path), ASKED)


def test_what_was_tried_is_told_again(session: Session, tmp_path: Path) -> None:
    tried = {NONE: Outcome("good", 0.81, 3.5), frozenset({"1"}): Outcome("skip", why="exit code 1", read=NONE | {"/x"})}
    for chosen, outcome in tried.items():
        session.add(chosen, outcome)
    assert dict(Session.open(str(tmp_path), ASKED).outcomes()) == tried
    assert session.told() == {NONE: "good", frozenset({"1"}): "skip"}


def test_half_a_line_is_no_probe_and_spoils_no_other(session: Session) -> None:
    session.add(NONE, Outcome("good"))
    lines = session.folder / "probes.jsonl"
    lines.write_bytes(lines.read_bytes() + b'{"chosen": ["1"], "verd')
    assert session.told() == {NONE: "good"}
    session.add(frozenset({"1"}), Outcome("bad"))
    assert session.told() == {NONE: "good", frozenset({"1"}): "bad"}


@pytest.mark.parametrize("other", [{"command": ("make",)}, {"atoms": ("labels",)}, {"bad": "run-9"}])
def test_another_question_is_another_session(session: Session, tmp_path: Path, other: dict[str, object]) -> None:
    session.add(NONE, Outcome("good"))
    words = {field: getattr(ASKED, field) for field in Asked.__dataclass_fields__} | other
    assert not Session.open(str(tmp_path), Asked(**words)).told()
    assert len(sessions(str(tmp_path))) == 2


def test_a_model_named_like_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    session = Session.open(str(tmp_path), Asked("../../etc/model", "a", "b", (), "", ()))
    assert session.folder.parent == tmp_path / "bisect"


def test_what_was_shown_is_told_of_these_two_builds_alone(session: Session, tmp_path: Path) -> None:
    assert confirmed(str(tmp_path), "run-7", "run-8") == {}
    session.conclude({"causes": [["labels were rewritten"]], "how": "by 4 rebuilds"})
    assert confirmed(str(tmp_path), "run-7", "run-8") == {"labels were rewritten": "by 4 rebuilds"}
    assert confirmed(str(tmp_path), "run-6", "run-8") == {}


def test_a_damaged_answer_is_none(session: Session, tmp_path: Path) -> None:
    (session.folder / "found.json").write_text(json.dumps({"causes": []})[:-1])
    assert session.found is None
    assert confirmed(str(tmp_path), "run-7", "run-8") == {}


def test_a_session_that_was_reset_is_gone(session: Session, tmp_path: Path) -> None:
    session.remove()
    assert sessions(str(tmp_path)) == []


def test_where_nothing_can_be_remembered_nothing_is_paid_for(tmp_path: Path, session: Session) -> None:
    (tmp_path / "no folder").write_text("")
    with pytest.raises(StoreError, match=r"cannot be remembered in .*no folder.*Free space"):
        Session.open(str(tmp_path / "no folder"), ASKED)
    (session.folder / "probes.jsonl").mkdir()
    with pytest.raises(StoreError, match="cannot be remembered"):
        session.add(NONE, Outcome("good"))


def test_only_one_process_rebuilds_at_a_time(session: Session) -> None:
    with session.alone(), pytest.raises(UsageError, match="running already"), session.alone():
        pass
    with session.alone():
        pass


class Good:
    """Rebuilds in no time."""

    def probe(self, chosen: frozenset[str], *, log: Path) -> Outcome:
        log.write_text(f"built {sorted(chosen)}")
        return Outcome("good")


def test_what_was_skipped_is_tried_anew_and_what_was_judged_or_told_by_hand_is_not(session: Session) -> None:
    one, two, three = (frozenset(name) for name in "123")
    session.log(3).write_text("of the third")
    for chosen, outcome in (
        (one, Outcome("good")),
        (two, Outcome("skip", why="exit code 1")),
        (three, Outcome("bad")),
        (NONE, Outcome("skip", by_hand=True)),
    ):
        session.add(chosen, outcome)
    rebuilds = Rebuilds(session, Good(), lambda *_: None, most=4)
    assert [rebuilds.outcome(chosen, "").verdict for chosen in (one, three, NONE)] == ["good", "bad", "skip"]
    assert rebuilds.paid == 0
    assert (rebuilds.outcome(two, "").verdict, rebuilds.paid) == ("good", 1)
    assert (session.log(3).read_text(), session.log(5).read_text()) == ("of the third", "built ['2']")
    assert Rebuilds(session, Good(), lambda *_: None).outcomes == rebuilds.outcomes
    assert session.told()[two] == "good"
