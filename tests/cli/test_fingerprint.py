# SPDX-License-Identifier: Apache-2.0
"""`lineagekit fingerprint`: what it prints, what it saves and checks again, and what it says when something fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from lineagekit.identity.digest import Digest
from tests.cli.conftest import PROGRAM, Run
from tests.cli.test_main import on_terminal

# The published BLAKE3 and SHA-256 test vectors of "abc".
ABC = "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
ABC_SHA = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A plain file, a folder, and one table in two formats."""
    (tmp_path / "abc.txt").write_text("abc")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("a")
    (tmp_path / "labels.csv").write_text("id,label\n1,pos\n2,neg\n")
    write_table(pa.table({"id": [1, 2], "label": ["pos", "neg"]}), tmp_path / "labels.parquet")
    return tmp_path


def methods(output: str) -> list[str]:
    return [Digest.parse(line.split("  ")[0]).method for line in output.splitlines()]


@pytest.mark.usefixtures("tree")
class TestWhatItPrints:
    def test_a_file_is_one_line_of_digest_and_name(self, run: Run) -> None:
        assert run("fingerprint", "abc.txt").stdout == f"{ABC}  abc.txt\n"

    def test_sha256_is_there_on_request(self, run: Run) -> None:
        assert run("fingerprint", "abc.txt", "--algorithm", "sha256").stdout == f"{ABC_SHA}  abc.txt\n"

    def test_a_table_gets_its_bytes_and_its_content(self, run: Run) -> None:
        assert methods(run("fingerprint", "labels.parquet").stdout) == ["blake3", "lkt1", "lks1"]

    def test_bytes_are_bytes_only(self, run: Run) -> None:
        assert methods(run("fingerprint", "labels.parquet", "--bytes").stdout) == ["blake3"]

    def test_content_is_content_only(self, run: Run) -> None:
        assert methods(run("fingerprint", "labels.parquet", "--content").stdout) == ["lkt1", "lks1"]

    def test_the_choice_of_columns_is_in_the_name(self, run: Run) -> None:
        out = run("fingerprint", "labels.parquet", "--content", "--columns", "label").stdout
        assert methods(out) == ["lkt1;columns=label", "lks1;columns=label"]

    def test_a_column_with_a_comma_is_quoted(self, run: Run, tree: Path) -> None:
        write_table(pa.table({"a": [1], "b,c": [2], "d": [3]}), tree / "commas.parquet")
        out = run("fingerprint", "commas.parquet", "--content", "--ignore", 'a,"b,c"').stdout
        assert methods(out) == ["lkt1;ignore=a,b%2Cc", "lks1;ignore=a,b%2Cc"]

    def test_a_tab_may_be_spelled_out(self, run: Run, tree: Path) -> None:
        (tree / "tabs.csv").write_text("a\tb\n1\t2\n")
        out = run("fingerprint", "tabs.csv", "--content", "--delimiter", "\\t").stdout
        assert methods(out)[0].startswith("lkt1;csv=%09")

    def test_standard_input_is_a_name_too(self, run: Run) -> None:
        assert run("fingerprint", "-", stdin="abc").stdout == f"{ABC}  -\n"

    def test_a_terminal_shows_what_is_known_beside_the_digests(self, tree: Path, environ: dict[str, str]) -> None:
        shown = on_terminal([PROGRAM, "fingerprint", tree / "labels.parquet"], environ)
        header, *digests = shown[shown.index("labels.parquet  table") :].splitlines()  # a slow machine shows a bar
        assert "labels.parquet  table · 2 rows · 2 columns · " in header
        assert [line[:2] for line in digests] == ["  "] * 3
        assert max(map(len, digests)) <= 80

    def test_json_is_one_envelope(self, run: Run) -> None:
        answer = json.loads(run("fingerprint", "labels.parquet", "abc.txt", "--json").stdout)
        assert {k: v for k, v in answer.items() if k != "result"} == {
            "schema_version": 1,
            "command": "fingerprint",
            "coverage": None,
            "warnings": [],
        }
        table, file = answer["result"]["snapshots"]
        assert (table["kind"], table["rows"], table["state"]) == ("table", 2, "exact")
        assert file["digests"] == {"blake3": ABC}


