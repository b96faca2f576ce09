"""No secret of the estate appears anywhere: not at -vvvv, not in what the twins recorded, not in files that the collection writes."""

from __future__ import annotations

from playbook_lab import Beginning, Estate


def test_no_secret_in_any_output_or_file(beginning: Beginning, estate: Estate):
    """Of files: ConfigurationFile.ini, logs, manifests, what a later reader of the disk would find. The application's own are encrypted."""
    secrets = estate.lab.description.secrets.all()
    assert len(secrets) >= 6
    logs = {**beginning.said, "first record": (beginning.state / "record.jsonl").read_text(encoding="utf-8")}
    estate.lose_site_a()
    for name in ("rebuild_prs", "verify_prs"):
        run = estate.play(name, "-vvvv", "--diff")
        assert run.code == 0, run.output[-5000:]
        logs[name] = run.output
    # A failure talks more than a success: a wrong login for SQL Server, and an account that Windows refuses.
    logs["wrong SQL login"] = estate.play("verify_prs", "--limit", "sql-a", "-vvvv", "-e", "prs_sql_admin_login=nobody").output
    logs["wrong share account"] = estate.play("backup_prs", "-vvvv", "-e", r"prs_share_user=PRSLAB\nobody").output
    logs["record"] = (estate.lab.state_dir / "record.jsonl").read_text(encoding="utf-8")
    found = [(name, text[max(0, text.index(secret) - 150):text.index(secret)]) for name, text in logs.items() for secret in secrets if secret in text]
    assert not found, found
    bytes_of = [secret.encode() for secret in secrets]
    holding = [
        str(path.relative_to(estate.lab.state_dir))
        for path in (estate.lab.state_dir / "hosts").rglob("*")
        if path.is_file() and "drives" in path.parts and any(secret in path.read_bytes() for secret in bytes_of)
    ]
    assert holding == []
