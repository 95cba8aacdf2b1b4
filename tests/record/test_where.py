# SPDX-License-Identifier: Apache-2.0
"""Where paths lead, and which of them nobody misses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lineagekit.record.where import Links, has_fine_stamps, is_temporary, mount_of


@pytest.mark.parametrize(
    ("path", "temporary"),
    [
        ("/tmp/x.csv", True),
        ("/dev/shm/joblib/1.pkl", True),
        ("/data/tmpab12_x9z", True),
        ("/data/tmpab12_x9z.csv", True),
        ("/data/tmpab12_x9z/part.csv", True),
        ("/data/model.pkl.tmp", True),
        ("/data/model.pkl~", True),
        ("/data/model.part", True),
        ("/data/tmp/model.pkl", False),
        ("/data/tmptables1", False),
        ("/data/template.csv", False),
        ("/data/model.pkl", False),
    ],
)
def test_temporary_files_are_known_by_place_or_name(path: str, temporary: bool) -> None:
    assert is_temporary(path) == temporary


def test_links_in_the_path_and_at_its_end_are_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "way").symlink_to("folder")
    (tmp_path / "end").symlink_to("folder/file")
    (tmp_path / "loop").symlink_to("loop")
    links, file = Links(), str(tmp_path / "folder" / "file")
    assert links.real(file) == ""
    assert links.real(str(tmp_path / "way" / "file")) == file
    assert links.real(str(tmp_path / "end")) == file
    assert links.real("/nul\0inside") == ""
    links.real(str(tmp_path / "loop"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
def test_what_is_of_this_machine_has_no_mount_and_a_file_system_of_processes_no_fine_stamps(tmp_path: Path) -> None:
    assert mount_of(os.stat(tmp_path).st_dev) == ""
    assert not has_fine_stamps(os.stat("/proc").st_dev)
