"""Who is connected and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..storage.database import Database
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace
    from ..session import Session

__all__: list[str] = []


def _shown(workspace: Workspace) -> list[Session]:
    """All sessions with VIEW SERVER STATE, else one's own login's."""
    me = workspace.session
    everything = me.login.may("VIEW SERVER STATE")
    return [session for session in workspace.instance.sessions() if everything or session.login_sid == me.login_sid]


def _database_id(workspace: Workspace, session: Session) -> int:
    database = workspace.instance.databases.get(session.database)
    return database.database_id if database is not None else 1


@catalog_view(
    "sys.dm_exec_sessions",
    """session_id smallint, login_time datetime, host_name nvarchar(128), program_name nvarchar(128), host_process_id int, client_version int,
    client_interface_name nvarchar(32), security_id varbinary(85), login_name nvarchar(128), nt_domain nvarchar(128), nt_user_name nvarchar(128),
    status nvarchar(30), context_info varbinary(128), cpu_time int, memory_usage int, total_scheduled_time int, total_elapsed_time int,
    endpoint_id int, last_request_start_time datetime, last_request_end_time datetime, reads bigint, writes bigint, logical_reads bigint,
    is_user_process bit, text_size int, language nvarchar(128), date_format nvarchar(3), date_first smallint, quoted_identifier bit, arithabort bit,
    ansi_null_dflt_on bit, ansi_defaults bit, ansi_warnings bit, ansi_padding bit, ansi_nulls bit, concat_null_yields_null bit,
    transaction_isolation_level smallint, lock_timeout int, deadlock_priority int, row_count bigint, prev_error int,
    original_security_id varbinary(85), original_login_name nvarchar(128), last_successful_logon datetime, last_unsuccessful_logon datetime,
    unsuccessful_logons bigint, group_id int, database_id smallint, authenticating_database_id int, open_transaction_count int""",
)
def _sessions(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"session_id": session.spid, "login_time": session.login_time, "host_name": session.host_name, "program_name": session.application,
         "host_process_id": session.process_id, "client_version": 7, "client_interface_name": session.library, "security_id": session.login_sid,
         "login_name": session.login_name, "nt_domain": "", "nt_user_name": "", "status": "running" if session.progress.command else "sleeping",
         "cpu_time": 0, "memory_usage": 4, "total_scheduled_time": 0, "total_elapsed_time": 0, "endpoint_id": 4,
         "last_request_start_time": session.last_request, "last_request_end_time": session.last_request, "reads": 0, "writes": 0, "logical_reads": 0,
         "is_user_process": 1, "text_size": 2147483647, "language": session.language, "date_format": "dmy" if session.dayfirst else "mdy", "date_first": 7,
         "quoted_identifier": 1, "arithabort": 0, "ansi_null_dflt_on": 1, "ansi_defaults": 0, "ansi_warnings": 1, "ansi_padding": 1, "ansi_nulls": 1,
         "concat_null_yields_null": 1, "transaction_isolation_level": 2, "lock_timeout": session.lock_timeout, "deadlock_priority": 0,
         "row_count": session.row_count, "prev_error": session.error_number, "original_security_id": session.login_sid,
         "original_login_name": session.login_name, "group_id": 2, "database_id": _database_id(workspace, session), "authenticating_database_id": 1,
         "open_transaction_count": session.transaction_count}
        for session in _shown(workspace)
    ]  # fmt: skip


@catalog_view(
    "sys.dm_exec_requests",
    """session_id smallint, request_id int, start_time datetime, status nvarchar(30), command nvarchar(32), sql_handle varbinary(64),
    statement_start_offset int, statement_end_offset int, plan_handle varbinary(64), database_id smallint, user_id int,
    connection_id uniqueidentifier, blocking_session_id smallint, wait_type nvarchar(60), wait_time int, last_wait_type nvarchar(60),
    wait_resource nvarchar(256), open_transaction_count int, open_resultset_count int, transaction_id bigint, percent_complete real,
    estimated_completion_time bigint, cpu_time int, total_elapsed_time int, scheduler_id int, reads bigint, writes bigint, logical_reads bigint,
    row_count bigint, prev_error int, nest_level int, granted_query_memory int""",
)
def _requests(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    rows, now = [], workspace.instance.now()
    for session in _shown(workspace):
        progress = session.progress
        if not progress.command:
            continue
        elapsed = (now - progress.started).total_seconds() * 1000 if progress.started else 0
        left = elapsed * (100 - progress.percent) / progress.percent if progress.percent else 0
        rows.append({
            "session_id": session.spid, "request_id": 0, "start_time": progress.started, "status": "running" if session is workspace.session else "suspended",
            "command": progress.command[:32], "database_id": _database_id(workspace, session), "user_id": 1, "blocking_session_id": 0, "wait_time": 0,
            "last_wait_type": "MISCELLANEOUS", "wait_resource": "", "open_transaction_count": session.transaction_count, "open_resultset_count": 1,
            "transaction_id": session.transaction_id, "percent_complete": progress.percent, "estimated_completion_time": int(left), "cpu_time": 0,
            "total_elapsed_time": int(elapsed), "scheduler_id": 0, "reads": 0, "writes": 0, "logical_reads": 0, "row_count": session.row_count,
            "prev_error": 0, "nest_level": 0, "granted_query_memory": 0,
        })  # fmt: skip
    return rows


@catalog_view(
    "sys.dm_exec_connections",
    """session_id int, most_recent_session_id int, connect_time datetime, net_transport nvarchar(40), protocol_type nvarchar(40),
    protocol_version int, endpoint_id int, encrypt_option nvarchar(40), auth_scheme nvarchar(40), node_affinity smallint, num_reads int,
    num_writes int, last_read datetime, last_write datetime, net_packet_size int, client_net_address varchar(48), client_tcp_port int,
    local_net_address varchar(48), local_tcp_port int, connection_id uniqueidentifier, parent_connection_id uniqueidentifier""",
    permission="VIEW SERVER STATE",
)
def _connections(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"session_id": session.spid, "most_recent_session_id": session.spid, "connect_time": session.login_time,
         "net_transport": "TCP" if session.connection else "Shared memory", "protocol_type": "TSQL", "protocol_version": 1946157060, "endpoint_id": 4,
         "encrypt_option": "TRUE" if session.encrypted else "FALSE", "auth_scheme": "SQL" if session.connection else "NTLM", "node_affinity": 0,
         "num_reads": 1, "num_writes": 1, "last_read": session.last_request, "last_write": session.last_request, "net_packet_size": 4096,
         "client_net_address": session.client, "local_net_address": workspace.instance.host.address, "local_tcp_port": workspace.instance.port}
        for session in _shown(workspace)
    ]  # fmt: skip


@catalog_view(
    "sys.dm_tran_locks",
    """resource_type nvarchar(60), resource_subtype nvarchar(60), resource_database_id int, resource_description nvarchar(256),
    resource_associated_entity_id bigint, resource_lock_partition int, request_mode nvarchar(60), request_type nvarchar(60),
    request_status nvarchar(60), request_reference_count smallint, request_lifetime int, request_session_id int, request_exec_context_id int,
    request_request_id int, request_owner_type nvarchar(60), request_owner_id bigint""",
    permission="VIEW SERVER STATE",
)
def _locks(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    instance = workspace.instance
    rows = [
        {"resource_type": "DATABASE", "resource_subtype": "", "resource_database_id": _database_id(workspace, session), "resource_description": "",
         "resource_associated_entity_id": 0, "resource_lock_partition": 0, "request_mode": "S", "request_type": "LOCK", "request_status": "GRANT",
         "request_reference_count": 1, "request_lifetime": 0, "request_session_id": session.spid, "request_exec_context_id": 0, "request_request_id": 0,
         "request_owner_type": "SHARED_TRANSACTION_WORKSPACE", "request_owner_id": 0}
        for session in instance.sessions() if session.database.lower() not in ("master", "tempdb")
    ]  # fmt: skip
    modes = {"Shared": "S", "Update": "U", "IntentShared": "IS", "IntentExclusive": "IX", "Exclusive": "X"}
    for lock in instance.locks.all():
        database = instance.databases.get(lock.database)
        # the description shows the principal's number, the first 32 characters of the name, and a hash of all of it
        digest = f"{hash(lock.resource.lower()) & 0xFFFFFFFF:08x}"
        rows.append({
            "resource_type": "APPLICATION", "resource_subtype": "", "resource_database_id": database.database_id if database is not None else 1,
            "resource_description": f"0:[{lock.resource[:32]}]:({digest})", "resource_associated_entity_id": 0, "resource_lock_partition": 0,
            "request_mode": modes[lock.mode], "request_type": "LOCK", "request_status": "GRANT" if lock.granted else "WAIT",
            "request_reference_count": lock.count, "request_lifetime": 0, "request_session_id": lock.session.spid, "request_exec_context_id": 0,
            "request_request_id": 0, "request_owner_type": lock.owner.upper(), "request_owner_id": 0,
        })  # fmt: skip
    return rows


@catalog_view(
    "sys.sysprocesses",
    "spid smallint, kpid smallint, blocked smallint, waittype binary(2), waittime bigint, lastwaittype nchar(32), "
    "dbid smallint, "
    "uid smallint, cpu int, login_time datetime, last_batch datetime, open_tran smallint, status nchar(30), sid "
    "binary(86), hostname nchar(128), "
    "program_name nchar(128), hostprocess nchar(10), cmd nchar(26), loginame nchar(128)",
)
def _sysprocesses(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"spid": session.spid, "kpid": 0, "blocked": 0, "waittime": 0, "lastwaittype": "MISCELLANEOUS", "dbid": _database_id(workspace, session), "uid": 1,
         "cpu": 0, "login_time": session.login_time, "last_batch": session.last_request, "open_tran": session.transaction_count,
         "status": "runnable" if session.progress.command else "sleeping", "hostname": session.host_name, "program_name": session.application,
         "hostprocess": str(session.process_id), "cmd": session.progress.command or "AWAITING COMMAND", "loginame": session.login_name}
        for session in _shown(workspace)
    ]  # fmt: skip
