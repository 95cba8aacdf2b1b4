# SPDX-License-Identifier: Apache-2.0
"""What this process has imported: project modules with their files, packages with their versions; each looked at once.

    >>> imported.look()
    >>> imported.projects  # doctest: +SKIP
    {'/work/features.py': 'features'}

`sys.modules` is walked from its newest entry down to what is known. In a child that was forked for one task, all else
is memory of the parent's, which is copied when it is touched: two thousand modules cost ten milliseconds there.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    pass

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STANDARD = os.path.join(os.path.dirname(os.__file__), "")
_OURS = ("lineagekit.", "lineagekit_")


class Imported:
    """Grows with each look."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.projects: dict[str, str] = {}
        """Names of modules by the path of their source: neither Python's own nor of an installed wheel."""
        self.packages: dict[str, str] = {}
        """Versions of installed packages by the names by which they are imported; "" where one tells none."""
        self._newest: tuple[str, object] = ("", None)

    def look(self) -> None:
        """Take in what was imported since the last look."""
        new = self._new_names()
        for name in new:
            module = sys.modules.get(name)
            path = getattr(module, "__file__", None)
            if not isinstance(path, str):
                continue
            if _is_project(name, path):
                self.projects.setdefault(os.path.abspath(path), name)
            elif "." not in name and name[:1] != "_" and any(part in path for part in _INSTALLED):
                version = vars(module).get("__version__", "")  # asked for as an attribute, some warn
                self.packages[name] = version if isinstance(version, str) else str(version)[:50]
        if new:
            self._newest = new[0], sys.modules.get(new[0])

    def _new_names(self) -> list[str]:
        """Newest first; all of them where what was newest then is no longer there, or was imported anew."""
        new = []
        last, module = self._newest
        try:
            for name in reversed(sys.modules):
                if name == last and sys.modules.get(name) is module:
                    break
                new.append(name)
        except RuntimeError:  # another thread imports meanwhile
            return list(sys.modules)[::-1]
        return new


imported = Imported()


def is_project_file(path: str) -> bool:
    """Whether a source file is the user's own."""
    return not path.startswith((_STANDARD, "<")) and not any(part in path for part in _INSTALLED)


def _is_project(name: str, path: str) -> bool:
    return path.endswith(".py") and not (name + ".").startswith(_OURS) and is_project_file(path)
