# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal."""

from __future__ import annotations

from lineagekit.cli.tables import among, listed, table, wrapped


def test_columns_give_way_until_all_fits() -> None:
    rows = [("kind", "name", "owner"), ("file", "/data/" + "a" * 90 + "/end.csv", "owner" * 20)]
    told = list(table(rows, width=60, tails=(1,)))
    assert max(map(len, told)) == 60
    assert told[1].startswith("file  ..aaaa")
    assert "/end.csv  ownerowner" in told[1]
    assert told[1].endswith("..")


def test_what_a_terminal_would_act_on_is_spelled_out() -> None:
    odd = "\x1b[31m" * 30
    assert "".join(table([("a", odd), (odd, "b")], width=40)).isprintable()
    assert among([odd] * 2).isprintable()


def test_names_are_not_cut_where_text_is_wrapped() -> None:
    name = "/data/" + "a-b" * 40
    assert wrapped(f"deleting {name} breaks it") == ["deleting", f"  {name}", "  breaks it"]


def test_one_of_a_list_is_itself() -> None:
    assert (listed(["a"]), listed(["a", "b"])) == ("a", "a and b")
