# SPDX-License-Identifier: Apache-2.0
"""The front door: help, versions, wrong commands, pipes, signals and completion."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from lineagekit.cli.main import COMMANDS, FIRST_SCREEN, main
from lineagekit.config import VERSION
from tests.cli.conftest import PROGRAM, Run

Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_every_call_for_help_shows_the_first_screen(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == FIRST_SCREEN + "\n"


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"lineagekit {VERSION}\n"


@pytest.mark.parametrize("words", [["--version", "--json"], ["--json", "--version"]])
def test_the_version_comes_as_json_where_json_was_asked_for(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["result"] == {"version": VERSION}


def test_help_for_one_command_is_that_commands_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "fingerprint"]) == main(["fingerprint", "--help"]) == 0
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]
    assert "--algorithm" in out


def test_help_for_all_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "--all"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(COMMANDS)


def test_an_unknown_command_is_told_which_one_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fingerprnt", "x"]) == 2
    assert capsys.readouterr().err == (
        f"error: unknown command: got fingerprnt, expected one of {', '.join(sorted(COMMANDS))}. "
        "Did you mean: lineagekit fingerprint\n"
    )


def test_an_unknown_option_is_a_usage_error_that_names_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fingerprint", "--colums", "x"]) == 2
    error = capsys.readouterr().err
    assert "--colums" in error
    assert "Run: lineagekit help fingerprint" in error


def test_a_usage_error_comes_as_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fingerprint", "--colums", "x", "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["command"], answer["result"]) == ("fingerprint", None)
    assert (answer["error"]["type"], answer["error"]["exit_code"]) == ("UsageError", 2)


def test_json_may_be_asked_for_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "fingerprint", "absent"]) == 6
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "NotFoundError"


@pytest.mark.parametrize("words", [("-v", "fingerprint", "x"), ("fingerprint", "-v", "x")])
def test_verbose_says_what_a_bug_report_needs(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "x").write_text("abc")
    done = run(*words)
    assert done.returncode == 0
    assert f"lineagekit {VERSION}, Python 3." in done.stderr
    assert "lineagekit 0" not in done.stdout


def test_a_reader_who_leaves_early_is_not_complained_to(run: Run, tmp_path: Path) -> None:
    names = [f"file-{number}" for number in range(50)]
    for name in names:
        (tmp_path / name).write_text(name)
    command = f"{PROGRAM} fingerprint {' '.join(names)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (141, "")


class TestStreamsThatDoNotWork:
    """A shell line each, in a folder with `abc.txt`."""

    FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
    NO_SPACE = "error: the answer cannot be written: No space left on device. Free some space.\n"
    CLOSED = "error: the answer cannot be written: Bad file descriptor. Check where standard output leads.\n"

    @pytest.fixture
    def shell(self, tmp_path: Path, environ: dict[str, str]) -> Shell:
        (tmp_path / "abc.txt").write_text("abc")
        return lambda line: subprocess.run(
            ["bash", "-c", f'lk() {{ {PROGRAM} "$@"; }}; {line}'],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
        )

    @FULL
    @pytest.mark.parametrize(
        "words", ["--help", "--version", "fingerprint --help", "fingerprint abc.txt", "nosuch --json", "hooks --json"]
    )
    def test_an_answer_that_cannot_be_written_is_an_error(self, shell: Shell, words: str) -> None:
        done = shell(f"lk {words} >/dev/full")
        assert (done.returncode, done.stderr) == (7, self.NO_SPACE)

    @pytest.mark.parametrize("words", ["--version", "fingerprint --help", "fingerprint abc.txt"])
    def test_a_closed_standard_output_is_an_error(self, shell: Shell, words: str) -> None:
        done = shell(f"lk {words} >&-")
        assert (done.returncode, done.stderr) == (7, self.CLOSED)

    @pytest.mark.parametrize("stderr", ["2> >(true)", pytest.param("2>/dev/full", marks=FULL), "2>&-"])
    def test_what_cannot_be_said_aside_does_not_stop_the_answer(self, shell: Shell, stderr: str) -> None:
        done = shell(f"lk fingerprint absent gone also-gone abc.txt {stderr}")
        assert (done.returncode, done.stdout[-9:]) == (1, "  abc.txt\n"[-9:])

    def test_with_all_streams_closed_the_exit_code_still_tells(self, shell: Shell) -> None:
        assert shell("lk fingerprint absent <&- >&- 2>&-").returncode == 6

    @pytest.mark.parametrize("words", ["fingerprint -", "fingerprint --check -"])
    def test_a_closed_standard_input_is_an_error(self, shell: Shell, words: str) -> None:
        done = shell(f"lk {words} <&-")
        assert (done.returncode, done.stdout) == (6, "")
        assert done.stderr.startswith("error: cannot read ")

    def test_help_whose_reader_leaves_early_is_not_complained_to(self, shell: Shell) -> None:
        done = shell("lk fingerprint --help | true; exit ${PIPESTATUS[0]}")
        assert (done.returncode, done.stderr) == (141, "")


class TestNarrowEncodings:
    NARROW: ClassVar[list[dict[str, str]]] = [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ]

    @pytest.mark.parametrize("narrow", NARROW)
    @pytest.mark.parametrize("name", ["é.txt", os.fsdecode(b"caf\xe9")])
    def test_a_name_goes_out_as_its_bytes(self, run: Run, tmp_path: Path, narrow: dict[str, str], name: str) -> None:
        (tmp_path / name).write_text("abc")
        done = run("fingerprint", name, **narrow)
        assert (done.returncode, done.stdout.split("  ")[1]) == (0, f"{name}\n")

    @pytest.mark.parametrize("narrow", NARROW)
    def test_a_terminal_gets_what_its_encoding_lacks_as_utf_8(
        self, tmp_path: Path, environ: dict[str, str], narrow: dict[str, str]
    ) -> None:
        (tmp_path / "é.txt").write_text("abc")
        shown = on_terminal([PROGRAM, "fingerprint", tmp_path / "é.txt"], environ | narrow)
        assert "é.txt  file · 3 bytes" in shown


def test_an_interrupt_ends_quietly_with_130(environ: dict[str, str]) -> None:
    command = [PROGRAM, "fingerprint", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ) as process:
        assert process.stdin
        process.stdin.write(b"x" * 2_000_000)  # more than a pipe holds: once written, the program is reading
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, b"")


@pytest.mark.parametrize(
    ("words", "expected"), [("lineagekit fing", "fingerprint"), ("lineagekit demo --js", "--json")]
)
def test_the_shell_completes_commands_and_options(run: Run, words: str, expected: str) -> None:
    done = run(_LINEAGEKIT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1))
    assert done.stdout.split() == [expected]


def test_completion_can_be_shown_for_a_shell(environ: dict[str, str]) -> None:
    shell = subprocess.run(
        ["bash", "-c", f"{PROGRAM} --show-completion; true"], env=environ, capture_output=True, text=True
    )
    assert "_LINEAGEKIT_COMPLETE=complete_bash" in shell.stdout


def on_terminal(command: list[str | Path], environ: dict[str, str]) -> str:
    """What the command prints on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ):
        os.close(theirs)
        shown = b"".join(iter(lambda: read_until_closed(ours), b""))
    os.close(ours)
    return shown.decode()


def read_until_closed(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""


@pytest.mark.parametrize("words", [["--help"], ["fingerprint", "--help"], ["nope"]])
def test_no_colour_is_no_colour_even_on_a_terminal(words: list[str], environ: dict[str, str]) -> None:
    assert "\x1b[" not in on_terminal([PROGRAM, *words], {**environ, "NO_COLOR": "1"})
