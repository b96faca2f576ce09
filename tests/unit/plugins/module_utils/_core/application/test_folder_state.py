"""What an application folder is beside an archive, and what is done about it."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import (
    Manifest,
    ManifestFile,
    compare,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.application.folder_state import assess, verdict
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import PresentFile

A, B = "a" * 64, "b" * 64
THEN, LATER = "2026-01-01T10:00:00.1234567Z", "2026-02-01T10:00:00.0000000Z"
NAMES = ["web.config", "database.config", "encryption.config", "bin/app.dll"]
MANIFEST = Manifest(
    path="C:\\web",
    host="WEB",
    created="",
    planned=4,
    files=tuple(ManifestFile(name=name, size=5, sha256=A, modified=THEN) for name in NAMES),
)
WHOLE = {name: PresentFile(size=5, sha256=A, modified=THEN) for name in NAMES}
EDITED = PresentFile(size=9, sha256=B, modified=LATER)
EMPTY = PresentFile(size=0, sha256=B, modified=LATER)
ROTTEN = PresentFile(size=5, sha256=B, modified="2026-01-01T10:00:01Z")
UNREADABLE = PresentFile(size=5, sha256=None, modified=THEN)

STATES = [
    ({}, "missing", (), ()),
    (WHOLE, "identical", (), ()),
    ({**WHOLE, "new.log": EDITED}, "whole", (), ()),
    ({**WHOLE, "web.config": EDITED}, "whole", (), ("web.config",)),
    ({**WHOLE, "WEB.CONFIG": EDITED, "web.config": EDITED}, "whole", (), ("web.config",)),
    ({**WHOLE, "web.config": EMPTY}, "damaged", ("web.config",), ()),
    ({**WHOLE, "web.config": ROTTEN}, "damaged", ("web.config",), ()),
    ({**WHOLE, "web.config": UNREADABLE}, "damaged", ("web.config",), ()),
    ({**WHOLE, "bin/app.dll": EDITED}, "damaged", ("bin/app.dll",), ()),
    ({**WHOLE, "bin/app.dll": EDITED, "web.config": EDITED}, "damaged", ("bin/app.dll",), ("web.config",)),
    ({**WHOLE, "encryption.config": EDITED}, "foreign", ("encryption.config",), ()),
    ({**WHOLE, "encryption.config": EMPTY}, "damaged", ("encryption.config",), ()),
    ({**WHOLE, "encryption.config": ROTTEN}, "damaged", ("encryption.config",), ()),
    (
        {**WHOLE, "encryption.config": EDITED, "database.config": EMPTY},
        "damaged",
        ("database.config", "encryption.config"),
        (),
    ),
    ({name: file for name, file in WHOLE.items() if name != "database.config"}, "damaged", ("database.config",), ()),
]


KEY = "encryption.config"
WITHOUT_DLL = {name: file for name, file in WHOLE.items() if name != "bin/app.dll"}


@pytest.mark.parametrize(
    ("present", "names", "kind", "action", "told"),
    [
        ({**WHOLE, KEY: EDITED}, "untold", "whole", "leave", (KEY,)),
        ({**WHOLE, KEY: EDITED}, "bound", "whole", "leave", (KEY,)),
        ({**WHOLE, KEY: UNREADABLE}, "untold", "whole", "leave", (KEY,)),
        ({**WITHOUT_DLL, KEY: EDITED}, "untold", "damaged", "restore", (KEY,)),
        ({**WITHOUT_DLL, KEY: UNREADABLE}, "untold", "damaged", "restore", (KEY,)),
        ({**WITHOUT_DLL, KEY: EDITED}, "bound", "obscure", "refuse", (KEY,)),
        ({**WHOLE, KEY: ROTTEN}, "bound", "damaged", "restore", ()),
        ({**WHOLE, KEY: ROTTEN}, "untold", "damaged", "restore", ()),
    ],
)
def test_keys_that_nobody_can_compare_are_no_other_keys(present, names, kind, action, told) -> None:
    state = assess(
        manifest=MANIFEST,
        comparison=compare(MANIFEST, present),
        present=present,
        key_files=[KEY],
        **{names: [KEY]},
    )
    assert (state.kind, state.untold, verdict(state, replace="damaged").action) == (kind, told, action)
    assert verdict(state, replace="always").action == "restore"
    if action == "refuse":
        reason = verdict(state, replace="damaged").reason
        assert reason.startswith("is damaged: bin/app.dll") and "Nobody can tell whether its keys" in reason


@pytest.mark.parametrize("present, kind, damage, own", STATES)
def test_states(present: dict[str, PresentFile], kind: str, damage: tuple[str, ...], own: tuple[str, ...]) -> None:
    state = assess(
        manifest=MANIFEST,
        comparison=compare(MANIFEST, present),
        present=present,
        expected_differences=["*.Config"],
        key_files=["Encryption.config"],
    )
    assert (state.kind, state.damage, state.own) == (kind, damage, own)


LOOKED_INTO = [
    # broken, shielded, kind, damage, own
    ((), (), "foreign", ("encryption.config",), ()),
    (("ENCRYPTION.config",), (), "damaged", ("encryption.config",), ()),
    ((), ("ENCRYPTION.config",), "whole", (), ("encryption.config",)),
    (("web.config",), (), "foreign", ("encryption.config",), ()),
]


@pytest.mark.parametrize("broken, shielded, kind, damage, own", LOOKED_INTO)
def test_a_key_that_was_looked_into(
    broken: tuple[str, ...], shielded: tuple[str, ...], kind: str, damage: tuple[str, ...], own: tuple[str, ...]
) -> None:
    present = {**WHOLE, "encryption.config": EDITED}
    state = assess(
        manifest=MANIFEST,
        comparison=compare(MANIFEST, present),
        present=present,
        key_files=["encryption.config"],
        broken=broken,
        shielded=shielded,
    )
    assert (state.kind, state.damage, state.own) == (kind, damage, own)


def test_a_settings_file_that_was_looked_into() -> None:
    present = {**WHOLE, "web.config": EDITED}
    state = assess(
        manifest=MANIFEST,
        comparison=compare(MANIFEST, present),
        present=present,
        expected_differences=["*.config"],
        broken=["web.config"],
    )
    assert (state.kind, state.damage) == ("damaged", ("web.config",))


VERDICTS = [
    # kind      never     damaged    always
    ("missing", "restore", "restore", "restore"),
    ("identical", "leave", "leave", "leave"),
    ("whole", "leave", "leave", "restore"),
    ("damaged", "leave", "restore", "restore"),
    ("foreign", "leave", "refuse", "restore"),
]


@pytest.mark.parametrize("kind, never, damaged, always", VERDICTS)
def test_verdicts(kind: str, never: str, damaged: str, always: str) -> None:
    state = assess(manifest=MANIFEST, comparison=compare(MANIFEST, WHOLE), present=WHOLE)
    given = type(state)(kind=kind, damage=("encryption.config", "b", "c", "d"))
    found = {replace: verdict(given, replace=replace) for replace in ("never", "damaged", "always")}
    assert {replace: one.action for replace, one in found.items()} == {
        "never": never,
        "damaged": damaged,
        "always": always,
    }
    assert all(one.reason for one in found.values())


def test_a_long_list_of_damage_is_cut() -> None:
    state = assess(manifest=MANIFEST, comparison=compare(MANIFEST, {"x": EDITED}), present={"x": EDITED})
    assert verdict(state, replace="damaged").reason == (
        "is damaged: bin/app.dll, database.config, encryption.config and 1 more missing or not as in the archive"
    )
