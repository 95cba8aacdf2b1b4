# SPDX-License-Identifier: Apache-2.0
"""Both wheels, built, and installed into bare environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from lineagekit.config import VERSION

ROOT = Path(__file__).parent.parent
START_LINE = "lineagekit_agent.pth"


def run(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], env={**os.environ, **environ}, capture_output=True, text=True, cwd="/"
    )


def check(*words: str | Path, **environ: str) -> str:
    done = run(*words, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def agent_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "integrations", tmp_path_factory.mktemp("agent"))


@pytest.fixture(scope="module")
def full_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def agent_bin(agent_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the agent alone, of Python 3.9 where this machine has it."""
    return install(tmp_path_factory.mktemp("agent-env"), agent_wheel, python=oldest_python())


@pytest.fixture(scope="module")
def full_bin(agent_wheel: Path, full_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with both wheels, which borrows the dependencies of this one."""
    folder = tmp_path_factory.mktemp("full-env")
    bin_folder = install(folder, agent_wheel, full_wheel, python=sys.executable)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder


def oldest_python() -> str:
    """Python 3.9 if it answers: a name on the path may be a shim for a Python that is not there."""
    found = ["python3.9", *map(str, Path.home().glob(".pyenv/versions/3.9*/bin/python"))]
    return next((p for p in found if shutil.which(p) and run(p, "-c", "").returncode == 0), sys.executable)


def build(project: Path, folder: Path) -> Path:
    check(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project)
    return next(folder.glob("*.whl"))


def install(folder: Path, *wheels: Path, python: str) -> Path:
    check(python, "-m", "venv", folder)
    check(folder / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-index", *wheels)
    return folder / "bin"


def contents(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def metadata(wheel: Path) -> str:
    archive = zipfile.ZipFile(wheel)
    return archive.read(next(n for n in archive.namelist() if n.endswith("dist-info/METADATA"))).decode()


def test_no_file_is_in_both_wheels(agent_wheel: Path, full_wheel: Path) -> None:
    assert contents(agent_wheel).isdisjoint(contents(full_wheel))


def test_together_they_hold_every_file_of_the_package(agent_wheel: Path, full_wheel: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lineagekit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= contents(agent_wheel) | contents(full_wheel)


def test_the_agent_needs_nothing_and_is_small(agent_wheel: Path) -> None:
    needed = [line for line in metadata(agent_wheel).splitlines() if line.startswith("Requires-Dist")]
    assert not [line for line in needed if "extra ==" not in line]
    assert agent_wheel.stat().st_size < 250_000


def test_the_full_package_needs_the_agent_of_its_own_version(full_wheel: Path) -> None:
    assert f"Requires-Dist: lineagekit-agent=={VERSION}\n" in metadata(full_wheel)


def test_the_agent_alone_tells_its_version(agent_bin: Path) -> None:
    assert check(agent_bin / "lineagekit", "--version") == f"lineagekit {VERSION}\n"


@pytest.mark.parametrize("command", ["fingerprint", "blame"])
def test_the_agent_alone_names_the_package_that_a_command_needs(agent_bin: Path, command: str) -> None:
    done = run(agent_bin / "lineagekit", command, "x")
    assert (done.returncode, done.stderr) == (
        2,
        f"lineagekit {command} needs the full package. Run: pip install lineagekit\n",
    )


def test_the_agent_alone_names_the_package_that_a_name_needs(agent_bin: Path) -> None:
    done = run(agent_bin / "python", "-c", "import lineagekit; lineagekit.fingerprint")
    assert "MissingExtraError" in done.stderr
    assert "Run: pip install lineagekit" in done.stderr


def test_every_module_of_the_agent_can_be_imported_without_the_rest(agent_bin: Path, agent_wheel: Path) -> None:
    files = sorted(name for name in contents(agent_wheel) if name.startswith("lineagekit/") and name.endswith(".py"))
    names = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files]
    check(agent_bin / "python", "-c", f"import {', '.join(names)}")


def test_python_starts_without_us_outside_of_a_run(agent_bin: Path) -> None:
    loaded = check(agent_bin / "python", "-c", "import sys; print('lineagekit' in sys.modules)", LINEAGEKIT_RUN="")
    assert loaded == "False\n"


def test_a_child_of_a_run_knows_its_run(agent_bin: Path) -> None:
    ask = "import sys; print(sys.modules['lineagekit.agent.startup'].RUN)"
    assert check(agent_bin / "python", "-c", ask, LINEAGEKIT_RUN="run-1") == "run-1\n"


def test_a_child_of_a_run_can_be_told_to_stay_out(agent_bin: Path) -> None:
    ask = "import sys; print('lineagekit' in sys.modules)"
    assert check(agent_bin / "python", "-c", ask, LINEAGEKIT_RUN="run-1", LINEAGEKIT_DISABLED="1") == "False\n"


def test_an_editable_install_carries_the_start_line_and_no_copy_of_the_source(tmp_path: Path) -> None:
    ask = "import os, sys, hatchling.build as b; os.chdir(sys.argv[1]); b.build_editable(sys.argv[2])"
    check(sys.executable, "-c", ask, ROOT / "integrations", tmp_path)
    files = contents(next(tmp_path.glob("*.whl")))
    assert START_LINE in files
    assert not any(name.startswith("lineagekit/") for name in files)


def test_both_wheels_make_one_package(full_bin: Path) -> None:
    ask = "import lineagekit.cli.main, lineagekit.agent; print(*lineagekit.__path__, *lineagekit.agent.__path__)"
    package, agent = check(full_bin / "python", "-c", ask).split()
    assert package == str(next(full_bin.parent.glob("lib/python*/site-packages")) / "lineagekit")
    assert agent == f"{package}/agent"


def test_both_wheels_answer_a_command(full_bin: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("abc")
    answer = check(full_bin / "lineagekit", "fingerprint", tmp_path / "x.txt", LINEAGEKIT_CACHE=str(tmp_path / "cache"))
    # The published BLAKE3 test vector of "abc".
    assert answer.startswith("blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85  ")


@pytest.mark.slow
def test_both_wheels_and_all_they_need_install_into_a_bare_environment(
    agent_wheel: Path, full_wheel: Path, tmp_path: Path
) -> None:
    check(sys.executable, "-m", "venv", tmp_path / "env")
    python, command = tmp_path / "env" / "bin" / "python", tmp_path / "env" / "bin" / "lineagekit"
    check(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", agent_wheel, full_wheel)
    assert "To flip one label is" in check(command, "demo", LINEAGEKIT_CACHE=str(tmp_path / "cache"))
