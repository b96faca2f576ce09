"""Files of the control node, found by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._local_files import find_files, walk


def test_files_are_found_however_deep_they_lie(tmp_path: Path):
    """Some archives have a folder for each year, month, day, server and database."""
    deep = tmp_path.joinpath(*(f"level {number}" for number in range(40)))
    deep.mkdir(parents=True)
    (deep / "full.bak").touch()
    (tmp_path / "level 0" / "a.bak").touch()
    (tmp_path / "z.bak").touch()
    assert list(walk(str(tmp_path))) == [
        str(tmp_path / "level 0" / "a.bak"),
        str(deep / "full.bak"),
        str(tmp_path / "z.bak"),
    ]
    assert find_files([str(tmp_path)], endings={".bak"}, recurse=True)[1] == deep / "full.bak"
    assert find_files([str(tmp_path)], endings={".bak"}, recurse=False) == [tmp_path / "z.bak"]


def test_a_folder_behind_a_link_is_left_out(tmp_path: Path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "loop").symlink_to(tmp_path, target_is_directory=True)
    (inside / "log.trn").touch()
    assert list(walk(str(tmp_path))) == [str(inside / "log.trn")]


def test_what_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(RecoveryError, match="nowhere on the control node cannot be looked into"):
        list(walk(str(tmp_path / "nowhere")))
