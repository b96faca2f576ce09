from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.certificates import (
    Known,
    current,
    decoded,
    imported_name,
    key_files,
    missing_successors,
    successor_name,
    thumbprint,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.endpoint import (
    differences,
    fits_edition,
    wanted_endpoint,
)

NOW = datetime(2026, 3, 1)


def known(name, days, *, own=True):
    return Known(name=name, thumbprint=name, expires=NOW + timedelta(days=days), private_key=own)


@pytest.mark.parametrize(("there", "name", "older"), [
    ([], None, []),
    ([known("other", 1)], None, []),
    ([known("mirror", 1, own=False)], None, []),
    ([known("Mirror", 1)], "Mirror", []),
    ([known("mirror", 1), known("mirror_20260401", 31)], "mirror_20260401", ["mirror"]),
    ([known("mirror_20260401", 31), known("mirror", 1), known("mirror_20270401", 400)], "mirror_20270401", ["mirror", "mirror_20260401"]),
    ([known("mirror", 1), known("mirror_2", 500), known("mirror_of_others", 500)], "mirror", []),
])  # fmt: skip
def test_the_certificate_that_counts(there, name, older):
    found, superseded = current(there, name="mirror", own=True)
    assert (found.name if found else None, [one.name for one in superseded]) == (name, older)


def test_names():
    assert successor_name("mirror", expires=NOW, taken=["mirror"]) == "mirror_20260301"
    with pytest.raises(RecoveryError, match="same day"):
        successor_name("mirror", expires=NOW, taken=["MIRROR_20260301"])
    assert len(successor_name("m" * 128, expires=NOW, taken=[])) <= 128
    assert imported_name("mirror", mark="AB" * 20, taken=["other"]) == "mirror"
    assert imported_name("mirror", mark="AB" * 20, taken=["Mirror"]) == "mirror_ABABABAB"
    assert known("x", 3).days_left(NOW) == 3 and known("x", -3).days_left(NOW) == -3


@pytest.mark.parametrize(("path", "expected"), [
    ("D:\\Keys\\prs.cer", "D:\\Keys\\prs_20271231.cer"), ("D:\\Keys.old\\prs", "D:\\Keys.old\\prs_20271231"), ("prs.cer", "prs_20271231.cer"),
    ("\\\\files\\keys\\a.b.cer", "\\\\files\\keys\\a.b_20271231.cer"),
])  # fmt: skip
def test_files_of_a_successor(path, expected):
    wanted = {"certificate_file": path, "key_file": "k.pvk", "password": "p"}
    assert key_files(wanted, added="_20271231") == {
        "certificate_file": expected,
        "key_file": "k_20271231.pvk",
        "password": "p",
    }
    assert key_files(wanted, added="") == wanted


def test_public_parts():
    der = b"\x30\x03\x02\x01\x05"
    text = base64.b64encode(der).decode()
    assert decoded(text) == decoded(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n") == der
    assert thumbprint(b"abc") == "A9993E364706816ABA3E25717850C26C9CD0D89D"
    for nonsense in ("", "not base64!", base64.b64encode(b"text").decode()):
        with pytest.raises(RecoveryError, match="holds no certificate"):
            decoded(nonsense)


FOUND = {
    "state": "STARTED",
    "port": 5022,
    "role": "ALL",
    "authentication": "CERTIFICATE",
    "encryption": "AES",
    "certificate": "Mine",
}


@pytest.mark.parametrize(("asked", "expected"), [
    ({}, []), ({"certificate": "mine", "authentication": "certificate"}, []), ({"port": 5023}, ["port"]), ({"state": "stopped"}, ["state"]),
    ({"authentication": "windows"}, ["authentication"]), ({"encryption": "disabled", "role": "PARTNER"}, ["role", "encryption"]),
    ({"certificate": "newer"}, ["certificate"]),
])  # fmt: skip
def test_what_of_an_endpoint_differs(asked, expected):
    given = {
        "state": "started",
        "port": None,
        "role": None,
        "authentication": None,
        "encryption": "required",
        "certificate": None,
        **asked,
    }
    assert differences(FOUND, wanted_endpoint(given)) == expected


@pytest.mark.parametrize(("role", "edition", "fits"), [
    ("ALL", "Standard Edition (64-bit)", True), ("WITNESS", "Express Edition (64-bit)", True), ("ALL", "Express Edition (64-bit)", False),
    ("PARTNER", "Web Edition (64-bit)", False),
])  # fmt: skip
def test_what_an_edition_may_be(role, edition, fits):
    assert fits_edition(role, edition) is fits


def test_successors_are_found_beside_the_key_of_the_first():
    wanted = {"certificate_file": "\\\\k\\keys\\PRS.cer", "key_file": "\\\\k\\keys\\PRS.pvk"}
    files = [f"\\\\K\\Keys\\{name}" for name in (
        "PRS.cer", "PRS.pvk", "prs_20360101.CER", "PRS_20360101.pvk", "PRS_20460101.cer", "PRS_20460101.pvk",
        "PRS_20560101.cer", "PRSX_20660101.cer", "PRS_2036.cer",
    )]  # fmt: skip
    assert missing_successors("PRS", files, wanted=wanted, taken=["PRS", "prs_20360101"]) == ["PRS_20460101"]
    assert missing_successors("PRS", files, wanted=wanted, taken=[]) == ["PRS_20360101", "PRS_20460101"]
