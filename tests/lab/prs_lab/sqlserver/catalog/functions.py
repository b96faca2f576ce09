"""Scalar functions that look at the session, the server or its databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import SqlError, Unmodelled
from ..query.functions import function
from ..query.values import to_storage
from ..security import SERVER_ROLES, hash_password, password_matches
from ..types import SqlType
from .properties import database_property, server_property

if TYPE_CHECKING:
    from ..session import Session

__all__: list[str] = []

_VARIANT, _NAME, _INT = SqlType("sql_variant"), SqlType("nvarchar", 128), SqlType("int")


# ---- time
function("GETDATE CURRENT_TIMESTAMP", "datetime", 0, session=True)(
    lambda session: to_storage(_ticks(session.instance.now()))
)
function("GETUTCDATE", "datetime", 0, session=True)(
    lambda session: to_storage(_ticks(session.instance.utc_now().replace(tzinfo=None)))
)
function("SYSDATETIME", "datetime2(7)", 0, session=True)(lambda session: to_storage(session.instance.now()))
function("SYSUTCDATETIME", "datetime2(7)", 0, session=True)(
    lambda session: to_storage(session.instance.utc_now().replace(tzinfo=None))
)


@function("SYSDATETIMEOFFSET", "datetimeoffset(7)", 0, session=True)
def _sysdatetimeoffset(session: Session) -> str:
    from ..query.engine import zone

    where = session.instance.host.time_zone
    return to_storage(session.instance.utc_now().astimezone(zone(where) if isinstance(where, str) else where))


def _ticks(moment: Any) -> Any:
    """A datetime knows 1/300 of a second."""
    return moment.replace(microsecond=round(round(moment.microsecond * 3 / 10000) * 10 / 3) * 1000 % 1_000_000)


# ---- server and databases
function("SERVERPROPERTY", _VARIANT, 1, session=True)(
    lambda session, name: server_property(session.instance, str(name or ""))
)


@function("DATABASEPROPERTYEX", _VARIANT, 2, session=True)
def _databasepropertyex(session: Session, name: Any, prop: Any) -> Any:
    database = session.instance.databases.get(str(name))
    return None if database is None else database_property(session.instance, database, str(prop))


@function("CONNECTIONPROPERTY", _VARIANT, 1, session=True)
def _connectionproperty(session: Session, name: str) -> Any:
    return {
        "net_transport": "TCP", "protocol_type": "TSQL", "auth_scheme": "SQL", "local_net_address": session.instance.host.address,
        "local_tcp_port": session.instance.port, "client_net_address": session.client, "physical_net_transport": "TCP",
    }.get(name.lower())  # fmt: skip


@function("DB_ID", SqlType("smallint"), 0, 1, session=True)
def _db_id(session: Session, *name: Any) -> Any:
    database = session.instance.databases.get(str(name[0]) if name else session.database)
    return database.database_id if database is not None else None


@function("DB_NAME", _NAME, 0, 1, session=True)
def _db_name(session: Session, *number: Any) -> Any:
    if not number:
        return session.database
    database = session.instance.databases.by_id(number[0])
    return database.name if database is not None else None


@function("CERT_ID", _INT, 1, session=True)
def _cert_id(session: Session, name: Any) -> Any:
    """Of the current database; only master has certificates."""
    found = session.instance.certificates.get(str(name)) if session.database == "master" else None
    return found.certificate_id if found is not None else None


@function("CERTENCODED", SqlType("varbinary", -1), 1, session=True)
def _certencoded(session: Session, number: Any) -> Any:
    """The public part of a certificate, DER."""
    return next(
        (
            one.der
            for one in session.instance.certificates
            if one.certificate_id == number and session.database == "master"
        ),
        None,
    )


@function("ORIGINAL_DB_NAME", _NAME, 0, session=True)
def _original_db_name(session: Session) -> str:
    return session.first_database


@function("HAS_DBACCESS", _INT, 1, session=True)
def _has_dbaccess(session: Session, name: Any) -> Any:
    database = session.instance.databases.get(str(name))
    if database is None:
        return None
    try:
        session.instance.check_entry(database, session.login, session=session)
    except SqlError:
        return 0
    return 1


@function("OBJECT_ID", _INT, 1, 2, session=True)
def _object_id(session: Session, name: Any, kind: Any = None) -> Any:
    from ..parse.stream import TokenStream

    if name is None:
        return None
    try:
        parts = TokenStream(str(name)).dotted_name()
        if parts[-1].startswith("#"):
            session.workspace.resolve(parts[-1:])
            return -abs(hash(parts[-1].lower())) % 2**31
        if kind is not None and str(kind).strip().upper() not in ("U", ""):
            return None
        database = session.instance.databases.get(parts[-3] if len(parts) > 2 and parts[-3] else session.database)
        schema = parts[-2] if len(parts) > 1 and parts[-2] else "dbo"
        document = (
            session.workspace.metadata(database).get("table", f"{schema}.{parts[-1]}") if database is not None else None
        )
    except SqlError:
        return None
    return document["object_id"] if document else None


def _table_by_id(session: Session, number: Any) -> dict[str, Any] | None:
    database = session.instance.databases.get(session.database)
    return next(
        (table for table in session.workspace.metadata(database).all("table") if table["object_id"] == number), None
    )


@function("OBJECT_NAME", _NAME, 1, 2, session=True)
def _object_name(session: Session, number: Any, database: Any = None) -> Any:
    found = _table_by_id(session, number)
    return found["name"] if found else None


@function("OBJECT_SCHEMA_NAME", _NAME, 1, session=True)
def _object_schema_name(session: Session, number: Any) -> Any:
    found = _table_by_id(session, number)
    return found["schema"] if found else None


@function("SCHEMA_NAME", _NAME, 0, 1, session=True)
def _schema_name(session: Session, *number: Any) -> Any:
    if not number:
        return "dbo"
    documents = session.workspace.metadata(session.instance.databases.get(session.database)).all("schema")
    return next((schema["name"] for schema in documents if schema["schema_id"] == number[0]), None)


@function("SCHEMA_ID", _INT, 0, 1, session=True)
def _schema_id(session: Session, *name: Any) -> Any:
    document = session.workspace.metadata(session.instance.databases.get(session.database)).get(
        "schema", str(name[0]) if name else "dbo"
    )
    return document["schema_id"] if document else None


@function("FILEPROPERTY", _INT, 2, session=True)
def _fileproperty(session: Session, name: str, prop: str) -> Any:
    database = session.instance.databases.get(session.database)
    if str(prop).lower() == "spaceused":
        return database.boot.pages if str(name).lower() == database.boot.data_name.lower() else 64
    if str(prop).lower() in ("isreadonly", "islogfile", "isprimaryfile"):
        is_log = str(name).lower() == database.boot.log_name.lower()
        return {"isreadonly": 0, "islogfile": int(is_log), "isprimaryfile": int(not is_log)}[str(prop).lower()]
    return None


# ---- principals
@function("SUSER_SNAME", _NAME, 0, 1, session=True)
def _suser_sname(session: Session, *sid: Any) -> Any:
    if not sid:
        return session.login_name
    login = session.instance.logins.by_sid(sid[0]) if sid[0] is not None else None
    return login.name if login is not None else None


@function("SUSER_SID", SqlType("varbinary", 85), 0, 2, session=True)
def _suser_sid(session: Session, *name: Any) -> Any:
    login = session.instance.logins.get(str(name[0])) if name else session.login
    return login.sid if login is not None else None


@function("SUSER_ID", _INT, 0, 1, session=True)
def _suser_id(session: Session, *name: Any) -> Any:
    login = session.instance.logins.get(str(name[0])) if name else session.login
    return login.principal_id if login is not None else None


function("ORIGINAL_LOGIN SYSTEM_USER", _NAME, 0, session=True)(lambda session: session.login_name)


@function("SUSER_NAME", _NAME, 0, 1, session=True)
def _suser_name(session: Session, *number: Any) -> Any:
    if not number:
        return session.login_name
    return next((login.name for login in session.instance.logins if login.principal_id == number[0]), None)


@function("CURRENT_USER SESSION_USER USER", _NAME, 0, session=True)
def _current_user(session: Session) -> Any:
    return session.workspace.access(session.instance.databases.get(session.database)).user


@function("USER_NAME", _NAME, 0, 1, session=True)
def _user_name(session: Session, *number: Any) -> Any:
    if not number:
        return _current_user(session)
    metadata = session.workspace.metadata(session.instance.databases.get(session.database))
    return next(
        (p["name"] for kind in ("user", "role") for p in metadata.all(kind) if p["principal_id"] == number[0]), None
    )


@function("USER_ID DATABASE_PRINCIPAL_ID", _INT, 0, 1, session=True)
def _user_id(session: Session, *name: Any) -> Any:
    metadata = session.workspace.metadata(session.instance.databases.get(session.database))
    wanted = str(name[0]) if name else str(_current_user(session))
    found = metadata.get("user", wanted) or metadata.get("role", wanted)
    return found["principal_id"] if found else None


@function("IS_SRVROLEMEMBER", _INT, 1, 2, session=True)
def _is_srvrolemember(session: Session, role: Any, name: Any = None) -> Any:
    login = session.login if name is None else session.instance.logins.get(str(name))
    if login is None or str(role).lower() not in SERVER_ROLES:
        return None
    return int(str(role).lower() == "public" or login.is_sysadmin or str(role).lower() in login.roles)


@function("IS_MEMBER IS_ROLEMEMBER", _INT, 1, 2, session=True)
def _is_member(session: Session, role: Any, name: Any = None) -> Any:
    database = session.instance.databases.get(session.database)
    if session.workspace.metadata(database).get("role", str(role)) is None:
        return None
    if name is not None:
        raise Unmodelled("IS_ROLEMEMBER of somebody else")
    access = session.workspace.access(database)
    return int(access.user == "dbo" or str(role).lower() in {known.lower() for known in access.roles})


@function("HAS_PERMS_BY_NAME", _INT, 3, 5, session=True)
def _has_perms_by_name(session: Session, securable: Any, kind: Any, permission: Any, *_: Any) -> Any:
    login, wanted = session.login, str(permission).upper()
    if kind is None:
        return int(login.may("VIEW ANY DATABASE") if wanted == "ANY" else login.may(wanted))
    if str(kind).upper() == "DATABASE":
        database = session.instance.databases.get(str(securable) if securable is not None else session.database)
        if database is None:
            return None
        try:
            access = session.workspace.access(database)
        except SqlError:
            return 0
        return int(access.user is not None) if wanted in ("ANY", "CONNECT") else int(access.may(wanted))
    if str(kind).upper() == "OBJECT":
        relation = session.workspace.resolve(tuple(part.strip("[]") for part in str(securable).split(".")))
        return int(
            relation.database is None
            or session.workspace.access(relation.database).may_on(wanted, relation.schema, relation.name)
        )
    raise Unmodelled(f"HAS_PERMS_BY_NAME for the class {kind}")


@function("PWDCOMPARE", _INT, 2, 3, session=True)
def _pwdcompare(session: Session, password: Any, stored: Any, *_: Any) -> Any:
    return None if password is None or stored is None else int(password_matches(str(password), bytes(stored)))


@function("PWDENCRYPT", SqlType("varbinary", 256), 1, session=True)
def _pwdencrypt(session: Session, password: Any) -> Any:
    version = session.instance.settings.version
    return None if password is None else hash_password(str(password), version=version)


@function("LOGINPROPERTY", _VARIANT, 2, session=True)
def _loginproperty(session: Session, name: Any, prop: Any) -> Any:
    login = session.instance.logins.get(str(name))
    if login is None:
        return None
    return {
        "isexpired": int(login.expired), "islocked": 0, "ismustchange": int(login.must_change), "defaultdatabase": login.default_database,
        "defaultlanguage": login.default_language, "passwordhash": login.password_hash, "badpasswordcount": 0, "passwordhashalgorithm": 2,
        "passwordlastsettime": login.password_set or None, "historylength": 0, "daysuntilexpiration": None,
    }.get(str(prop).lower())  # fmt: skip


# ---- the session and its errors
function("HOST_NAME", _NAME, 0, session=True)(lambda session: session.host_name)
function("APP_NAME", _NAME, 0, session=True)(lambda session: session.application)
function("XACT_STATE", SqlType("smallint"), 0, session=True)(
    lambda session: -1 if session.doomed else int(session.transaction_count > 0)
)
function("SCOPE_IDENTITY @@IDENTITY", "numeric(38,0)", 0, session=True)(lambda session: session.workspace.identity)
function("ROWCOUNT_BIG", "bigint", 0, session=True)(lambda session: session.row_count)
for _word, _type, _read in (
    ("NUMBER", "int", lambda e: e.number), ("SEVERITY", "int", lambda e: e.severity), ("STATE", "int", lambda e: e.state), ("LINE", "int", lambda e: e.line),
    ("MESSAGE", "nvarchar(4000)", lambda e: e.text), ("PROCEDURE", "nvarchar(128)", lambda e: None),
):  # fmt: skip
    function(f"ERROR_{_word}", _type, 0, session=True)(
        lambda session, read=_read: None if session.caught is None else read(session.caught)
    )

# ---- @@ functions
for _word, _type, _value in (
    ("SERVERNAME", "nvarchar(128)", lambda s: s.instance.name), ("SERVICENAME", "nvarchar(128)", lambda s: s.instance.instance_name.upper()),
    ("SPID", "smallint", lambda s: s.spid), ("TRANCOUNT", "int", lambda s: s.transaction_count), ("ROWCOUNT", "int", lambda s: s.row_count),
    ("ERROR", "int", lambda s: s.error_number), ("LANGUAGE", "nvarchar(128)", lambda s: s.language), ("LOCK_TIMEOUT", "int", lambda s: s.lock_timeout),
    ("VERSION", "nvarchar(300)", lambda s: server_property(s.instance, "@@version")), ("OPTIONS", "int", lambda s: 5496 | (512 if s.nocount else 0)),
    ("MICROSOFTVERSION", "int", lambda s: s.instance.version[0] << 24 | s.instance.version[2]), ("MAX_PRECISION", "tinyint", lambda s: 38),
    ("DATEFIRST", "tinyint", lambda s: 7), ("NESTLEVEL", "int", lambda s: 0), ("PROCID", "int", lambda s: 0), ("MAX_CONNECTIONS", "int", lambda s: 32767),
    ("TEXTSIZE", "int", lambda s: 2147483647), ("FETCH_STATUS", "int", lambda s: 0), ("DBTS", "varbinary(8)", lambda s: b"\0" * 8),
):  # fmt: skip
    function(f"@@{_word}", _type, 0, session=True)(lambda session, value=_value: value(session))
