"""Logins, server roles and server permissions."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..catalog.logins import windows_sid
from ..errors import SqlError, Unmodelled
from ..parse import ir_objects as ir
from ..security import SERVER_ROLES, Login, check_password_policy, is_password_hash, password_matches
from ..wire.items import Done, Item
from .batch import Batch
from .registry import executes

__all__ = ["drop_login", "server_permission"]

_NO_RIGHT = "User does not have permission to perform this action."


def _now(batch: Batch) -> str:
    return batch.instance.now().isoformat(" ", "milliseconds")


@executes(ir.CreateLogin)
def _create(batch: Batch, statement: ir.CreateLogin) -> Iterator[Item]:
    instance, options = batch.instance, statement.options
    if not batch.session.login.may("ALTER ANY LOGIN"):
        raise SqlError(15247, _NO_RIGHT)
    if instance.logins.get(statement.name) is not None:
        raise SqlError(15025, f"The server principal '{statement.name}' already exists.")
    if options.sid is not None and len(options.sid) != 16:
        raise SqlError(15419, "Supplied parameter sid should be binary(16).")
    if options.sid is not None and instance.logins.by_sid(options.sid) is not None:
        raise SqlError(15433, "Supplied parameter sid is in use.")
    if statement.source in ("certificate", "asymmetric_key"):
        found = instance.certificates.get(statement.source_name)
        if statement.source != "certificate" or found is None:
            raise SqlError(
                15151,
                f"Cannot find the certificate '{statement.source_name}', because it does not exist or you do not "
                "have permission.",
            )
        login = Login(
            name=statement.name, sid=b"\x01\x06" + found.thumbprint, principal_id=instance.logins.next_id(), type="C"
        )
    elif statement.source == "windows":
        if "\\" not in statement.name:
            raise SqlError(
                15407, f"'{statement.name}' is not a valid Windows NT name. Give the complete name: <domain\\username>."
            )
        if not instance.host.knows_account(statement.name):
            raise SqlError(15401, f"Windows NT user or group '{statement.name}' not found. Check the name again.")
        login = Login(
            name=statement.name, sid=windows_sid(statement.name), principal_id=instance.logins.next_id(), type="U"
        )
    else:
        login = _sql_login(batch, statement)
    login.created = login.modified = _now(batch)
    _settings(batch, login, options)
    instance.logins.save(login)
    yield Done()


def _sql_login(batch: Batch, statement: ir.CreateLogin) -> Login:
    options = statement.options
    if "\\" in statement.name:
        raise SqlError(15006, f"'{statement.name}' is not a valid name because it contains invalid characters.")
    login = Login(name=statement.name, sid=options.sid or os.urandom(16), principal_id=batch.instance.logins.next_id())
    login.check_policy = options.check_policy if options.check_policy is not None else True
    login.check_expiration = bool(options.check_expiration)
    _check_switches(login, options)
    _set_password(batch, login, options)
    login.password_set = _now(batch)
    return login


def _check_switches(login: Login, options: ir.LoginOptions) -> None:
    if login.check_expiration and not login.check_policy:
        raise SqlError(15122, "The CHECK_EXPIRATION option cannot be used when CHECK_POLICY is OFF.")
    if options.must_change and not login.check_expiration:
        raise SqlError(
            15128, "The CHECK_POLICY and CHECK_EXPIRATION options cannot be turned OFF when MUST_CHANGE is ON."
        )


def _set_password(batch: Batch, login: Login, options: ir.LoginOptions) -> None:
    if options.hashed:
        hashed = (
            options.password
            if isinstance(options.password, bytes)
            else bytes.fromhex(str(options.password).removeprefix("0x"))
        )
        if not is_password_hash(hashed, version=batch.instance.settings.version):
            raise SqlError(15021, "Invalid value given for parameter PASSWORD. Specify a valid parameter value.")
        login.password_hash = hashed
    else:
        if login.check_policy:
            check_password_policy(login.name, str(options.password))
        login.password_hash = batch.instance.hash_password(str(options.password))
    login.must_change = options.must_change
    login.expired = False


def _settings(batch: Batch, login: Login, options: ir.LoginOptions) -> None:
    if options.default_database is not None:
        database = batch.instance.databases.get(options.default_database)
        if database is None:
            raise SqlError(
                15010,
                f"The database '{options.default_database}' does not exist. Supply a valid database name. To see "
                "available databases, use "
                "sys.databases.",
            )
        login.default_database = database.name
    if options.default_language is not None:
        login.default_language = options.default_language
    if options.credential is not None:
        raise Unmodelled("logins with a CREDENTIAL")


@executes(ir.AlterLogin)
def _alter(batch: Batch, statement: ir.AlterLogin) -> Iterator[Item]:
    instance, options, me = batch.instance, statement.options, batch.session.login
    login = instance.logins.require(statement.name, verb="alter")
    own = login.sid == me.sid and options.old_password is not None
    if not me.may("ALTER ANY LOGIN") and not own:
        raise SqlError(
            15151,
            f"Cannot alter the login '{statement.name}', because it does not exist or you do not have permission.",
        )
    if login.is_sysadmin and not me.is_sysadmin:
        raise SqlError(
            15151,
            f"Cannot alter the login '{statement.name}', because it does not exist or you do not have permission.",
        )
    if statement.enable is False and login.type == "G":
        raise SqlError(
            15151,
            f"Cannot alter the login '{statement.name}', because it does not exist or you do not have permission.",
        )
    if statement.enable is not None:
        login.disabled = not statement.enable
    if login.type != "S" and (options.check_policy is not None or options.check_expiration is not None):
        raise Unmodelled("CHECK_POLICY and CHECK_EXPIRATION of a login that is no SQL login")
    if options.check_policy is not None:
        login.check_policy = options.check_policy
        login.check_expiration = login.check_expiration and login.check_policy
    if options.check_expiration is not None:
        login.check_expiration = options.check_expiration
    _check_switches(login, options)
    if options.password is not None:
        if login.type != "S":
            raise SqlError(
                15195,
                f"The MUST_CHANGE option or a password cannot be given to the login '{login.name}': it is no SQL "
                "login.",
            )
        if options.old_password is not None and not password_matches(str(options.old_password), login.password_hash):
            raise SqlError(
                15151,
                f"Cannot alter the login '{statement.name}', because it does not exist or you do not have permission.",
            )
        if options.hashed and login.check_policy:
            raise SqlError(15021, "Invalid value given for parameter HASHED. Specify a valid parameter value.")
        _set_password(batch, login, options)
        login.password_set = _now(batch)
    _settings(batch, login, options)
    old = login.name
    if options.new_name is not None:
        if instance.logins.get(options.new_name) not in (None, login):
            raise SqlError(15025, f"The server principal '{options.new_name}' already exists.")
        login.name = options.new_name
    login.modified = _now(batch)
    instance.logins.save(login, old_name=old)
    yield Done()


def drop_login(batch: Batch, name: str) -> None:
    """DROP LOGIN. Raises 15151, 15174, 15434."""
    instance = batch.instance
    login = instance.logins.require(name, verb="drop")
    if not batch.session.login.may("ALTER ANY LOGIN"):
        raise SqlError(
            15151, f"Cannot drop the login '{name}', because it does not exist or you do not have permission."
        )
    if login.sid == b"\x01":
        raise SqlError(15405, "Cannot use the special principal 'sa'.")
    if any(instance.owner_sid(database) == login.sid for database in instance.databases):
        raise SqlError(
            15174,
            f"Login '{login.name}' owns one or more database(s). Change the owner of the database(s) before "
            "dropping the login.",
        )
    if not instance.quiet(lambda: any(session.login_sid == login.sid for session in instance.sessions())):
        raise SqlError(15434, f"Could not drop login '{login.name}' as the user is currently logged in.")
    instance.logins.drop(login)


def alter_server_role(batch: Batch, statement: ir.AlterRole) -> None:
    """ALTER SERVER ROLE ... ADD | DROP MEMBER. Raises 15151, 15247."""
    role = next((name for name in SERVER_ROLES if name == statement.name.lower()), None)
    if role is None or role == "public":
        raise SqlError(
            15151,
            f"Cannot alter the server role '{statement.name}', because it does not exist or you do not have "
            "permission.",
        )
    if statement.action == "name":
        raise SqlError(15150, f"Cannot alter the server role '{role}'.")
    me = batch.session.login
    if not me.is_sysadmin and role not in me.roles:
        raise SqlError(
            15151, f"Cannot alter the server role '{role}', because it does not exist or you do not have permission."
        )
    login = batch.instance.logins.get(statement.member)
    if login is None:
        word = "add" if statement.action == "add" else "drop"
        raise SqlError(
            15151,
            f"Cannot {word} the principal '{statement.member}', because it does not exist or you do not have "
            "permission.",
        )
    if statement.action == "drop" and login.sid == b"\x01":
        raise SqlError(15405, "Cannot use the special principal 'sa'.")
    login.roles = sorted({*login.roles, role} if statement.action == "add" else set(login.roles) - {role})
    batch.instance.logins.save(login)


_SERVER_PERMISSIONS = frozenset((
    "ADMINISTER BULK OPERATIONS", "ALTER ANY CONNECTION", "ALTER ANY CREDENTIAL", "ALTER ANY DATABASE", "ALTER ANY ENDPOINT", "ALTER ANY LINKED SERVER",
    "ALTER ANY LOGIN", "ALTER ANY SERVER ROLE", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS", "ALTER TRACE", "AUTHENTICATE SERVER",
    "CONNECT ANY DATABASE", "CONNECT SQL", "CONTROL SERVER", "CREATE ANY DATABASE", "CREATE ENDPOINT", "SELECT ALL USER SECURABLES", "SHUTDOWN",
    "VIEW ANY DATABASE", "VIEW ANY DEFINITION", "VIEW SERVER STATE",
))  # fmt: skip


def is_server_permission(name: str) -> bool:
    return name in _SERVER_PERMISSIONS


def server_permission(batch: Batch, statement: ir.Permission) -> None:
    """GRANT, DENY, REVOKE on the server or on an endpoint. Raises 4613, 15151."""
    if not batch.session.login.may("CONTROL SERVER"):
        raise SqlError(4613, "Grantor does not have GRANT permission.")
    prefix = f"{statement.securable_class}:{statement.securable[-1]} ".lower() if statement.securable else ""
    if (
        statement.securable_class == "endpoint"
        and statement.securable[-1].lower() not in batch.instance.certificates.endpoints
    ):
        raise SqlError(
            15151,
            f"Cannot find the endpoint '{statement.securable[-1]}', because it does not exist or you do not have "
            "permission.",
        )
    for principal in statement.principals:
        login = batch.instance.logins.get(principal)
        if login is None:
            raise SqlError(
                15151, f"Cannot find the login '{principal}', because it does not exist or you do not have permission."
            )
        for permission in statement.permissions:
            key = prefix + permission
            login.granted = [known for known in login.granted if known != key] + (
                [key] if statement.verb == "grant" else []
            )
            login.denied = [known for known in login.denied if known != key] + (
                [key] if statement.verb == "deny" else []
            )
        batch.instance.logins.save(login)
