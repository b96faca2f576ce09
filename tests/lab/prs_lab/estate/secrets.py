"""The passwords of one lab: random, made once, kept in ``secrets.json`` (mode 0600) in the lab's folder."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .config import EstateConfig

__all__ = ["Secrets", "load_or_make"]


@dataclass(kw_only=True)
class Secrets:
    """Passwords by purpose. ``accounts`` are the domain's, by name without domain; ``administrator`` is every host's."""

    administrator: str
    accounts: dict[str, str] = field(default_factory=dict)
    sql_admin: str = ""
    sql_master_key: str = ""
    application_login: str = ""
    certificate: str = ""
    wizard_administrator: str = ""
    control_token: str = ""

    def all(self) -> tuple[str, ...]:
        """Every secret value, for tests that look for them in outputs."""
        single = (
            self.administrator,
            self.sql_admin,
            self.sql_master_key,
            self.application_login,
            self.certificate,
            self.wizard_administrator,
            self.control_token,
        )
        return tuple(value for value in (*single, *self.accounts.values()) if value)


def load_or_make(*, folder: Path, config: EstateConfig) -> Secrets:
    """The secrets of the lab in ``folder``; missing ones are made and written back."""
    file = folder / "secrets.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    accounts = {**known.get("accounts", {})}
    for name in config.accounts:
        accounts.setdefault(name, _password())
    names = [name for name in Secrets.__dataclass_fields__ if name != "accounts"]
    result = Secrets(accounts=accounts, **{name: known.get(name) or _password() for name in names})
    if asdict(result) != known:
        temporary = file.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(asdict(result), out, indent=2)
        temporary.replace(file)
    return result


def _password() -> str:
    """Twenty letters and digits plus what Windows' complexity rule asks for; nothing that a shell or a URL would twist."""
    letters = string.ascii_letters + string.digits
    return "P" + "".join(secrets.choice(letters) for _ in range(20)) + "-7a"
