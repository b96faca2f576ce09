"""Keys that only their own machine can use: EFS and DPAPI are noticed, a plain copy is archived instead, and comes
back.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

from .windows_twins import APPLICATION, CONTENT, LOCAL, ON_SHARE, Twins

KEY = f"{APPLICATION}\\encryption.config"
COPY = "D:\\keys\\plain.config"
PLAIN = {"plain_copies": {"encryption.config": COPY}}
BLOB = base64.b64encode(bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb") + bytes(60))
SHIELDED = b"<encryptionSettings>" + BLOB + b"</encryptionSettings>"


@pytest.fixture
def with_dpapi(twins: Twins) -> Twins:
    twins.write(KEY, SHIELDED)
    twins.install({"plain.config": CONTENT["encryption.config"]}, "D:\\keys")
    return twins


@pytest.fixture
def with_efs(twins: Twins) -> Twins:
    """Encrypted by the service account of the pool: an administrator cannot read it."""
    twins.files.encrypt(KEY)
    twins.install({"plain.config": CONTENT["encryption.config"]}, "D:\\keys")
    return twins


def told(result: dict[str, Any]) -> str:
    return " ".join(result["warnings"])


def test_dpapi_is_noticed(with_dpapi: Twins) -> None:
    result = with_dpapi.backup()
    assert result["protected"] == {"encryption.config": "dpapi"}
    assert "is protected by DPAPI: no other machine can use what was archived" in told(
        result
    ) and "plain_copies" in told(result)
    [archive] = with_dpapi.info()["archives"]
    assert archive["protected"] == {"encryption.config": "dpapi"} and archive["whole"]


def test_a_plain_copy_is_archived_instead(with_dpapi: Twins) -> None:
    result = with_dpapi.backup(**PLAIN)
    assert result["protected"] == {"encryption.config": "dpapi"} and "no other machine" not in told(result)
    assert "holds the unprotected encryption.config" in told(result)
    assert any(f"{COPY} is archived instead" in line for line in result["log"]["lines"])
    with_dpapi.files.remove_tree(APPLICATION)
    restored = with_dpapi.restore()
    assert with_dpapi.tree() == CONTENT
    assert "is the unprotected copy that was archived: protect it again" in told(restored)


def test_a_copy_on_a_share_is_read_under_the_share_s_account(with_dpapi: Twins) -> None:
    with_dpapi.write("E:\\backup\\keys\\plain.config", CONTENT["encryption.config"], with_dpapi.share_host)
    with_dpapi.backup(plain_copies={"encryption.config": "\\\\files\\backup\\keys\\plain.config"}, **ON_SHARE)
    with_dpapi.files.remove_tree(APPLICATION)
    with_dpapi.restore()
    assert with_dpapi.tree() == CONTENT


def test_the_protected_form_is_no_other_key(with_dpapi: Twins) -> None:
    """Its own server sees its own key; other damage is repaired all the same."""
    with_dpapi.backup(**PLAIN)
    left = with_dpapi.restore()
    assert (left["folder"]["state"], left["folder"]["own"], left["changed"]) == ("whole", ["encryption.config"], False)
    with_dpapi.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    assert with_dpapi.restore()["restored"] and with_dpapi.tree() == CONTENT


def kept_as_it_was(twins: Twins, restored: dict[str, Any], before: dict[str, bytes]) -> bool:
    return twins.tree() == CONTENT and twins.tree(restored["kept_old"]) == before


def untold(twins: Twins) -> dict[str, Any]:
    """Of a restore that leaves the folder, and says that nobody can tell whose keys it has."""
    before = twins.tree()
    left = twins.restore()
    assert (left["folder"]["state"], left["folder"]["untold"]) == ("whole", ["encryption.config"])
    assert not left["changed"] and twins.tree() == before
    assert "Nobody can tell whether encryption.config" in told(left) and "It was left as it is" in told(left)
    return left


def test_of_another_server_s_protected_key_nobody_can_tell(with_dpapi: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    with_dpapi.backup(**PLAIN)
    monkeypatch.setattr(
        "ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files.WindowsFiles.computer", "OTHER"
    )
    untold(with_dpapi)


def test_a_key_that_was_protected_since_asks_for_no_yes(twins: Twins) -> None:
    """The archive's is plain. Nobody can tell whether it is the same one, so the folder with it is never thrown away."""
    twins.backup()
    twins.write(KEY, SHIELDED)
    untold(twins)
    twins.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    before = twins.tree()
    planned = twins.restore(check_mode=True)
    assert "may have other keys than the archive (encryption.config)" in told(planned) and twins.tree() == before
    restored = twins.restore()
    assert restored == planned and kept_as_it_was(twins, restored, before)
    assert not twins.restore()["changed"]


