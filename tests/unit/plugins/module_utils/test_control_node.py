"""What the control node has of what the playbooks need."""

from __future__ import annotations

import importlib

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._control_node import (
    driver_problem,
    unusable_authorities,
    unusable_roots,
)


def test_the_reason_why_the_driver_cannot_be_loaded(monkeypatch):
    def without_library(name: str):
        raise ImportError(f"{name}: libodbc.so.2: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", without_library)
    assert driver_problem() == "pyodbc: libodbc.so.2: cannot open shared object file"


def test_the_driver_of_these_tests_can_be_loaded():
    assert driver_problem() == ""


PEM = b"-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n"


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (PEM, None),
        (b"\xef\xbb\xbf" + PEM, None),
        (PEM.replace(b"BEGIN CERT", b"BEGIN TRUSTED CERT"), None),
        (b"\xff\xfe" + PEM.decode().encode("utf-16-le"), "utf-16"),
        (b"\xfe\xff" + PEM.decode().encode("utf-16-be"), "utf-16"),
        (b"\x30\x82\x03\x4f\x30", "der"),
        (b"", "no_pem"),
        (b"-----BEGIN PRIVATE KEY-----", "no_pem"),
    ],
)
def test_what_a_file_of_authorities_holds(tmp_path, content, state):
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    assert unusable_authorities([str(file)]).get(str(file)) == state


def test_files_of_authorities_that_are_not_there(tmp_path):
    absent = str(tmp_path / "none.pem")
    assert unusable_authorities([str(tmp_path), absent, "", "legacy_requests", absent]) == {absent: "absent"}


def test_roots_are_read_before_anything_runs(tmp_path):
    text, nowhere = tmp_path / "text.cer", tmp_path / "nowhere.cer"
    text.write_text("no certificate")
    assert unusable_roots([str(text), str(nowhere)]) == {str(text): "no_certificate", str(nowhere): "absent"}
