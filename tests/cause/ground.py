# SPDX-License-Identifier: Apache-2.0
"""A project with a workspace in it and a tree beside it that is none of its business, for tests of cages."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineagekit.cause import cage
from lineagekit.cause.cage import Ended
from lineagekit.cause.workspace import Workspace

Picture = dict[str, tuple[object, ...]]

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("started", flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(float(sys.argv[2]))
os._exit(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
"""
"""Leaves a daemon that sleeps; itself it ends after so many seconds, with 0 or the code that is said."""


@dataclass
class Ground:
    """Where a test takes place."""

    folder: Path
    project: Path
    outside: Path
    space: Workspace

    @classmethod
    def make(cls, folder: Path, *, name: str = "project") -> Ground:
        """Lay it all out; the workspace lies in the project, as it does for users."""
        project, outside = folder / name, folder / "outside"
        for root in (project, outside):
            (root / "sub").mkdir(parents=True)
            (root / "file").write_text("old")
            (root / "sub" / "part").write_text("old part")
            (root / "sub" / "part").chmod(0o640)
        (project / "leads out").symlink_to(outside)
        return cls(folder, project, outside, Workspace(project / ".lineagekit/bisect/s/workspace", [project]))

    def run(self, *command: str, timeout: float | None = 60, **environ: str) -> Ended:
        """Run it in the cage."""
        return cage.run(
            command,
            self.space,
            cwd=str(self.project),
            environ=self.environ | environ,
            timeout=timeout,
            output=self.folder / "output",
            is_unsafe=False,
        )

    @property
    def environ(self) -> Mapping[str, str]:
        """What a hostile command is told."""
        told = {"OUT": str(self.outside), "ROOT": str(self.project), "OUTER": str(os.getpid())}
        return {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(self.folder), **told}

    @property
    def output(self) -> str:
        """What the last command printed."""
        return (self.folder / "output").read_text(errors="replace")

    def pictures(self) -> tuple[Picture, Picture]:
        """Of all that no command may change."""
        return picture(self.project), picture(self.outside)


def picture(folder: Path) -> Picture:
    """Every name with its bytes, mode, owner and time; the store's own folder aside."""
    found: Picture = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".lineagekit"]
        for path in (Path(place), *(Path(place, name) for name in [*folders, *files])):
            told = path.lstat()
            body = path.read_bytes() if stat.S_ISREG(told.st_mode) else b""
            link = os.readlink(path) if path.is_symlink() else ""
            attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)} if not link else {}
            found[str(path)] = (told.st_mode, told.st_uid, told.st_mtime_ns, told.st_nlink, body, link, attributes)
    return found


def running(marker: str) -> Sequence[int]:
    """Processes that have a word in their command line."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes() if entry.isdigit() else b""
        except OSError:
            continue
        if marker.encode() in words.split(b"\0"):
            found.append(int(entry))
    return found


if __name__ == "__main__":
    Ground.make(Path(sys.argv[1])).run(*sys.argv[2:], timeout=None)
