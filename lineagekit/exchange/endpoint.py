# SPDX-License-Identifier: Apache-2.0
"""An HTTP endpoint for events: its address, its name, and where its API key is.

>>> url_name(full_url("http://localhost:5000"))
'http://localhost:5000'
>>> url_name("https://ann:secret@hub.example.com/openlineage?token=x")
'https://hub.example.com/openlineage'
>>> base_name("http://localhost:5000/api/v1/lineage"), base_name("marquez+http://localhost:5000")
('http://localhost:5000', 'http://localhost:5000')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from lineagekit.agent.redact import redact
from lineagekit.config import MARQUEZ
from lineagekit.errors import UsageError
from lineagekit.settings import DestinationSettings

PATH = "api/v1/lineage"
"""Where servers of OpenLineage listen, unless told otherwise."""

_ENDINGS = ("/api/v1/events/lineage", "/api/v1/lineage", "/api/v1")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events are posted to, and how. `authorization` is asked before each event, for a key may run out."""

    url: str = field(repr=False)
    timeout: float = 5.0
    gzip: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: Callable[[], str] = field(default=str, repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None


def full_url(url: str, path: str | None = None) -> str:
    """The address to post to: a URL that has a path of its own is taken for that. Raises UsageError."""
    if path is None and _split(url).path.strip("/"):
        return url
    return urljoin(url, path or PATH)


def url_name(url: str) -> str:
    """What a destination is called that was given no name: never a user, a password or a query."""
    parts = _split(url)
    path = "" if parts.path.strip("/") in ("", PATH) else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def base_url(url: str) -> SplitResult:
    """Where a Marquez begins, by whichever address of it. Raises UsageError."""
    url = url.removeprefix(MARQUEZ)
    full_url(url)  # which refuses what is no URL
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    ending = next((ending for ending in _ENDINGS if path.endswith(ending)), "")
    return parts._replace(path=path.removesuffix(ending), fragment="")


def base_name(url: str) -> str:
    """What a Marquez is called, by whichever address of it. Raises UsageError."""
    return url_name(urlunsplit(base_url(url)))


def pulled_from(url: str) -> str:
    """How the log marks what was pulled out of the server at this address. Raises UsageError."""
    return f"marquez:{base_name(url)}"


def endpoint_of_settings(one: DestinationSettings, environ: Mapping[str, str]) -> Endpoint:
    """From a `[[destination]]` with a url. Raises UsageError where its API key is not to be found."""
    key = _read_key(one, environ)
    return Endpoint(
        full_url(one.url or "", one.endpoint),
        timeout=one.timeout,
        gzip=one.gzip,
        headers=one.headers,
        authorization=lambda: key and f"Bearer {key}",
    )


def endpoint_of_transport(transport: Mapping[str, Any]) -> Endpoint:
    """From a transport of type http as openlineage-python is given it. Raises UsageError."""
    tls = _any_of(transport, "sslContext", "ssl_context", "sslcontext") or {}
    cert, key = (
        _any_of(tls, f"client{part}Path", f"client_{part.lower()}_path", f"client{part.lower()}path")
        for part in ("Cert", "Key")
    )
    return Endpoint(
        transport_url(transport),
        timeout=_number(transport.get("timeout", 5.0)),
        gzip=transport.get("compression") == "gzip",
        headers={name: str(value) for name, value in (transport.get("custom_headers") or {}).items()},
        authorization=_authorization(transport.get("auth") or {}),
        verify=_any_of(tls, "caCertPath", "ca_cert_path", "cacertpath") or transport.get("verify", True),
        cert=(cert, key) if cert and key else cert,
    )


def transport_url(transport: Mapping[str, Any]) -> str:
    """The address of such a transport, put together as openlineage-python does. Raises UsageError if it has none."""
    url = str(transport.get("url", "")).strip()
    _split(url)
    return urljoin(url, str(transport.get("endpoint") or PATH))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or any(letter.isspace() for letter in url):
        raise UsageError(f"not the URL of a server: got {redact(url)!r}, expected http://HOST", advice="Correct it.")
    return parts


def _read_key(one: DestinationSettings, environ: Mapping[str, str]) -> str:
    if one.api_key_env:
        key, where = environ.get(one.api_key_env, ""), f"the variable {one.api_key_env}"
    elif one.api_key_file:
        key, where = _read_file(one.api_key_file), f"the file {one.api_key_file}"
    else:
        return ""
    if not key.strip():
        raise UsageError(f"no API key: {where} is empty", advice="Put the key there, or take the line out.")
    return _checked(key.strip(), where)


def _read_file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"no API key: cannot read {path}: {said}", advice="Check api_key_file.") from None


def _checked(key: str, where: str) -> str:
    """What cannot stand in a header is refused here, where it is not quoted in a message."""
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"the API key in {where} has characters that no header can hold", advice="Copy it again.")
    return key


def _authorization(auth: Mapping[str, Any]) -> Callable[[], str]:
    """An API key as it is; whatever else openlineage-python knows (tokens that run out) by asking it."""
    if not auth:
        return str
    if auth.get("type") == "api_key":
        key = _any_of(auth, "apiKey", "apikey", "api_key")
        if not key:
            raise UsageError("no API key: auth has the type api_key and no apiKey", advice="Set OPENLINEAGE_API_KEY.")
        bearer = f"Bearer {_checked(str(key), 'auth')}"
        return lambda: bearer
    from openlineage.client.transport.http import create_token_provider

    try:
        provider = create_token_provider(dict(auth))
    except (KeyError, TypeError, ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"auth cannot be used: got type {auth.get('type')!r}", advice="Correct it.") from error
    return lambda: provider.get_bearer() or ""


def _any_of(table: Mapping[str, Any], *names: str) -> Any:
    return next((table[name] for name in names if table.get(name)), None)


def _number(value: object) -> float:
    if isinstance(value, int | float) and value > 0:
        return float(value)
    raise UsageError(f"a timeout is a number of seconds: got {value!r}, expected more than 0", advice="Correct it.")
