"""What a restore warns of."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import Manifest
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.archive_folder import Candidate
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.restore_report import restore_warnings

NO_MANIFEST, UNHEALTHY, PROTECTED, PLAIN = (
    "has no manifest",
    "did not answer",
    "protected by DPAPI of WEB1",
    "protect it",
)


@pytest.mark.parametrize(
    ("manifest", "candidate", "computer", "restored", "expected"),
    [
        ({}, {}, "WEB1", True, []),
        ({}, {"proven_by": "checksums"}, "WEB1", False, [NO_MANIFEST]),
        ({"labels": {"healthy": "false"}}, {}, "WEB1", False, [UNHEALTHY]),
        ({"labels": {"healthy": "true"}}, {}, "WEB1", True, []),
        ({"protected": {"a.config": "dpapi"}}, {}, "WEB1", True, []),
        ({"protected": {"a.config": "dpapi", "b.config": "dpapi"}}, {}, "WEB2", True, [PROTECTED, PROTECTED]),
        ({"protected": {"a.config": "dpapi"}}, {}, "WEB2", False, []),
        ({"plain": ("a.config",)}, {}, "WEB1", True, [PLAIN]),
        ({"plain": ("a.config",)}, {}, "WEB1", False, []),
        (
            {"labels": {"healthy": "false"}, "protected": {"a.config": "dpapi"}, "plain": ("b.config",)},
            {"proven_by": "checksums"},
            "WEB2",
            True,
            [NO_MANIFEST, UNHEALTHY, PROTECTED, PLAIN],
        ),
    ],
)
def test_what_an_administrator_has_to_know_of_an_archive(
    manifest: dict[str, Any], candidate: dict[str, Any], computer: str, restored: bool, expected: list[str]
) -> None:
    """What its files need afterwards is said only once they are in place."""
    archived = Manifest(path="C:\\PRS", host="WEB1", created="", files=(), planned=0, **manifest)
    warnings = restore_warnings(
        Candidate(path="D:\\PRS.zip", manifest=archived, **candidate),
        restored=restored,
        path="C:\\PRS",
        host="web",
        computer=computer,
    )
    assert len(warnings) == len(expected)
    assert all(part in warning for part, warning in zip(expected, warnings, strict=True))
