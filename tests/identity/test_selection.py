# SPDX-License-Identifier: Apache-2.0
"""Glob patterns: which files of a folder count."""

from __future__ import annotations

import pytest

from lineagekit.errors import UsageError
from lineagekit.identity.selection import Selection, split_glob


def wants(pattern: str, path: str) -> bool:
    return Selection([pattern]).judge(path)[0]


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "a.csv"),
        ("*.csv", ".csv"),
        ("a?c", "abc"),
        ("a?c", "aéc"),
        ("a?c", "a\udcffc"),
        ("[a-c]x", "bx"),
        ("[!a-c]x", "dx"),
        ("a[[]b", "a[b"),
        ("a\\b", "a\\b"),
        ("a\nb*", "a\nb\nc"),
        ("**/*.csv", "a.csv"),
        ("**/*.csv", "x/y/a.csv"),
        ("x/**/a", "x/a"),
        ("x/**/a", "x/y/z/a"),
        ("x/**", "x/y/z"),
        ("**", "x/y"),
        ("x", "x/y/z"),
        ("year=*", "year=2024/part-0"),
        ("/x/", "x/y"),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, path: str) -> None:
    assert wants(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "x/a.csv"),
        ("*.csv", "a.csvx"),
        ("*.csv", "acsv"),
        ("a?c", "a/c"),
        ("a[!x]c", "a/c"),
        ("[!a-c]x", "ax"),
        ("x", "xy"),
        ("x/*.csv", "x/y/a.csv"),
        ("x**y", "x/y"),
        ("x/**/a", "y/a"),
        ("(a|b)", "a"),
    ],
)
def test_a_pattern_matches_nothing_else(pattern: str, path: str) -> None:
    assert not wants(pattern, path)


def test_any_include_and_no_exclude_must_match() -> None:
    select = Selection(["*.csv", "*.tsv"], ["b*"])
    assert [name for name in ("a.csv", "a.tsv", "a.txt", "b.csv") if select.judge(name)[0]] == ["a.csv", "a.tsv"]


def test_a_glob_and_an_include_must_both_match() -> None:
    select = Selection(["**/*.csv"], ["x/b*"], within="x/*")
    assert [name for name in ("x/a.csv", "x/a.txt", "x/b.csv", "a.csv", "x/y/a.csv") if select.judge(name)[0]] == [
        "x/a.csv",
        "x/y/a.csv",
    ]
    assert [folder for folder in ("x", "x/y", "z") if select.judge(folder)[1]] == ["x", "x/y"]
    assert not Selection(within="*").is_everything


def test_without_patterns_everything_counts() -> None:
    assert Selection().is_everything
    assert Selection().judge("any/thing") == (True, True)


@pytest.mark.parametrize(
    ("pattern", "entered", "left"),
    [
        ("a/b/*.csv", ["a", "a/b"], ["b", "a/c", "a/b/c/d"]),
        ("a/**/x", ["a", "a/b", "a/b/c"], ["b"]),
        ("year=*/x", ["year=1"], ["month=1"]),
        ("a", ["a", "a/b"], ["b"]),
    ],
)
def test_only_folders_on_the_way_to_a_match_are_entered(pattern: str, entered: list[str], left: list[str]) -> None:
    select = Selection([pattern])
    assert [f for f in [*entered, *left] if select.judge(f)[1]] == entered


def test_an_excluded_folder_is_not_entered() -> None:
    assert Selection([], ["**/.git"]).judge("x/.git") == (False, False)
    assert Selection([], ["**/.git"]).judge("x/.git/config") == (False, False)


def test_a_pattern_that_cannot_be_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"\[z-a\]"):
        Selection(["[z-a]"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/year=*/p.csv", ("data", "year=*/p.csv")),
        ("/data/**/*.csv", ("/data", "**/*.csv")),
        ("/*.csv", ("/", "*.csv")),
        ("*.csv", (".", "*.csv")),
        ("data/p.csv", ("data/p.csv", "")),
        ("s3://bucket/a[0-9]/x", ("s3://bucket", "a[0-9]/x")),
        ("s3://bucket/key?versionId=abc", ("s3://bucket/key?versionId=abc", "")),
        ("s3://bucket/key?.csv", ("s3://bucket", "key?.csv")),
        ("https://host/t.csv?name=a*", ("https://host/t.csv?name=a*", "")),
        ("https://host/d/*.csv", ("https://host/d", "*.csv")),
        ("http://[::1]:8000/t.csv", ("http://[::1]:8000/t.csv", "")),
        ("s3://bucket*", ("s3://bucket*", "")),
    ],
)
def test_a_glob_is_split_before_its_first_pattern(path: str, expected: tuple[str, str]) -> None:
    assert split_glob(path) == expected
