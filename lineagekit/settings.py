# SPDX-License-Identifier: Apache-2.0
"""What people write into the store's `config.toml`, checked key by key, and the extract of it that jobs read.

    >>> settings = load_settings("/data/.lineagekit")  # doctest: +SKIP
    >>> settings.destination[0].url  # doctest: +SKIP
    'http://localhost:5000'

A job reads no TOML and knows no pydantic: for it the same settings lie beside in `agent.json`, written by whichever
command sees first that they are out of date.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from lineagekit.agent.journal import LIMIT
from lineagekit.errors import StoreError, UsageError

if TYPE_CHECKING:
    from pydantic import ValidationError

FILE, AGENT_FILE = "config.toml", "agent.json"

TEMPLATE = """\
# What lineagekit does with the runs recorded here. Every line is optional; these are the defaults and some examples.

# namespace = "pricing"        # of your jobs; if not said, the name of the git repository
# settle = "detached"          # after a job: "detached" in the background, "exit" before it ends, "off" later by hand
# content = true               # digests of what tables say, beside those of their bytes
# budget = 300                 # seconds that one settling may take for hashing
# keep = "changed"             # bytes to build with again: "changed" of what jobs read, "all" outputs too, "none"
# keep_limit = "10 GiB"        # when so much is kept, nothing more is; see lineagekit help gc
# complete = true              # all that reads or writes your data is recorded: then "none recorded" means none

# Where events go, as many as you like. What OPENLINEAGE_URL or openlineage.yml say counts too.
# [[destination]]
# name = "marquez"
# url = "http://localhost:5000"
# api_key_env = "MARQUEZ_API_KEY"          # or: api_key_file = "/run/secrets/marquez"
# headers = { "X-Team" = "pricing" }
# timeout = 5
# gzip = true
# marquez = true                # it believes what it hears last of a run; if not said, by the path /api/v1/lineage

# [[destination]]
# name = "events"
# transport = { type = "kafka", topic = "lineage", config = { "bootstrap.servers" = "localhost:9092" } }

# Who is asked about which data and jobs; of several patterns that fit, the first counts.
# [owners]
# "/data/crm/**" = "crm-team@example.com"

# One thing under two names: what is on the left is called what is on the right.
# [names]
# "/mnt/shared" = "/data"

# [capture]
# ignore = ["*.tmp", "/scratch/**"]        # never recorded
# keep = ["configs/**"]                    # old bytes are kept, so that they can be put back
# journal_limit = 268435456                # bytes that one process may record
"""

_SIZE = r"^([0-9]+(?:\.[0-9]+)?) ?([KMGTk]i?B|B)$"
_UNITS = "BKMGT"

_EXPECTED = {
    "list_type": "a list",
    "string_pattern_mismatch": "http://HOST or https://HOST",
    "string_too_short": "a text that is not empty",
}


class Limit:
    """What pydantic checks of a value beside its type; only who has a file to check imports pydantic, for 0.3 s."""

    def __init__(self, **limits: object) -> None:
        """In the words of pydantic's core: `gt`, `pattern`, `min_length`."""
        self._limits = limits

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> dict[str, object]:
        """Pydantic asks for this."""
        return {**handler(source), **self._limits}


_STRICT: Any = {"extra": "forbid", "strict": True}
"""Unknown keys are refused, for a typo must not go unnoticed, and nothing is converted."""


@dataclass(frozen=True)
class DestinationSettings:
    """One `[[destination]]`: an HTTP endpoint, or the `transport` table of openlineage-python."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Limit(min_length=1)] | None = None
    url: Annotated[str, Limit(pattern=r"^https?://[^/\s]+\S*$")] | None = field(default=None, repr=False)
    endpoint: str | None = None
    transport: dict[str, Any] | None = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    api_key_env: str | None = None
    api_key_file: str | None = None
    timeout: Annotated[float, Limit(gt=0)] = 5.0
    gzip: bool = False
    marquez: bool | None = None
    """Whether it takes the state of a run from whatever it heard last; not said: by its path."""

    def __post_init__(self) -> None:
        """What one key alone does not tell. Raises ValueError, which the border translates."""
        if bool(self.url) == bool(self.transport):
            raise ValueError("expected one of url, transport")
        if self.transport and not isinstance(self.transport.get("type"), str):
            raise ValueError("expected a transport with a type")
        if self.api_key_env and self.api_key_file:
            raise ValueError("expected one of api_key_env, api_key_file")


@dataclass(frozen=True)
class CaptureSettings:
    """What jobs leave out, and what is kept whole."""

    __pydantic_config__ = _STRICT

    ignore: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    journal_limit: Annotated[int, Limit(gt=0)] = LIMIT


@dataclass(frozen=True)
class Settings:
    """All of `config.toml`; without a file, its defaults."""

    __pydantic_config__ = _STRICT

    namespace: str = ""
    settle: Literal["detached", "exit", "off"] | None = None
    """Not said: detached; at its exit where nothing outlives a job (a container, a batch system, a build server)."""
    content: bool = True
    budget: Annotated[float, Limit(gt=0)] = 300.0
    keep: Literal["changed", "none", "all"] = "changed"
    """Copies of what jobs read, of each content one, for `bisect`."""
    keep_limit: Annotated[str, Limit(pattern=_SIZE)] = "10 GiB"
    complete: bool = False
    """All jobs are recorded, says the user: what has no recorded reader has none."""
    destination: list[DestinationSettings] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    capture: CaptureSettings = field(default_factory=CaptureSettings)

    @property
    def keep_bytes(self) -> int:
        """The limit as a number."""
        return size_of(self.keep_limit)


def size_of(text: str) -> int:
    """Bytes of a size as people write it: `10 GiB`, `500 MB`. Raises UsageError."""
    found = re.fullmatch(_SIZE, text)
    if found is None:
        raise UsageError(f'not a size: got {text!r}, expected a number and a unit, as in "10 GiB"')
    number, unit = found.groups()
    base = 1024 if unit.endswith("iB") else 1000
    return int(float(number) * base ** _UNITS.index(unit[0].upper()))


def size_text(size: float) -> str:
    """A size as people write it: 1.2 GiB; `size_of` knows it again, to a tenth."""
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f}".removesuffix(".0") + (f" {_UNITS[unit]}iB" if unit else " B")


def load_settings(folder: str) -> Settings:
    """Read a store's `config.toml`; UsageError names the file and each key that is wrong."""
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}", advice="Check its permissions.") from error
    import tomllib

    try:
        return _check(_beside(folder, tomllib.loads(text.decode())), path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", advice="Correct that line.") from error


def _check(told: Mapping[str, Any], path: str) -> Settings:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Settings).validate_json(json.dumps(told, default=str))  # from JSON, tables may be objects
    except ValidationError as error:
        raise UsageError(f"{path}: {'; '.join(_complaints(error))}", advice="Correct the file.") from error


