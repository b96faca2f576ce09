"""Endpoints, mirrored databases, their witnesses, and the connections between servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..mirroring.machine import LOCK, TRANSPORT, settle_all
from ..mirroring.partnership import PRINCIPAL
from ..storage.database import Database
from .database_views import visible
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []

_STATES = {"STARTED": 0, "STOPPED": 1, "DISABLED": 2}
_ROLES = {"PARTNER": 1, "WITNESS": 2, "ALL": 3}
_AUTHENTICATIONS = {
    "NTLM": 1, "KERBEROS": 2, "NEGOTIATE": 3, "CERTIFICATE": 4, "NTLM, CERTIFICATE": 5, "KERBEROS, CERTIFICATE": 6, "NEGOTIATE, CERTIFICATE": 7,
    "CERTIFICATE, NTLM": 8, "CERTIFICATE, KERBEROS": 9, "CERTIFICATE, NEGOTIATE": 10,
}  # fmt: skip
_ALGORITHMS = {
    "NONE": 0,
    "RC4": 1,
    "AES": 2,
    "NONE, RC4": 3,
    "NONE, AES": 4,
    "RC4, AES": 5,
    "AES, RC4": 6,
    "NONE, RC4, AES": 7,
    "NONE, AES, RC4": 8,
}
_MIRRORING = {0: "SUSPENDED", 1: "DISCONNECTED", 2: "SYNCHRONIZING", 4: "SYNCHRONIZED"}
_SAFETY = {"OFF": 1, "FULL": 2}


# ---- endpoints


_ENDPOINT = """name sysname, endpoint_id int, principal_id int, protocol tinyint, protocol_desc nvarchar(60), type tinyint, type_desc nvarchar(60),
    state tinyint, state_desc nvarchar(60), is_admin_endpoint bit"""


def _endpoint(found: dict[str, Any]) -> dict[str, Any]:
    both = found["algorithm"].replace(" ", ", ")
    algorithm = {"DISABLED": "NONE", "SUPPORTED": f"NONE, {both}", "REQUIRED": both}[found["encryption"]]
    return {
        "name": found["name"], "endpoint_id": found["endpoint_id"], "principal_id": 1, "protocol": 2, "protocol_desc": "TCP", "type": 4,
        "type_desc": "DATABASE_MIRRORING", "state": _STATES[found["state"]], "state_desc": found["state"], "is_admin_endpoint": 0, "port": found["port"],
        "is_dynamic_port": 0, "ip_address": None, "role": _ROLES[found["role"]], "role_desc": found["role"],
        "is_encryption_enabled": int(found["encryption"] != "DISABLED"), "connection_auth": _AUTHENTICATIONS[found["authentication"]],
        "connection_auth_desc": found["authentication"], "encryption_algorithm": _ALGORITHMS[algorithm], "encryption_algorithm_desc": algorithm,
    }  # fmt: skip


def _endpoints(workspace: Workspace) -> list[dict[str, Any]]:
    rows = [_endpoint(found) for found in workspace.instance.certificates.endpoints.values()]
    for row, found in zip(rows, workspace.instance.certificates.endpoints.values(), strict=True):
        certificate = workspace.instance.certificates.get(found["certificate"]) if found["certificate"] else None
        row["certificate_id"] = certificate.certificate_id if certificate else 0
    return rows


def _tsql() -> dict[str, Any]:
    return {"name": "TSQL Default TCP", "endpoint_id": 4, "principal_id": 1, "protocol": 2, "protocol_desc": "TCP", "type": 2, "type_desc": "TSQL", "state": 0,
            "state_desc": "STARTED", "is_admin_endpoint": 0, "port": 0, "is_dynamic_port": 0}  # fmt: skip


@catalog_view("sys.endpoints", _ENDPOINT)
def _all_endpoints(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [_tsql(), *_endpoints(workspace)]


@catalog_view("sys.tcp_endpoints", _ENDPOINT + ", port int, is_dynamic_port bit, ip_address nvarchar(45)")
def _tcp_endpoints(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [_tsql(), *_endpoints(workspace)]


@catalog_view(
    "sys.database_mirroring_endpoints",
    _ENDPOINT
    + """, role tinyint, role_desc nvarchar(60), is_encryption_enabled bit, connection_auth tinyint, connection_auth_desc nvarchar(60),
    certificate_id int, encryption_algorithm tinyint, encryption_algorithm_desc nvarchar(60)""",
)
def _mirroring_endpoints(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return _endpoints(workspace)


@catalog_view(
    "sys.database_mirroring",
    """database_id int, mirroring_guid uniqueidentifier, mirroring_state tinyint, mirroring_state_desc nvarchar(60), mirroring_role tinyint,
    mirroring_role_desc nvarchar(60), mirroring_role_sequence int, mirroring_safety_level tinyint, mirroring_safety_level_desc nvarchar(60),
    mirroring_safety_sequence int, mirroring_partner_name nvarchar(128), mirroring_partner_instance nvarchar(128),
    mirroring_witness_name nvarchar(128), mirroring_witness_state tinyint, mirroring_witness_state_desc nvarchar(60),
    mirroring_failover_lsn numeric(25,0), mirroring_connection_timeout int, mirroring_redo_queue int, mirroring_redo_queue_type nvarchar(60),
    mirroring_end_of_log_lsn numeric(25,0), mirroring_replication_lsn numeric(25,0)""",
)
def _mirroring(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    with LOCK:
        settle_all()
        return [
            {"database_id": database.database_id, **_session(workspace, database)} for database in visible(workspace)
        ]


def _session(workspace: Workspace, database: Database) -> dict[str, Any]:
    """The columns of a mirrored database; of a mirror only for sysadmins."""
    mirroring = workspace.instance.mirroring
    one = mirroring.of(database)
    if one is None or not one.established or (database.state != "ONLINE" and not workspace.session.is_sysadmin()):
        return {}
    state = mirroring.state(one)
    witness = None if not one.witness else 1 if mirroring.witness(one) is not None else 2
    end_of_log = database.next_lsn
    return {
        "mirroring_guid": one.guid, "mirroring_state": state, "mirroring_state_desc": _MIRRORING[state], "mirroring_role": 1 if one.role == PRINCIPAL else 2,
        "mirroring_role_desc": one.role, "mirroring_role_sequence": one.role_sequence, "mirroring_safety_level": _SAFETY[one.safety],
        "mirroring_safety_level_desc": one.safety, "mirroring_safety_sequence": one.safety_sequence, "mirroring_partner_name": one.partner,
        "mirroring_partner_instance": one.partner_instance, "mirroring_witness_name": one.witness or None, "mirroring_witness_state": witness,
        "mirroring_witness_state_desc": {None: None, 1: "CONNECTED", 2: "DISCONNECTED"}[witness], "mirroring_failover_lsn": one.failover_lsn,
        "mirroring_connection_timeout": one.timeout, "mirroring_redo_queue_type": "UNLIMITED", "mirroring_end_of_log_lsn": end_of_log,
        "mirroring_replication_lsn": end_of_log,
    }  # fmt: skip


@catalog_view(
    "sys.database_mirroring_witnesses",
    """database_name sysname, principal_server_name sysname, mirror_server_name sysname, safety_level tinyint, safety_level_desc nvarchar(60),
    safety_sequence_number int, role_sequence_number int, mirroring_guid uniqueidentifier, family_guid uniqueidentifier, is_suspended bit,
    is_suspended_sequence_number int, partner_sync_state tinyint, partner_sync_state_desc nvarchar(60)""",
)
def _witnesses(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    with LOCK:
        settle_all()
        return [
            {"database_name": one.database, "principal_server_name": one.principal, "mirror_server_name": one.mirror, "safety_level": _SAFETY[one.safety],
             "safety_level_desc": one.safety, "safety_sequence_number": one.safety_sequence, "role_sequence_number": one.role_sequence,
             "mirroring_guid": one.guid, "family_guid": one.family_guid, "is_suspended": int(one.suspended), "is_suspended_sequence_number": 1,
             "partner_sync_state": 5 if one.synchronized else 6,
             "partner_sync_state_desc": "SYNCHRONIZED" if one.synchronized else "UNSYNCHRONIZED"}
            for one in workspace.instance.mirroring.memory.witnessed.values()
        ]  # fmt: skip


@catalog_view(
    "sys.dm_db_mirroring_connections",
    """connection_id uniqueidentifier, transport_stream_id uniqueidentifier, state smallint, state_desc nvarchar(60), connect_time datetime,
    login_time datetime, authentication_method nvarchar(128), principal_name nvarchar(128), remote_user_name nvarchar(128),
    last_activity_time datetime, is_accept bit, login_state smallint, login_state_desc nvarchar(60), peer_certificate_id int,
    encryption_algorithm smallint, encryption_algorithm_desc nvarchar(60), receives_posted smallint, is_receive_flow_controlled bit,
    sends_posted smallint, is_send_flow_controlled bit, total_bytes_sent bigint, total_bytes_received bigint, total_fragments_sent bigint,
    total_fragments_received bigint, total_sends bigint, total_receives bigint, peer_arbitration_id uniqueidentifier""",
    permission="VIEW SERVER STATE",
)
def _connections(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    with LOCK:
        settle_all()
        return [
            {"connection_id": one.id, "transport_stream_id": one.id, "state": 4, "state_desc": "LOGGED_IN", "connect_time": one.since,
             "login_time": one.since, "authentication_method": "Microsoft Unified Security Protocol Provider" if one.method == "CERTIFICATE" else "NTLM",
             "principal_name": one.principal_name, "remote_user_name": "" if one.method == "CERTIFICATE" else one.principal_name,
             "last_activity_time": workspace.instance.now(), "is_accept": 0, "login_state": 12,
             "login_state_desc": "Connection handshake is complete and is online (ready) for message exchange.",
             "peer_certificate_id": one.peer_certificate_id or 0, "encryption_algorithm": _ALGORITHMS[one.algorithm],
             "encryption_algorithm_desc": one.algorithm, "receives_posted": 1, "is_receive_flow_controlled": 0, "sends_posted": 0,
             "is_send_flow_controlled": 0}
            for one in TRANSPORT.of(workspace.instance)
        ]  # fmt: skip
