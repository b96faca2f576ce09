from __future__ import annotations

import base64
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.prs.recovery.plugins.lookup.file_base64 import LookupModule

BYTES = bytes(range(256)) + b"\r\n \xff\n"


@pytest.fixture
def loader() -> DataLoader:
    loader = DataLoader()
    loader.set_vault_secrets([("default", VaultSecret(b"key"))])
    return loader


def read(loader: DataLoader, *paths: Path) -> list[bytes]:
    lookup = LookupModule(loader=loader)
    lookup._load_name = "prs.recovery.file_base64"
    return [base64.b64decode(text, validate=True) for text in lookup.run([str(path) for path in paths], {})]


def test_every_byte_arrives(tmp_path: Path, loader: DataLoader):
    (tmp_path / "a").write_bytes(BYTES)
    (tmp_path / "empty").write_bytes(b"")
    assert read(loader, tmp_path / "a", tmp_path / "empty") == [BYTES, b""]


def test_a_vault_is_opened_and_no_copy_stays(tmp_path: Path, loader: DataLoader):
    (tmp_path / "a").write_bytes(VaultLib([("default", VaultSecret(b"key"))]).encrypt(BYTES))
    assert read(loader, tmp_path / "a") == [BYTES]
    assert not loader._tempfiles


def test_a_missing_file_is_named(tmp_path: Path, loader: DataLoader):
    with pytest.raises(AnsibleError, match=r"no_such\.pfx"):
        read(loader, tmp_path / "no_such.pfx")
