# SPDX-License-Identifier: Apache-2.0
"""What was said to Spark before us: by the builder, by PYSPARK_SUBMIT_ARGS, by spark-defaults.conf, by a JVM that runs.

    >>> merged("a.jar,b.jar", "b.jar"), merged("", "c.jar")
    ('a.jar,b.jar', 'c.jar')

Several settings of Spark are lists in one text, and who sets one replaces it whole: we add to whatever there is.
"""

from __future__ import annotations

import os
import shlex

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

JARS, PACKAGES, LISTENERS = "spark.jars", "spark.jars.packages", "spark.extraListeners"
EXTENSIONS = "spark.sql.extensions"

SUBMIT_ARGS = "PYSPARK_SUBMIT_ARGS"
_FILE = "--properties-file"
_FLAGS = {"--jars": JARS, "--packages": PACKAGES, "--name": "spark.app.name", "--master": "spark.master", _FILE: _FILE}


class Said:
    """Every setting that is known before the session is made; the strongest voice counts."""

    def __init__(self, options: Mapping[str, Any], home: str, running: Mapping[str, str] | None = None) -> None:
        """Take the builder's options, and Spark's folder; `running` are the settings of a JVM that is there already."""
        self._arguments = {} if running is not None else _arguments()
        self._options = options
        self._defaults = running if running is not None else _defaults(self._arguments, home)

    def get(self, key: str, default: str = "") -> str:
        """One setting, as Spark's driver will see it."""
        for voice in (self._options, self._arguments, self._defaults):
            if voice.get(key) not in (None, ""):
                return str(voice[key])
        return default

    def listed(self, key: str) -> str:
        """A setting that is a list of jars: what the command line says, and what the builder does."""
        return merged(str(self._arguments.get(key, "")), *self.get(key).split(","))

    def on_command_line(self, key: str) -> bool:
        """Whether PYSPARK_SUBMIT_ARGS says it, which for jars is stronger than whatever a builder says."""
        return bool(self._arguments.get(key))


def merged(said: str, *more: str) -> str:
    """A comma list with what is new at its end."""
    parts = [part.strip() for part in said.split(",") if part.strip()]
    parts += [part for part in more if part and part not in parts]
    return ",".join(parts)


def rewrite_arguments(settings: Mapping[str, str]) -> None:
    """Say it in PYSPARK_SUBMIT_ARGS, where that is read last."""
    words = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    old = _without(shlex.split(os.environ.get(SUBMIT_ARGS, "pyspark-shell")), set(settings))
    os.environ[SUBMIT_ARGS] = shlex.join([*old[:-1], *words, *old[-1:]])  # the last word is the program


def _without(words: list[str], keys: set[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        flag, mark, value = word.partition("=")
        if flag in _FLAGS and _FLAGS[flag] in keys:
            if not mark:
                next(rest, "")
        elif flag == "--conf" or word == "-c":
            value = value if mark else next(rest, "")
            if value.partition("=")[0].strip() not in keys:
                kept += ["--conf", value]
        else:
            kept.append(word)
    return kept


def _arguments() -> dict[str, str]:
    """What PYSPARK_SUBMIT_ARGS sets: a flag of its own counts before `--conf`, else the later word."""
    settings: dict[str, str] = {}
    flags: dict[str, str] = {}
    rest = iter(shlex.split(os.environ.get(SUBMIT_ARGS, "")))
    for word in rest:
        flag, mark, value = word.partition("=")
        if flag in ("--conf", "-c"):
            key, _, told = (value if mark else next(rest, "")).partition("=")
            settings[key.strip()] = told.strip()
        elif flag in _FLAGS:
            flags[_FLAGS[flag]] = value if mark else next(rest, "")
    return {**settings, **flags}


def _defaults(arguments: Mapping[str, str], home: str) -> dict[str, str]:
    folder = os.environ.get("SPARK_CONF_DIR") or (os.path.join(home, "conf") if home else "")
    path = arguments.get(_FILE) or os.path.join(folder, "spark-defaults.conf")
    try:
        with open(path, encoding="utf-8") as file:
            return _properties(file.read())
    except (OSError, ValueError):
        return {}


def _properties(text: str) -> dict[str, str]:
    """The lines of a file of Java properties, as Spark's are: a key, a space or `=`, a value."""
    found: dict[str, str] = {}
    for line in text.replace("\\\n", "").splitlines():
        line = line.strip()
        if line and line[0] not in "#!":
            end = next((at for at, letter in enumerate(line) if letter in " \t=:"), len(line))
            found[line[:end]] = line[end:].lstrip(" \t").lstrip("=:").strip() if end < len(line) else ""
    return found
