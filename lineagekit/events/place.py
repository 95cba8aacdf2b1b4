# SPDX-License-Identifier: Apache-2.0
"""Where a job's code is: a repository in any of git's spellings as a URL, with the commit in it.

Marquez tells two versions of a job apart by the URL alone, so the commit belongs there; and it fails on one that is
longer than 255 characters, so the path goes first, then all of it.

>>> code_location(Code("git@github.com:acme/risk.git", "9f3a", False, "train.py"))["url"]
'https://github.com/acme/risk/blob/9f3a/train.py'
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from lineagekit.events.account import Code
from lineagekit.events.facets import URL_LIMIT
from lineagekit.events.values import text

_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[\w.-]{2,}):(?!//)(?P<path>.+)")
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^@/]*@)?(?P<rest>.+)", re.IGNORECASE)
_WEB = {"ssh": "https", "git": "https", "git+ssh": "https", "git+https": "https", "http": "http", "https": "https"}
_SAFE = "/:@+~,=&;!$'()*-._"


def code_location(code: Code) -> dict[str, str]:
    """Fields of the `sourceCodeLocation` facet; empty where there is no repository or no room for it."""
    return _location(code.repository, code.commit, code.entry)


@lru_cache(maxsize=256)
def _location(repository: str, commit: str, entry: str) -> dict[str, str]:
    repository = repository_url(repository)
    if not repository:
        return {}
    revision, path = quote(commit, safe="", errors="replace"), quote(entry, safe=_SAFE, errors="replace")
    urls = [_file_url(repository, revision, path), _file_url(repository, revision, "")]
    url = next((one for one in urls if len(one) <= URL_LIMIT), "")
    if not url:
        return {}
    facts = {"url": url, "repoUrl": repository, "version": text(commit, 255), "path": text(entry, 2000)}
    return {key: value for key, value in facts.items() if value}


def repository_url(repository: str) -> str:
    """A repository as people open it, without user and password; `file://` for one without a remote."""
    if repository.startswith("/"):
        return "file://" + quote(repository.rstrip("/"), safe=_SAFE, errors="replace")
    if found := _URL.fullmatch(repository):
        scheme, rest = found["scheme"].lower(), found["rest"]
        scheme = _WEB.get(scheme, scheme)
    elif found := _SCP.fullmatch(repository):
        scheme, rest = "https", f"{found['host']}/{found['path'].lstrip('/')}"
    else:
        return ""
    return f"{scheme}://{quote(rest.rstrip('/').removesuffix('.git'), safe=_SAFE, errors='replace')}"


def _file_url(repository: str, commit: str, path: str) -> str:
    if not commit:
        return f"{repository}/{path}" if path else repository
    if repository.startswith("http"):
        return f"{repository}/blob/{commit}/{path}" if path else f"{repository}/tree/{commit}"
    return f"git+{repository}@{commit}" + (f"#{path}" if path else "")