@pytest.mark.usefixtures("tree")
class TestWhenSomethingFails:
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ((), 2),
            (("abc.txt", "--bytes", "--content"), 2),
            (("abc.txt", "--algorithm", "md5"), 2),
            (("--check", "list", "abc.txt"), 2),
            (("absent",), 6),
            (("nowhere://x/y",), 2),
            (("abc.txt", "--content"), 2),
            (("--check", "absent"), 6),
            (("corpus", "--threads", "-1"), 2),
            (("corpus", "--threads", "0"), 2),
            (("labels.csv", "--columns", "a\rb"), 2),
            (("labels.csv", "--columns", '"a'), 2),
        ],
    )
    def test_the_exit_code_says_what_kind_of_failure(self, run: Run, words: tuple[str, ...], code: int) -> None:
        done = run("fingerprint", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("error: ")

    def test_the_others_still_get_their_digest(self, run: Run) -> None:
        done = run("fingerprint", "absent", "abc.txt")
        assert (done.returncode, done.stdout) == (1, f"{ABC}  abc.txt\n")
        assert "absent" in done.stderr

    def test_json_says_of_each_what_it_is(self, run: Run) -> None:
        done = run("fingerprint", "absent", "abc.txt", "--json")
        missing, file = json.loads(done.stdout)["result"]["snapshots"]
        assert done.returncode == 1
        assert (missing["state"], missing["error"]["type"]) == ("unknown", "NotFoundError")
        assert file["state"] == "exact"

    def test_a_single_failure_is_an_envelope_without_a_result(self, run: Run) -> None:
        done = run("fingerprint", "absent", "--json")
        answer = json.loads(done.stdout)
        assert (done.returncode, answer["result"], answer["error"]["exit_code"]) == (6, None, 6)
        assert done.stderr == ""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("--bytes", "--columns=id"),
            ("--bytes", "--ignore=id"),
            ("--bytes", "--delimiter=,"),
            ("--bytes", "--algorithm lkm1"),
            ("--content", "--algorithm sha256"),
        ],
    )
    def test_options_of_which_one_would_be_ignored_are_refused(self, run: Run, one: str, other: str) -> None:
        done = run("fingerprint", "labels.csv", one, *other.split())
        assert (done.returncode, done.stdout) == (2, "")
        named = other.partition("=")[0]
        assert done.stderr == f"error: {one} and {named} exclude each other: got both. Leave out {named}.\n"

    @pytest.mark.parametrize("threads", ["30000000", "9" * 5000])
    def test_absurdly_many_threads_are_as_good_as_many(self, run: Run, threads: str) -> None:
        usual = run("fingerprint", "corpus").stdout
        assert run("fingerprint", "corpus", LINEAGEKIT_THREADS=threads).stdout == usual
        assert run("fingerprint", "corpus", "--threads", threads[:8]).stdout == usual

    def test_a_damaged_table_is_told_how_to_get_the_digest_of_its_bytes(self, run: Run, tree: Path) -> None:
        (tree / "bad.parquet").write_text("PAR1")
        advice = "Use --bytes to take only the digest of its bytes."
        assert run("fingerprint", "bad.parquet").stderr.endswith(f" {advice}\n")
        assert advice not in run("fingerprint", "bad.parquet", "--both").stderr
        assert run("fingerprint", "bad.parquet", "--bytes").returncode == 0

    def test_an_error_of_one_of_several_says_of_which(self, run: Run) -> None:
        done = run("fingerprint", "labels.csv", "absent", "labels.parquet", "--columns", "nope")
        assert done.returncode == 1
        assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
            "labels.csv",
            "no such file",
            "labels.parquet",
        ]