def write_agent_json(settings: Settings, folder: str) -> None:
    """Put what a job must know into `agent.json`, whole or not at all.

    Nothing is written where it is up to date, and there is no such file where nothing was set: a job would import
    Python's JSON, which takes it 10 ms, to learn what it takes for granted.
    """
    known = _known_to_agents(settings)
    path = os.path.join(folder, AGENT_FILE)
    if known == _known_to_agents(Settings()):
        with suppress(OSError):
            os.unlink(path)
    elif _read_agent_json(folder) != known:
        _replace(path, json.dumps(known))


def _known_to_agents(settings: Settings) -> dict[str, Any]:
    return {
        "version": 1,
        "namespace": settings.namespace,
        "settle": settings.settle or "",
        "ignore": settings.capture.ignore,
        "journal_limit": settings.capture.journal_limit,
    }


def current_settings(folder: str) -> Settings:
    """Load the settings and, where the folder may be written, see to it that jobs go by them from now on."""
    settings = load_settings(folder)
    if os.path.isdir(folder):
        with suppress(StoreError):
            write_agent_json(settings, folder)
    return settings


def _beside(folder: str, table: dict[str, Any]) -> dict[str, Any]:
    """A relative path means the same from wherever a command is run."""
    found = table.get("destination")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and isinstance(path := one.get("api_key_file"), str):
            one["api_key_file"] = os.path.join(folder, os.path.expanduser(path))
    return table


def _complaints(error: ValidationError) -> Iterator[str]:
    """One a wrong key. What it was set to is shown only where that cannot be a secret."""
    for wrong in error.errors(include_url=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in wrong["loc"])[1:]
        if wrong["type"] == "unexpected_keyword_argument":
            yield f"{where}: got an unknown key, expected one of {_known_keys(wrong['loc'])}"
        elif wrong["type"] == "value_error":
            yield f"{where}: {wrong['msg'].removeprefix('Value error, ')}"
        else:
            yield f"{where}: got {_describe(wrong['loc'], wrong['input'])}, expected {_expectation(wrong)}"


def _known_keys(where: tuple[int | str, ...]) -> str:
    sections: dict[int | str, Any] = {"destination": DestinationSettings, "capture": CaptureSettings}
    section = sections.get(where[0], Settings) if len(where) > 1 else Settings
    return ", ".join(one.name for one in fields(section))


def _describe(where: tuple[int | str, ...], value: object) -> str:
    if isinstance(value, dict | list) or {"headers", "transport", "url"} & set(where):
        return f"a {type(value).__name__}"
    return repr(value)


def _expectation(wrong: Any) -> str:
    """What pydantic says, as a noun: "Input should be a valid string" is "a valid string"."""
    if wrong["loc"] == ("destination",):
        return "tables, each under [[destination]]"
    if wrong["loc"] == ("keep_limit",):
        return 'a size, as in "10 GiB"'
    if wrong["type"] in _EXPECTED:
        return _EXPECTED[wrong["type"]]
    text: str = wrong["msg"]
    return text.removeprefix("Input should be ").replace("a valid ", "a ")


def _read_agent_json(folder: str) -> object:
    try:
        with open(os.path.join(folder, AGENT_FILE), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _replace(path: str, text: str) -> None:
    """A job that reads it meanwhile sees the old file or the new one."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), encoding="utf-8", delete=False) as draft:
            draft.write(text)
        os.chmod(draft.name, 0o644)  # jobs of other users read it; there is no secret in it
        os.replace(draft.name, path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", advice="Check the folder's permissions.") from error