def test_a_key_that_efs_hides_is_never_thrown_away(twins: Twins) -> None:
    """The archive was made before the pool's account encrypted it."""
    twins.backup()
    twins.files.encrypt(KEY)
    untold(twins)
    twins.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    restored = twins.restore()
    assert restored["restored"] and twins.tree() == CONTENT
    assert f"{APPLICATION}." in restored["kept_old"] and "may have other keys" in told(restored)


def test_a_protected_key_of_the_archive_replaces_none(with_dpapi: Twins) -> None:
    """Whether it is of any use here nobody can tell either."""
    with_dpapi.install({"encryption.config": SHIELDED})
    with_dpapi.backup()
    with_dpapi.write(KEY, SHIELDED.replace(b"AAAA", b"BBBB"))
    untold(with_dpapi)
    with_dpapi.write(KEY, CONTENT["encryption.config"])
    untold(with_dpapi)
    with_dpapi.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    before = with_dpapi.tree()
    with pytest.raises(RecoveryError, match=r"is damaged: bin/Prs\.Web\.dll .*Nobody can tell .* replace to always"):
        with_dpapi.restore()
    assert with_dpapi.tree() == before
    restored = with_dpapi.restore(replace="always")
    assert restored["restored"] and with_dpapi.tree(restored["kept_old"]) == before


def test_a_protected_key_on_another_server_is_said_to_be_of_no_use(
    with_dpapi: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_dpapi.backup()
    with_dpapi.files.remove_tree(APPLICATION)
    monkeypatch.setattr(
        "ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files.WindowsFiles.computer", "OTHER"
    )
    assert "is protected by DPAPI of WEB, and OTHER cannot read it. Put the unprotected file" in told(
        with_dpapi.restore()
    )


def test_efs_shuts_the_administrator_out(with_efs: Twins) -> None:
    with pytest.raises(
        RecoveryError,
        match=r"encryption\.config on .* cannot be read.*Nothing was archived\. EFS lets only the "
        r"account.*plain_copies",
    ):
        with_efs.backup()
    assert with_efs.names(LOCAL) == []


def test_efs_and_a_plain_copy(with_efs: Twins) -> None:
    result = with_efs.backup(**PLAIN)
    assert result["protected"] == {"encryption.config": "efs"}
    # The server's own file cannot be read, and is left alone.
    assert with_efs.restore()["folder"]["state"] == "whole"
    with_efs.files.remove_tree(APPLICATION)
    with_efs.restore()
    assert with_efs.tree() == CONTENT


def test_efs_of_the_very_account_is_read_and_said(twins: Twins) -> None:
    administrator = twins.web.files("WEB\\Administrator")
    administrator.encrypt(KEY)
    result = twins.backup()
    assert result["protected"] == {"encryption.config": "efs"} and "The archive holds the plain content" in told(result)
    assert twins.info()["archives"][0]["protected"] == {}
    administrator.remove_tree(APPLICATION)
    twins.restore()
    assert twins.tree() == CONTENT


def test_nothing_changed_is_seen_through_the_protection(with_dpapi: Twins) -> None:
    with_dpapi.backup(**PLAIN)
    assert not with_dpapi.backup(skip_unchanged=True, **PLAIN)["changed"]
    with_dpapi.write(COPY, CONTENT["encryption.config"] + b"\n")
    assert with_dpapi.backup(skip_unchanged=True, **PLAIN)["changed"]


WRONG = [
    ({"encryption.config": "D:\\nothing"}, r"names encryption\.config, and there is no file D:\\nothing"),
    ({"other.config": COPY}, r"names other\.config, and there is no file .*PasswordResetServer\\other\.config"),
    ({"encryption.config": "keys"}, r"plain_copies is 'keys', which is no full path"),
]


@pytest.mark.parametrize("copies, message", WRONG)
def test_a_copy_that_is_not_there(with_dpapi: Twins, copies: dict[str, str], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        with_dpapi.backup(plain_copies=copies)
    assert with_dpapi.names(LOCAL) == []
