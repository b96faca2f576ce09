"""Principals, their memberships and permissions, certificates and keys."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ..query.dates import parse_time
from ..security import SERVER_ROLES, Login
from ..storage.database import Database
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []

_TYPES = {
    "S": "SQL_LOGIN",
    "U": "WINDOWS_LOGIN",
    "G": "WINDOWS_GROUP",
    "C": "CERTIFICATE_MAPPED_LOGIN",
    "R": "SERVER_ROLE",
}
_USER_TYPES = {
    "S": "SQL_USER",
    "U": "WINDOWS_USER",
    "G": "WINDOWS_GROUP",
    "C": "CERTIFICATE_MAPPED_USER",
    "R": "DATABASE_ROLE",
}
_PRINCIPALS = """name sysname, principal_id int, sid varbinary(85), type char(1), type_desc nvarchar(60), is_disabled bit, create_date datetime,
    modify_date datetime, default_database_name sysname, default_language_name sysname, credential_id int"""
_STATES = {"grant": ("G", "GRANT"), "deny": ("D", "DENY")}
_CODES = {
    "SELECT": "SL",
    "INSERT": "IN",
    "UPDATE": "UP",
    "DELETE": "DL",
    "EXECUTE": "EX",
    "CONNECT": "CO",
    "CONNECT SQL": "COSQ",
    "CONTROL SERVER": "CL",
    "VIEW SERVER STATE": "VWSS",
    "VIEW ANY DATABASE": "VWDB",
    "VIEW ANY DEFINITION": "VWAD",
    "CREATE ANY DATABASE": "CRDB",
    "ALTER ANY LOGIN": "ALLG",
}


def _visible_logins(workspace: Workspace) -> list[Login]:
    """All with VIEW ANY DEFINITION or ALTER ANY LOGIN, else oneself and sa."""
    me = workspace.session.login
    if me.may("VIEW ANY DEFINITION") or me.may("ALTER ANY LOGIN"):
        return list(workspace.instance.logins)
    return [login for login in workspace.instance.logins if login.sid in (me.sid, b"\x01")]


def _time(text: str) -> Any:
    return parse_time(text) if text else None


def _login_row(login: Login) -> dict[str, Any]:
    return {
        "name": login.name, "principal_id": login.principal_id, "sid": login.sid, "type": login.type, "type_desc": _TYPES[login.type],
        "is_disabled": int(login.disabled), "create_date": _time(login.created), "modify_date": _time(login.modified),
        "default_database_name": login.default_database, "default_language_name": login.default_language, "is_fixed_role": 0,
    }  # fmt: skip


@catalog_view("sys.server_principals", _PRINCIPALS + ", owning_principal_id int, is_fixed_role bit")
def _server_principals(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    roles = [
        {"name": name, "principal_id": number, "sid": bytes([number]), "type": "R", "type_desc": "SERVER_ROLE", "is_disabled": 0,
         "create_date": parse_time("2009-04-13T12:59:06.030"), "modify_date": parse_time("2009-04-13T12:59:06.030"), "owning_principal_id": 1,
         "is_fixed_role": int(name != "public")}
        for name, number in SERVER_ROLES.items()
    ]  # fmt: skip
    return [_login_row(login) for login in _visible_logins(workspace)] + roles


@catalog_view(
    "sys.sql_logins", _PRINCIPALS + ", is_policy_checked bit, is_expiration_checked bit, password_hash varbinary(256)"
)
def _sql_logins(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    shows_hashes = workspace.session.login.may("CONTROL SERVER")
    return [
        {**_login_row(login), "is_policy_checked": int(login.check_policy), "is_expiration_checked": int(login.check_expiration),
         "password_hash": login.password_hash if shows_hashes else None}
        for login in _visible_logins(workspace) if login.type == "S"
    ]  # fmt: skip


@catalog_view(
    "sys.syslogins",
    "sid varbinary(85), status smallint, createdate datetime, name sysname, dbname sysname, language sysname, "
    "hasaccess int, isntname int, "
    "sysadmin int, loginname sysname",
)
def _syslogins(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"sid": login.sid, "status": 9, "createdate": _time(login.created), "name": login.name, "dbname": login.default_database,
         "language": login.default_language, "hasaccess": int(not login.disabled), "isntname": int(login.type in "UG"), "sysadmin": int(login.is_sysadmin),
         "loginname": login.name}
        for login in _visible_logins(workspace)
    ]  # fmt: skip


@catalog_view("sys.server_role_members", "role_principal_id int, member_principal_id int")
def _server_role_members(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"role_principal_id": SERVER_ROLES[role], "member_principal_id": login.principal_id}
        for login in _visible_logins(workspace)
        for role in login.roles
    ]


@catalog_view(
    "sys.server_permissions",
    """class tinyint, class_desc nvarchar(60), major_id int, minor_id int, grantee_principal_id int, grantor_principal_id int, type char(4),
    permission_name nvarchar(128), state char(1), state_desc nvarchar(60)""",
)
def _server_permissions(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    rows = [_server_permission(2, "VIEW ANY DATABASE", "grant")]
    for login in _visible_logins(workspace):
        rows.append(_server_permission(login.principal_id, "CONNECT SQL", "grant"))
        for state, names in (("grant", login.granted), ("deny", login.denied)):
            for name in names:
                if name.startswith("endpoint:"):
                    found = workspace.instance.certificates.endpoints.get(name.split(":")[1].rsplit(" ", 1)[0])
                    rows.append(
                        {
                            **_server_permission(login.principal_id, name.rsplit(" ", 1)[1], state),
                            "class": 105,
                            "class_desc": "ENDPOINT",
                            "major_id": found["endpoint_id"] if found else 0,
                        }
                    )
                else:
                    rows.append(_server_permission(login.principal_id, name, state))
    return rows


def _server_permission(grantee: int, name: str, state: str) -> dict[str, Any]:
    return {"class": 100, "class_desc": "SERVER", "major_id": 0, "minor_id": 0, "grantee_principal_id": grantee, "grantor_principal_id": 1,
            "type": _CODES.get(name, name[:4]), "permission_name": name, "state": _STATES[state][0], "state_desc": _STATES[state][1]}  # fmt: skip


@catalog_view(
    "sys.database_principals",
    """name sysname, principal_id int, type char(1), type_desc nvarchar(60), default_schema_name sysname, create_date datetime,
    modify_date datetime, owning_principal_id int, sid varbinary(85), is_fixed_role bit, authentication_type int,
    authentication_type_desc nvarchar(60), default_language_name sysname, default_language_lcid int, allow_encrypted_value_modifications bit""",
)
def _database_principals(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    workspace.access(database)
    metadata, rows = workspace.metadata(database), []
    for user in metadata.all("user"):
        kind = (
            0
            if user["sid"] is None or user.get("without_login") or user["name"] == "guest"
            else 3
            if user["type"] in "UG"
            else 1
        )
        rows.append({
            "name": user["name"], "principal_id": user["principal_id"], "type": user["type"], "type_desc": _USER_TYPES[user["type"]],
            "default_schema_name": user["default_schema"], "create_date": _time(user["created"]), "modify_date": _time(user["created"]), "sid": user["sid"],
            "is_fixed_role": 0, "authentication_type": kind, "authentication_type_desc": {0: "NONE", 1: "INSTANCE", 3: "WINDOWS"}[kind],
            "allow_encrypted_value_modifications": 0,
        })  # fmt: skip
    for role in metadata.all("role"):
        rows.append({
            "name": role["name"], "principal_id": role["principal_id"], "type": "R", "type_desc": "DATABASE_ROLE", "create_date": _time(role["created"]),
            "modify_date": _time(role["created"]), "owning_principal_id": 1, "sid": b"\x01\x05" + role["principal_id"].to_bytes(4, "little"),
            "is_fixed_role": int(bool(role.get("fixed"))), "authentication_type": 0, "authentication_type_desc": "NONE",
            "allow_encrypted_value_modifications": 0,
        })  # fmt: skip
    return rows


def _numbers(workspace: Workspace, database: Database) -> dict[str, int]:
    metadata = workspace.metadata(database)
    return {
        principal["name"].lower(): principal["principal_id"]
        for kind in ("user", "role")
        for principal in metadata.all(kind)
    }


@catalog_view("sys.database_role_members", "role_principal_id int, member_principal_id int")
def _database_role_members(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    workspace.access(database)
    numbers = _numbers(workspace, database)
    return [
        {"role_principal_id": role["principal_id"], "member_principal_id": numbers[member.lower()]}
        for role in workspace.metadata(database).all("role") for member in role["members"] if member.lower() in numbers
    ]  # fmt: skip


@catalog_view(
    "sys.database_permissions",
    """class tinyint, class_desc nvarchar(60), major_id int, minor_id int, grantee_principal_id int, grantor_principal_id int, type char(4),
    permission_name nvarchar(128), state char(1), state_desc nvarchar(60)""",
)
def _database_permissions(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    workspace.access(database)
    numbers, rows = _numbers(workspace, database), []
    for user in workspace.metadata(database).all("user"):
        if not user.get("fixed") or user["name"] == "dbo":
            rows.append(_database_permission(0, "DATABASE", 0, user["principal_id"], "CONNECT", "grant"))
    for permission in workspace.metadata(database).all("permission"):
        kind, _, name = permission["securable"].partition(":")
        number, text = {"": (0, "DATABASE"), "object": (1, "OBJECT_OR_COLUMN"), "schema": (3, "SCHEMA")}[kind]
        table = workspace.metadata(database).get("table", name) if kind == "object" else None
        rows.append(
            _database_permission(
                number,
                text,
                table["object_id"] if table else 0,
                numbers.get(permission["principal"].lower(), 0),
                permission["permission"],
                permission["state"],
            )
        )
    return rows


def _database_permission(kind: int, text: str, major: int, grantee: int, name: str, state: str) -> dict[str, Any]:
    return {"class": kind, "class_desc": text, "major_id": major, "minor_id": 0, "grantee_principal_id": grantee, "grantor_principal_id": 1,
            "type": _CODES.get(name, name[:4]), "permission_name": name, "state": _STATES[state][0], "state_desc": _STATES[state][1]}  # fmt: skip


@catalog_view("sys.schemas", "name sysname, schema_id int, principal_id int")
def _schemas(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    workspace.access(database)
    numbers = _numbers(workspace, database)
    return [
        {
            "name": schema["name"],
            "schema_id": schema["schema_id"],
            "principal_id": numbers.get(schema["owner"].lower(), 1),
        }
        for schema in workspace.metadata(database).all("schema")
    ]


# ---- certificates and keys


@catalog_view(
    "sys.certificates",
    """name sysname, certificate_id int, principal_id int, pvt_key_encryption_type char(2), pvt_key_encryption_type_desc nvarchar(60),
    is_active_for_begin_dialog bit, issuer_name nvarchar(442), cert_serial_number nvarchar(64), sid varbinary(85), string_sid nvarchar(128),
    subject nvarchar(4000), expiry_date datetime, start_date datetime, thumbprint varbinary(32), attested_by nvarchar(260),
    pvt_key_last_backup_date datetime, key_length int""",
)
def _certificates(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    if database.name != "master":
        return []
    rows, owners = [], _numbers(workspace, database)
    for certificate in workspace.instance.certificates:
        found = certificate.certificate
        kind = "NA" if certificate.key is None else "PW" if certificate.by_password is not None else "MK"
        rows.append({
            "name": certificate.name, "certificate_id": certificate.certificate_id,
            "principal_id": owners.get(certificate.owner.lower(), 1), "pvt_key_encryption_type": kind,
            "pvt_key_encryption_type_desc": {"NA": "NO_PRIVATE_KEY", "PW": "ENCRYPTED_BY_PASSWORD", "MK": "ENCRYPTED_BY_MASTER_KEY"}[kind],
            "is_active_for_begin_dialog": 1, "issuer_name": _common_name(found.issuer), "cert_serial_number": f"{found.serial_number:x}",
            "subject": _common_name(found.subject), "expiry_date": found.not_valid_after_utc.replace(tzinfo=None),
            "start_date": found.not_valid_before_utc.replace(tzinfo=None), "thumbprint": certificate.thumbprint, "key_length": 2048,
            "pvt_key_last_backup_date": dt.datetime.fromisoformat(certificate.key_backed_up) if certificate.key_backed_up else None,
        })  # fmt: skip
    return rows


def _common_name(name: Any) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


@catalog_view(
    "sys.symmetric_keys",
    "name sysname, principal_id int, symmetric_key_id int, key_length int, key_algorithm char(2), algorithm_desc "
    "nvarchar(60)",
)
def _symmetric_keys(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    keys = [("##MS_ServiceMasterKey##", 102)] if database.name == "master" else []
    if database.name == "master" and workspace.instance.certificates.has_master_key:
        keys.append(("##MS_DatabaseMasterKey##", 101))
    return [
        {
            "name": name,
            "principal_id": 1,
            "symmetric_key_id": number,
            "key_length": 256,
            "key_algorithm": "A3",
            "algorithm_desc": "AES_256",
        }
        for name, number in keys
    ]
