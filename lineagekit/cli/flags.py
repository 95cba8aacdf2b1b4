# SPDX-License-Identifier: Apache-2.0
"""The options that every command has: declared once, so that help and completion know them everywhere.

>>> class Show:
...     json: Json = False
...     verbose: Verbose = False
"""

from __future__ import annotations

import logging
import platform
from typing import Annotated

import typer

from lineagekit.config import VERSION, Config


def speak(verbose: bool) -> bool:
    """Send the package's log to standard error when asked to, opened by the facts that a bug report needs."""
    if verbose:
        log = logging.getLogger("lineagekit")
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.DEBUG)
        config = Config.from_environment()
        log.debug("lineagekit %s, Python %s, %s", VERSION, platform.python_version(), platform.platform())
        log.debug("%d threads, cache in %s", config.threads, config.cache_folder)
    return verbose


Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]
"""Declared for help and completion; the front door acts on it, for an unknown option gets a JSON answer too."""

Verbose = Annotated[bool, typer.Option("-v", "--verbose", callback=speak, help="Say on standard error what is done.")]


def front(json: Json = False, verbose: Verbose = False) -> None:
    """Accept the common options before the command's name too."""