@pytest.mark.usefixtures("tree")
class TestWhatChangesWhileItIsRead:
    @pytest.fixture
    def restless(self, tree: Path) -> Iterator[str]:
        """A file that another process never leaves alone, and that takes longer to read than a clock's tick."""
        (tree / "restless").write_bytes(bytes(30_000_000))
        writer = "import os\nwhile True: os.utime('restless')"
        with subprocess.Popen([sys.executable, "-c", writer], cwd=tree) as process:
            yield "restless"
            process.kill()

    def test_it_is_unknown_and_the_reason_is_said(self, run: Run, restless: str) -> None:
        done = run("fingerprint", restless)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: 'restless' changed while it was read, twice\n"

    def test_json_has_the_reason(self, run: Run, restless: str) -> None:
        done = run("fingerprint", restless, "--json")
        (answer,) = json.loads(done.stdout)["result"]["snapshots"]
        assert (done.returncode, answer["state"], answer.get("digests", {})) == (1, "unknown", {})
        assert "changed while it was read" in answer["reason"]

    def test_a_saved_digest_of_it_fails_for_that_reason(self, run: Run, restless: str) -> None:
        done = run("fingerprint", "--check", "-", stdin=f"{ABC}  {restless}\n")
        assert done.returncode == 1
        assert done.stdout.startswith("restless: FAILED (")
        assert "changed while it was read" in done.stdout


@pytest.mark.usefixtures("tree")
class TestSavedLists:
    TARGETS = ("abc.txt", "corpus", "labels.csv", "labels.parquet")

    def save(self, run: Run, tree: Path, *options: str) -> int:
        saved = run("fingerprint", *self.TARGETS, *options).stdout
        (tree / "saved").write_text(saved)
        return len(saved.splitlines())

    @pytest.mark.parametrize("options", [(), ("--columns", "label"), ("--algorithm", "sha256"), ("--bytes",)])
    def test_what_was_saved_is_found_again(self, run: Run, tree: Path, options: tuple[str, ...]) -> None:
        count = self.save(run, tree, *options)
        done = run("fingerprint", "--check", "saved")
        assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["OK"] * count
        assert done.returncode == 0

    def test_a_list_may_come_from_standard_input(self, run: Run) -> None:
        done = run("fingerprint", "--check", "-", stdin=f"{ABC}  abc.txt\n")
        assert (done.returncode, done.stdout) == (0, "abc.txt: OK\n")

    def test_a_list_with_the_line_ends_of_another_system_is_read(self, run: Run) -> None:
        assert run("fingerprint", "--check", "-", stdin=f"{ABC}  abc.txt\r\n").stdout == "abc.txt: OK\n"

    def test_a_changed_file_fails_and_shows_what_it_is_now(self, run: Run, tree: Path) -> None:
        (tree / "abc.txt").write_text("abd")
        done = run("fingerprint", "--check", "-", stdin=f"{ABC}  abc.txt\n")
        assert done.returncode == 1
        assert done.stdout.startswith("abc.txt: FAILED (got blake3:")

    def test_a_table_written_anew_fails_by_its_bytes_alone(self, run: Run, tree: Path) -> None:
        self.save(run, tree)
        write_table(pa.table({"id": [1, 2], "label": ["pos", "neg"]}), tree / "labels.parquet", compression="zstd")
        verdicts = [
            line.split(": ")[1].split()[0] for line in run("fingerprint", "--check", "saved").stdout.splitlines()
        ]
        assert verdicts == [*["OK"] * 5, "FAILED", "OK", "OK"]

    def test_a_file_that_is_gone_is_missing(self, run: Run) -> None:
        done = run("fingerprint", "--check", "-", stdin=f"{ABC}  gone.txt\n{ABC}  abc.txt\n")
        assert (done.returncode, done.stdout) == (1, "gone.txt: MISSING\nabc.txt: OK\n")

    def test_a_file_whose_column_is_gone_is_not_missing(self, run: Run) -> None:
        done = run("fingerprint", "--check", "-", stdin="lkt1;columns=gone:00  labels.csv\n")
        assert done.returncode == 1
        assert done.stdout.startswith("labels.csv: FAILED (no such column: got gone")

    def test_an_unknown_algorithm_is_called_so(self, run: Run) -> None:
        done = run("fingerprint", "--check", "-", stdin="md5:00  abc.txt\n")
        assert done.returncode == 1
        assert done.stdout.startswith("abc.txt: FAILED (unknown algorithm: got md5, expected one of blake3, ")

    @pytest.mark.parametrize("method", ["lkt1;csv=", "lkt1;csv=,", "lkt1;csv=%00", "lkd1;files=", "lkt1;columns="])
    def test_a_digest_with_a_parameter_that_means_nothing_fails(self, run: Run, method: str) -> None:
        done = run("fingerprint", "--check", "-", stdin=f"{method}:00  labels.csv\n")
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.startswith("labels.csv: FAILED (")

    @pytest.mark.parametrize("line", ["", "abc.txt", f"{ABC} abc.txt", f"{ABC}  ", "blake3:xyz  abc.txt"])
    def test_a_line_that_is_none_is_an_error_that_says_where(self, run: Run, line: str) -> None:
        done = run("fingerprint", "--check", "-", stdin=f"{ABC}  abc.txt\n{line}\n")
        assert (done.returncode, done.stdout) == (8, "")
        assert "line 2 of -" in done.stderr

    def test_json_lists_every_verdict(self, run: Run) -> None:
        done = run("fingerprint", "--check", "-", "--json", stdin=f"{ABC}  abc.txt\n{ABC}  gone.txt\n")
        assert json.loads(done.stdout)["result"]["entries"] == [
            {"name": "abc.txt", "expected": ABC, "verdict": "OK", "detail": ""},
            {"name": "gone.txt", "expected": ABC, "verdict": "MISSING", "detail": ""},
        ]

    @pytest.mark.parametrize(
        "name", [b"two\nlines", b"back\\slash", b"\\n", b"cr\r", b"caf\xe9", b" two  gaps ", b"-v"]
    )
    def test_a_hostile_name_goes_out_and_comes_back(self, run: Run, tree: Path, name: bytes) -> None:
        (tree / os.fsdecode(name)).write_text("abc")
        saved = run("fingerprint", "--bytes", "--", os.fsdecode(name)).stdout
        assert len(saved.splitlines()) == 1
        done = run("fingerprint", "--check", "-", stdin=saved)
        assert (done.returncode, done.stdout[-5:]) == (0, ": OK\n")

    def test_a_name_with_a_newline_is_escaped_as_sha256sum_does(self, run: Run, tree: Path) -> None:
        (tree / "two\nlines").write_text("abc")
        theirs = subprocess.run(["sha256sum", "two\nlines"], cwd=tree, capture_output=True, text=True).stdout
        ours = run("fingerprint", "two\nlines", "--algorithm", "sha256").stdout
        assert ours == theirs.replace("\\", "\\sha256:", 1)


