# SPDX-License-Identifier: Apache-2.0
"""`lineagekit init`: make this folder a project with a store of its own, and a small commented configuration.

$ lineagekit init
made /work/.lineagekit
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from lineagekit.cli.flags import Json, Verbose
from lineagekit.cli.output import Output
from lineagekit.config import STORE_NAME
from lineagekit.errors import StoreError
from lineagekit.settings import FILE, TEMPLATE, current_settings
from lineagekit.store.log import open_store


@dataclass(frozen=True, slots=True)
class Init:
    """Make a store for this project, with a commented configuration.

    What is run below this folder is recorded in it from then on. An existing one is left as it is.

    Example: lineagekit init
    """

    folder: Annotated[str, typer.Argument(metavar="[FOLDER]", help="The project.")] = "."
    json: Json = False
    verbose: Verbose = False

    def run(self, out: Output) -> int:
        """Make what is missing."""
        folder = os.path.join(os.path.abspath(self.folder), STORE_NAME)
        existed = os.path.isdir(folder)
        with open_store(folder):
            pass
        config = os.path.join(folder, FILE)
        written = _write_new(config, TEMPLATE)
        current_settings(folder)
        out.say(f"{'there is' if existed else 'made'} {folder}")
        out.say(f"{'wrote' if written else 'kept'} {config}")
        out.say("next: lineagekit run -- python train.py, then lineagekit log")
        out.show({"store": folder, "made": not existed, "config": config})
        return 0


def _write_new(path: str, text: str) -> bool:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", advice="Check the folder's permissions.") from error
    return True
