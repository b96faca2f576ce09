"""Database users, roles, schemas, permissions, ownership; DROP of everything but databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..catalog.store import Metadata
from ..errors import SqlError, Unmodelled
from ..parse import ir_objects as ir
from ..storage.database import Database
from ..wire.items import Done, Item
from .batch import Batch
from .principals import alter_server_role, drop_login, is_server_permission, server_permission
from .registry import executes, procedure
from .tables import drop_objects

__all__: list[str] = []


def _here(batch: Batch) -> Database:
    return batch.instance.databases.get(batch.session.database)


def _now(batch: Batch) -> str:
    return batch.instance.now().isoformat(" ", "milliseconds")


def _require(batch: Batch, permission: str, number: int, text: str) -> None:
    if not batch.workspace.access(_here(batch)).may(permission):
        raise SqlError(number, text)


def _missing(verb: str, kind: str, name: str) -> SqlError:
    return SqlError(
        15151, f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    )


def _principal(metadata: Metadata, name: str) -> tuple[str, dict[str, Any]] | None:
    """("user" or "role", document) of a database principal."""
    for kind in ("user", "role"):
        if (document := metadata.get(kind, name)) is not None:
            return kind, document
    return None


@executes(ir.CreateUser)
def _create_user(batch: Batch, statement: ir.CreateUser) -> Iterator[Item]:
    _require(batch, "ALTER ANY USER", 15247, "User does not have permission to perform this action.")
    kind, sid, login_name = "S", None, statement.login or statement.name
    if statement.without_login:
        sid = bytes.fromhex("0105000000000009030000") + os.urandom(17)
    elif statement.certificate:
        raise Unmodelled("CREATE USER FOR CERTIFICATE")
    else:
        login = batch.instance.logins.get(login_name)
        if login is None:
            raise SqlError(15007, f"'{login_name}' is not a valid login or you do not have permission.")
        if login.sid == b"\x01":
            raise SqlError(15405, "Cannot use the special principal 'sa'.")
        kind, sid = login.type, login.sid
    with batch.workspace.writing(_here(batch)) as metadata:
        if _principal(metadata, statement.name):
            raise SqlError(15023, f"User, group, or role '{statement.name}' already exists in the current database.")
        if any(user.get("sid") == sid for user in metadata.all("user")):
            raise SqlError(15063, "The login already has an account under a different user name.")
        metadata.put("user", statement.name, {
            "name": statement.name, "principal_id": metadata.next_number("principal", 5), "sid": sid, "type": kind,
            "default_schema": statement.default_schema or "dbo", "created": _now(batch), "without_login": statement.without_login,
        })  # fmt: skip
    yield Done()


@executes(ir.AlterUser)
def _alter_user(batch: Batch, statement: ir.AlterUser) -> Iterator[Item]:
    with batch.workspace.writing(_here(batch)) as metadata:
        user = metadata.get("user", statement.name)
        if user is None or not batch.workspace.access(_here(batch)).may("ALTER ANY USER"):
            raise _missing("alter", "user", statement.name)
        if user.get("fixed"):
            raise SqlError(15150, f"Cannot alter the user '{user['name']}'.")
        if statement.login is not None:
            login = batch.instance.logins.get(statement.login)
            if login is None:
                raise _missing("find", "login", statement.login)
            if user.get("without_login") or login.type != user["type"]:
                raise SqlError(
                    33016,
                    "The user cannot be remapped to a login. Remapping can only be done for users that were mapped "
                    "to Windows or SQL logins.",
                )
            if any(other.get("sid") == login.sid and other["name"] != user["name"] for other in metadata.all("user")):
                raise SqlError(15063, "The login already has an account under a different user name.")
            user["sid"] = login.sid
        if statement.default_schema is not None:
            user["default_schema"] = statement.default_schema
        if statement.new_name is not None:
            if _principal(metadata, statement.new_name):
                raise SqlError(
                    15023, f"User, group, or role '{statement.new_name}' already exists in the current database."
                )
            metadata.delete("user", user["name"])
            for role in metadata.all("role"):
                if user["name"] in role["members"]:
                    role["members"] = [
                        statement.new_name if member == user["name"] else member for member in role["members"]
                    ]
                    metadata.put("role", role["name"], role)
            user["name"] = statement.new_name
        metadata.put("user", user["name"], user)
    yield Done()


@executes(ir.CreateRole)
def _create_role(batch: Batch, statement: ir.CreateRole) -> Iterator[Item]:
    if statement.server:
        raise Unmodelled("CREATE SERVER ROLE")
    _require(batch, "ALTER ANY ROLE", 15247, "User does not have permission to perform this action.")
    with batch.workspace.writing(_here(batch)) as metadata:
        if _principal(metadata, statement.name):
            raise SqlError(15023, f"User, group, or role '{statement.name}' already exists in the current database.")
        metadata.put(
            "role",
            statement.name,
            {
                "name": statement.name,
                "principal_id": metadata.next_number("principal", 5),
                "owner": statement.owner or "dbo",
                "members": [],
                "created": _now(batch),
            },
        )
    yield Done()


@executes(ir.AlterRole)
def _alter_role(batch: Batch, statement: ir.AlterRole) -> Iterator[Item]:
    if statement.server:
        alter_server_role(batch, statement)
    else:
        _change_members(batch, statement.name, statement.action, statement.member)
    yield Done()


def _change_members(batch: Batch, name: str, action: str, member: str) -> None:
    with batch.workspace.writing(_here(batch)) as metadata:
        role = metadata.get("role", name)
        access = batch.workspace.access(_here(batch))
        if (
            role is None
            or role["name"] == "public"
            or not (access.is_db_owner or (access.may("ALTER ANY ROLE") and not role.get("fixed")))
        ):
            raise _missing("alter", "role", name)
        if action == "name":
            raise Unmodelled("ALTER ROLE WITH NAME")
        found = _principal(metadata, member)
        if found is None:
            raise SqlError(
                15151,
                f"Cannot {action} the principal '{member}', because it does not exist or you do not have permission.",
            )
        real = found[1]["name"]
        if real == "dbo":
            raise SqlError(15405, "Cannot use the special principal 'dbo'.")
        role["members"] = [known for known in role["members"] if known != real] + ([real] if action == "add" else [])
        metadata.put("role", role["name"], role)


@procedure("sp_addrolemember")
def _add_role_member(batch: Batch, arguments: Any) -> Iterator[Item]:
    role, member = arguments.take("rolename", "membername")
    _change_members(batch, role, "add", member)
    yield Done()


@procedure("sp_droprolemember")
def _drop_role_member(batch: Batch, arguments: Any) -> Iterator[Item]:
    role, member = arguments.take("rolename", "membername")
    _change_members(batch, role, "drop", member)
    yield Done()


@executes(ir.CreateSchema)
def _create_schema(batch: Batch, statement: ir.CreateSchema) -> Iterator[Item]:
    _require(batch, "CREATE SCHEMA", 2759, "CREATE SCHEMA failed due to previous errors.")
    with batch.workspace.writing(_here(batch)) as metadata:
        if metadata.get("schema", statement.name):
            raise SqlError(2714, f"There is already an object named '{statement.name}' in the database.", state=6)
        metadata.put(
            "schema",
            statement.name,
            {"name": statement.name, "schema_id": metadata.next_number("schema", 5), "owner": statement.owner or "dbo"},
        )
    yield Done()


@executes(ir.Permission)
def _permission(batch: Batch, statement: ir.Permission) -> Iterator[Item]:
    if statement.securable_class in ("endpoint", "server", "login") or (
        not statement.securable and all(map(is_server_permission, statement.permissions))
    ):
        server_permission(batch, statement)
        yield Done()
        return
    database = _here(batch)
    with batch.workspace.writing(database) as metadata:
        if not batch.workspace.access(database).is_db_owner:
            raise SqlError(4613, "Grantor does not have GRANT permission.")
        securable = ""
        if statement.securable_class == "schema":
            if metadata.get("schema", statement.securable[-1]) is None:
                raise _missing("find", "schema", statement.securable[-1])
            securable = f"schema:{statement.securable[-1]}"
        elif statement.securable_class in ("", "object") and statement.securable:
            schema = statement.securable[-2] if len(statement.securable) > 1 and statement.securable[-2] else "dbo"
            if metadata.get("table", f"{schema}.{statement.securable[-1]}") is None:
                raise _missing("find", "object", statement.securable[-1])
            securable = f"object:{schema}.{statement.securable[-1]}"
        elif statement.securable_class not in ("", "database"):
            raise Unmodelled(f"permissions on the class {statement.securable_class}")
        for name in statement.principals:
            found = _principal(metadata, name)
            if found is None:
                raise _missing("find", "user", name)
            for permission in statement.permissions:
                key = f"{securable}|{permission}|{found[1]['name']}".lower()
                if statement.verb == "revoke":
                    metadata.delete("permission", key)
                else:
                    metadata.put(
                        "permission",
                        key,
                        {
                            "securable": securable,
                            "permission": permission,
                            "principal": found[1]["name"],
                            "state": statement.verb,
                        },
                    )
    yield Done()


@executes(ir.AlterAuthorization)
def _alter_authorization(batch: Batch, statement: ir.AlterAuthorization) -> Iterator[Item]:
    instance = batch.instance
    if statement.securable_class == "database":
        database = instance.databases.get(statement.name[-1])
        login = instance.logins.get(statement.owner or "")
        me = batch.session.login
        if database is None or not (me.is_sysadmin or instance.owner_sid(database) == me.sid):
            raise _missing("find", "database", statement.name[-1])
        if login is None:
            raise SqlError(
                15151,
                f"Cannot find the principal '{statement.owner}', because it does not exist or you do not have "
                "permission.",
            )
        database.check_open()
        with batch.workspace.writing(database) as metadata:
            if any(user.get("sid") == login.sid and user["name"] != "dbo" for user in metadata.all("user")):
                raise SqlError(15110, "The proposed new database owner is already a user or aliased in the database.")
            dbo = metadata.get("user", "dbo")
            dbo["sid"] = login.sid
            metadata.put("user", "dbo", dbo)
        instance.databases.update(database, owner_sid=login.sid)
    elif statement.securable_class == "certificate":
        from .keys import give_certificate

        give_certificate(batch, statement.name[-1], statement.owner or "dbo")
    elif statement.securable_class == "schema":
        with batch.workspace.writing(_here(batch)) as metadata:
            schema = metadata.get("schema", statement.name[-1])
            if schema is None or not batch.workspace.access(_here(batch)).is_db_owner:
                raise _missing("find", "schema", statement.name[-1])
            found = _principal(metadata, statement.owner or "dbo")
            if found is None:
                raise SqlError(
                    15151,
                    f"Cannot find the principal '{statement.owner}', because it does not exist or you do not have "
                    "permission.",
                )
            schema["owner"] = found[1]["name"]
            metadata.put("schema", schema["name"], schema)
    else:
        raise Unmodelled(f"ALTER AUTHORIZATION ON {statement.securable_class.upper()}")
    yield Done()


@executes(ir.DropObject)
def _drop(batch: Batch, statement: ir.DropObject) -> Iterator[Item]:
    if statement.kind in ("table", "index"):
        drop_objects(batch, statement)
    elif statement.kind == "login":
        drop_login(batch, statement.names[0][-1])
    elif statement.kind == "user":
        _drop_user(batch, statement)
    elif statement.kind in ("role", "schema"):
        _drop_named(batch, statement)
    elif statement.kind in ("certificate", "endpoint", "master key"):
        from .keys import drop_key

        drop_key(batch, statement)
    elif statement.if_exists:
        pass  # modules cannot be made here, so there is none of that name
    else:
        raise Unmodelled(f"DROP {statement.kind.upper()}")
    yield Done()


def _drop_user(batch: Batch, statement: ir.DropObject) -> None:
    name = statement.names[0][-1]
    with batch.workspace.writing(_here(batch)) as metadata:
        user = metadata.get("user", name)
        if user is None and statement.if_exists:
            return
        if user is None or not batch.workspace.access(_here(batch)).may("ALTER ANY USER"):
            raise _missing("drop", "user", name)
        if user.get("fixed"):
            raise SqlError(15150, f"Cannot drop the user '{user['name']}'.")
        if any(schema["owner"].lower() == user["name"].lower() for schema in metadata.all("schema")):
            raise SqlError(15138, "The database principal owns a schema in the database, and cannot be dropped.")
        metadata.delete("user", user["name"])
        for role in metadata.all("role"):
            if user["name"] in role["members"]:
                role["members"].remove(user["name"])
                metadata.put("role", role["name"], role)
        for permission in list(metadata.all("permission")):
            if permission["principal"] == user["name"]:
                metadata.delete(
                    "permission",
                    f"{permission['securable']}|{permission['permission']}|{permission['principal']}".lower(),
                )


def _drop_named(batch: Batch, statement: ir.DropObject) -> None:
    kind, name = statement.kind, statement.names[0][-1]
    with batch.workspace.writing(_here(batch)) as metadata:
        found = metadata.get(kind, name)
        if found is None and statement.if_exists:
            return
        if found is None or not batch.workspace.access(_here(batch)).is_db_owner:
            raise _missing("drop", kind, name)
        if found.get("fixed") or found["name"] in ("dbo", "public"):
            raise SqlError(15150, f"Cannot drop the {kind} '{found['name']}'.")
        if found.get("members"):
            raise SqlError(15144, "The role has members. It must be empty before it can be dropped.")
        if kind == "schema" and any(table["schema"] == found["name"] for table in metadata.all("table")):
            raise SqlError(3729, f"Cannot drop schema '{found['name']}' because it is being referenced by an object.")
        metadata.delete(kind, found["name"])