@pytest.mark.usefixtures("tree")
class TestTheCache:
    def cached(self, environ: dict[str, str]) -> list[Path]:
        return list(Path(environ["LINEAGEKIT_CACHE"]).rglob("*"))

    def test_no_cache_leaves_no_trace(self, run: Run, environ: dict[str, str]) -> None:
        run("fingerprint", "abc.txt", "--no-cache")
        assert self.cached(environ) == []

    def test_digests_are_remembered_in_the_folder_that_the_environment_names(
        self, run: Run, environ: dict[str, str]
    ) -> None:
        run("fingerprint", "abc.txt")
        assert self.cached(environ) != []

    def test_paranoia_changes_no_digest(self, run: Run) -> None:
        assert run("fingerprint", "abc.txt").stdout == run("fingerprint", "abc.txt", "--paranoid").stdout


class TestProgress:
    SLOWLY = f"(echo; sleep 2.5; echo) | {PROGRAM} fingerprint - --no-cache"

    def test_a_bar_is_seen_on_a_terminal_after_a_second_of_work(self, environ: dict[str, str]) -> None:
        shown = on_terminal(["bash", "-c", self.SLOWLY], environ)
        assert "2/? bytes" in shown.partition("stream")[0]

    def test_quick_work_has_no_bar(self, environ: dict[str, str]) -> None:
        shown = on_terminal(["bash", "-c", self.SLOWLY.replace("sleep", ": ")], environ)
        assert shown.startswith("-  stream")

    def test_no_bar_is_written_to_a_pipe(self, environ: dict[str, str]) -> None:
        done = subprocess.run(["bash", "-c", self.SLOWLY], env=environ, capture_output=True, text=True)
        assert done.stderr == ""
