"""The five steps with which a person finishes an installation in the browser.

1 write access of the pool's identity, 2 the database, 3 the licence agreement, 4 the first administrator, 5 a domain
and the account that resets passwords. Step 2 writes ``database.config`` and ``encryption.config``; from there on the
database knows how far the wizard got, so over an existing database steps 3 to 5 are not asked again.
"""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING

from ..windows.errors import WinError
from . import schema
from .database import COLLATION, SqlFailure
from .keys import BadFile, DatabaseConfig, decode_key, encode_database, encode_key, new_key
from .messages import PageError, Request, Response, page, redirect

if TYPE_CHECKING:
    from .site import Site

__all__ = ["STEPS", "answer"]

# step -> title, and its fields as (name, label, type, default)
STEPS: dict[int, tuple[str, tuple[tuple[str, str, str, str], ...]]] = {
    1: ("Write access", ()),
    2: (
        "Database",
        (
            ("server", "Server name or alias", "text", ""),
            ("database", "Database name", "text", "PasswordResetServer"),
            ("authentication", "Authentication (sql or windows)", "text", "sql"),
            ("login", "Login", "text", ""),
            ("password", "Password", "password", ""),
            ("encrypt", "Encrypt the connection (yes or no)", "text", "yes"),
            ("failover_partner", "Failover partner (advanced)", "text", ""),
        ),
    ),
    3: ("Licence agreement", (("accept", "I accept (yes)", "text", ""),)),
    4: ("First administrator", (("user", "User name", "text", ""), ("password", "Password", "password", ""))),
    5: (
        "Domain",
        (
            ("domain", "Domain", "text", ""),
            ("account", "Account that resets passwords", "text", ""),
            ("password", "Password", "password", ""),
        ),
    ),
}
CANNOT_OPEN_DATABASE = 4060


def answer(site: Site, request: Request, *, installed: bool) -> Response:
    """Shows the step that is next, or takes the answers of the step that was posted."""
    step = _next_step(site) if installed else 1
    if step is None:
        return redirect(request.base)
    if request.method != "POST":
        wanted = request.form.get("step", "")
        return _show(step=2 if wanted == "2" and step == 1 else step)
    posted = request.form.get("step", "")
    if posted not in {"1", "2"} if step == 1 else posted != str(step):
        return _show(step=step, trouble=f"The next step is {step}")
    try:
        _ACTIONS[int(posted)](site, request.form)
    except SqlFailure as error:
        number = f"SQL error {error.number}: " if error.number else ""
        return _show(step=int(posted), trouble=f"{number}{error}", values=request.form)
    except _Refused as refused:
        return _show(step=int(posted), trouble=str(refused), values=request.form)
    return redirect(f"{request.base.rstrip('/')}/Installer.aspx" + ("?step=2" if posted == "1" else ""))


class _Refused(Exception):
    """The answers of a step cannot be taken; the text says why."""


def _next_step(site: Site) -> int | None:
    config, key = site.read_settings()
    with site.connect(config) as database:
        return schema.setup_state(database, key=key).next_step


def _show(*, step: int, trouble: str = "", values: dict[str, str] | None = None) -> Response:
    title, fields = STEPS[step]
    inputs = "\n".join(
        f'<label>{html.escape(label)} <input name="{name}" type="{kind}" '
        f'value="{html.escape("" if kind == "password" else (values or {}).get(name, default))}"></label><br>'
        for name, label, kind, default in fields
    )
    error = f'<p id="error">{html.escape(trouble)}</p>\n' if trouble else ""
    body = (
        f'{error}<form method="post" action="Installer.aspx">\n<input type="hidden" name="step" '
        f'value="{step}">\n{inputs}\n'
        '<button type="submit">Next</button>\n</form>'
    )
    meta = {"prs-state": "wizard", "prs-step": step}
    return page(title=f"Password Reset Server installation - step {step} of 5: {title}", body=body, meta=meta)


def _check_write_access(site: Site, _: dict[str, str]) -> None:
    probe = f"{site.folder}\\write-access.tmp"
    try:
        site.view.write(probe, b"x")
        _remove(site, probe)
    except WinError as error:
        raise _Refused(
            f"{site.account} cannot write to {site.folder}: {error.text} Give it Modify on the folder."
        ) from error


def _remove(site: Site, path: str) -> None:
    """An antivirus lets go of what is new after a moment."""
    for _ in range(100):
        try:
            return site.view.remove(path)
        except WinError as error:
            if error.number != 32:
                raise
            time.sleep(0.1)
    raise WinError(32, path)


def _set_database(site: Site, form: dict[str, str]) -> None:
    _check_write_access(site, form)
    for field in ("server", "database"):
        if not form.get(field, "").strip():
            raise _Refused(f"Fill in {field}")
    if form.get("authentication", "sql").lower() != "sql":
        site.host.record.unmodelled(site.host.name, "wizard: Windows authentication to SQL Server", site.account)
        raise PageError(500, "The lab's application does not model Windows authentication to SQL Server")
    config = DatabaseConfig(
        server=form["server"].strip(),
        database=form["database"].strip(),
        login=form.get("login", ""),
        password=form.get("password", ""),
        encrypt=form.get("encrypt", "yes").lower() in ("yes", "on", "true"),
        failover_partner=form.get("failover_partner", "").strip(),
    )
    key_path = f"{site.folder}\\encryption.config"
    try:
        key = decode_key(site.view.read(key_path)) if site.view.exists(key_path) else new_key()
    except BadFile as error:
        raise _Refused(str(error)) from error
    _make_database(site, config)
    with site.connect(config) as database:
        schema.create_schema(database, key=key, version=site.version)
    try:
        site.view.write(key_path, encode_key(key))
        site.view.write(f"{site.folder}\\database.config", encode_database(config))
    except WinError as error:
        raise _Refused(f"{site.folder} cannot be written: {error.text}") from error


def _make_database(site: Site, config: DatabaseConfig) -> None:
    """Creates the database when the login may; a database that is there is used as it is."""
    try:
        with site.connect(config):
            return
    except SqlFailure as error:
        # A login without a user in the database gets 4060 too: then CREATE DATABASE fails and says what exists.
        if error.number not in (CANNOT_OPEN_DATABASE, 18456):
            raise
        first = error
    with site.connect(config, database="master") as server:
        if server.value("SELECT COUNT(*) FROM sys.databases WHERE name = ?", config.database):
            raise first
        server.rows(f"CREATE DATABASE [{config.database.replace(']', ']]')}] COLLATE {COLLATION}")


def _accept_eula(site: Site, form: dict[str, str]) -> None:
    if form.get("accept", "").lower() not in ("yes", "on", "true"):
        raise _Refused("The licence agreement has to be accepted")
    config, _ = site.read_settings()
    with site.connect(config) as database:
        schema.accept_eula(database)


def _add_administrator(site: Site, form: dict[str, str]) -> None:
    if not form.get("user") or len(form.get("password", "")) < 8:
        raise _Refused("Give a user name and a password of at least eight characters")
    config, _ = site.read_settings()
    with site.connect(config) as database:
        schema.add_administrator(database, name=form["user"], password=form["password"])


def _add_domain(site: Site, form: dict[str, str]) -> None:
    if not form.get("domain") or not form.get("account"):
        raise _Refused("Give a domain and an account")
    config, key = site.read_settings()
    with site.connect(config) as database:
        schema.add_domain(
            database, key=key, domain=form["domain"], account=form["account"], password=form.get("password", "")
        )


_ACTIONS = {1: _check_write_access, 2: _set_database, 3: _accept_eula, 4: _add_administrator, 5: _add_domain}
