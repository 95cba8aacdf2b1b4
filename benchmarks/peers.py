# SPDX-License-Identifier: Apache-2.0
"""The other programs that hash files, each as something to call, or left out where it is not installed.

LINEAGEKIT_BENCH_PEERS names the folder of a virtual environment with dvc and model-signing:
python -m venv peers && peers/bin/pip install dvc model-signing pyOpenSSL
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

Contenders = dict[str, Callable[[], object]]

_ENVIRONMENT = Path(os.environ.get("LINEAGEKIT_BENCH_PEERS", "/nonexistent")) / "bin"
_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}


def installed(contenders: Contenders) -> Contenders:
    """Leave out, by name, the peers whose program is missing: a name starts with its program."""
    missing = {name for name in contenders if not _program(name.split()[0])}
    for name in sorted(missing):
        print(f"skipped: {name} is not installed")
    return {name: work for name, work in contenders.items() if name not in missing}


def run_b3sum(path: Path) -> None:
    """One file, all threads."""
    subprocess.run(["b3sum", path], **_QUIET)


def run_xargs_b3sum(folder: Path, *, batch: int = 0) -> None:
    """All files of a folder, two processes of one thread; `batch` files each, or as many as xargs thinks fit."""
    some = f"-n {batch}" if batch else ""
    command = f"find '{folder}' -type f -print0 | xargs -0 -P2 {some} b3sum --num-threads 1"
    subprocess.run(command, shell=True, **_QUIET)


def run_model_signing(path: Path) -> None:
    """Its manifest with its default hash; the start of its process counts."""
    code = "import sys; from model_signing.hashing import hash; hash(sys.argv[1])"
    subprocess.run([_ENVIRONMENT / "python", "-c", code, path], **_QUIET)


def run_dvc_add(folder: Path) -> None:
    """`dvc add` without its copy of the data and without what it remembers of an earlier round."""
    shutil.rmtree(_dvc_memory(folder), ignore_errors=True)
    _dvc(folder, "add", "--quiet", "--no-commit", folder.name)


def prepare_dvc_status(folder: Path) -> None:
    """Let dvc copy and remember everything, without which it has no status."""
    _dvc(folder, "add", "--quiet", folder.name)


def run_dvc_status(folder: Path) -> None:
    """Whether the folder has changed since."""
    _dvc(folder, "status", "--quiet", f"{folder.name}.dvc")


def _dvc(folder: Path, *arguments: str) -> None:
    if not (folder.parent / ".dvc").exists():
        subprocess.run([_ENVIRONMENT / "dvc", "init", "--no-scm"], cwd=folder.parent, **_QUIET)
    environment = os.environ | {"DVC_SITE_CACHE_DIR": str(_dvc_memory(folder)), "DVC_NO_ANALYTICS": "1"}
    subprocess.run([_ENVIRONMENT / "dvc", *arguments], cwd=folder.parent, env=environment, **_QUIET)


def _dvc_memory(folder: Path) -> Path:
    return folder.parent / ".dvc-memory"


def _program(name: str) -> str | None:
    if name in ("dvc", "model_signing"):
        return shutil.which(name, path=str(_ENVIRONMENT))
    return shutil.which("b3sum") if name in ("b3sum", "xargs") else name
