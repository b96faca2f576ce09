"""sys.databases and its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..query.dates import parse_time
from ..storage.database import STATES, Database
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []

_RECOVERY = {"FULL": 1, "BULK_LOGGED": 2, "SIMPLE": 3}
_ACCESS = {"MULTI_USER": 0, "SINGLE_USER": 1, "RESTRICTED_USER": 2}
_VERIFY = {"NONE": 0, "TORN_PAGE_DETECTION": 1, "CHECKSUM": 2}
_DURABILITY = ("DISABLED", "ALLOWED", "FORCED")
_LOG_WAITS = {
    "NOTHING": 0,
    "CHECKPOINT": 1,
    "LOG_BACKUP": 2,
    "ACTIVE_BACKUP_OR_RESTORE": 3,
    "ACTIVE_TRANSACTION": 4,
    "DATABASE_MIRRORING": 5,
}
_BITS = {
    # column: (option of the database, its default)
    "is_auto_close_on": ("auto_close", "OFF"), "is_auto_shrink_on": ("auto_shrink", "OFF"), "is_auto_create_stats_on": ("auto_create_statistics", "ON"),
    "is_auto_update_stats_on": ("auto_update_statistics", "ON"), "is_auto_update_stats_async_on": ("auto_update_statistics_async", "OFF"),
    "is_ansi_null_default_on": ("ansi_null_default", "OFF"), "is_ansi_nulls_on": ("ansi_nulls", "OFF"), "is_ansi_padding_on": ("ansi_padding", "OFF"),
    "is_ansi_warnings_on": ("ansi_warnings", "OFF"), "is_arithabort_on": ("arithabort", "OFF"),
    "is_concat_null_yields_null_on": ("concat_null_yields_null", "OFF"), "is_numeric_roundabort_on": ("numeric_roundabort", "OFF"),
    "is_quoted_identifier_on": ("quoted_identifier", "OFF"), "is_recursive_triggers_on": ("recursive_triggers", "OFF"),
    "is_cursor_close_on_commit_on": ("cursor_close_on_commit", "OFF"), "is_trustworthy_on": ("trustworthy", "OFF"), "is_db_chaining_on": ("db_chaining", "OFF"),
    "is_read_committed_snapshot_on": ("read_committed_snapshot", "OFF"), "is_date_correlation_on": ("date_correlation_optimization", "OFF"),
    "is_honor_broker_priority_on": ("honor_broker_priority", "OFF"), "is_query_store_on": ("query_store", "OFF"),
}  # fmt: skip


def visible(workspace: Workspace) -> list[Database]:
    """The databases that the login may see: all with VIEW ANY DATABASE (granted to public), else master, tempdb and its
    own.
    """
    instance, login = workspace.instance, workspace.session.login
    if login.may("VIEW ANY DATABASE"):
        return list(instance.databases)
    return [
        database
        for database in instance.databases
        if database.name in ("master", "tempdb") or instance.owner_sid(database) == login.sid
    ]


def state_of(database: Database) -> str:
    """As sys.databases says it."""
    return database.state if database.state in STATES else "RECOVERY_PENDING"


@catalog_view(
    "sys.databases",
    """name sysname, database_id int, source_database_id int, owner_sid varbinary(85), create_date datetime, compatibility_level tinyint,
    collation_name sysname, user_access tinyint, user_access_desc nvarchar(60), is_read_only bit, is_auto_close_on bit, is_auto_shrink_on bit,
    state tinyint, state_desc nvarchar(60), is_in_standby bit, is_cleanly_shutdown bit, is_supplemental_logging_enabled bit,
    snapshot_isolation_state tinyint, snapshot_isolation_state_desc nvarchar(60), is_read_committed_snapshot_on bit, recovery_model tinyint,
    recovery_model_desc nvarchar(60), page_verify_option tinyint, page_verify_option_desc nvarchar(60), is_auto_create_stats_on bit,
    is_auto_create_stats_incremental_on bit, is_auto_update_stats_on bit, is_auto_update_stats_async_on bit, is_ansi_null_default_on bit,
    is_ansi_nulls_on bit, is_ansi_padding_on bit, is_ansi_warnings_on bit, is_arithabort_on bit, is_concat_null_yields_null_on bit,
    is_numeric_roundabort_on bit, is_quoted_identifier_on bit, is_recursive_triggers_on bit, is_cursor_close_on_commit_on bit,
    is_local_cursor_default bit, is_fulltext_enabled bit, is_trustworthy_on bit, is_db_chaining_on bit, is_parameterization_forced bit,
    is_master_key_encrypted_by_server bit, is_query_store_on bit, is_published bit, is_subscribed bit, is_merge_published bit, is_distributor bit,
    is_sync_with_backup bit, service_broker_guid uniqueidentifier, is_broker_enabled bit, log_reuse_wait tinyint, log_reuse_wait_desc nvarchar(60),
    is_date_correlation_on bit, is_cdc_enabled bit, is_encrypted bit, is_honor_broker_priority_on bit, replica_id uniqueidentifier,
    group_database_id uniqueidentifier, resource_pool_id int, default_language_lcid smallint, default_language_name nvarchar(128),
    default_fulltext_language_lcid int, default_fulltext_language_name nvarchar(128), is_nested_triggers_on bit, is_transform_noise_words_on bit,
    two_digit_year_cutoff smallint, containment tinyint, containment_desc nvarchar(60), target_recovery_time_in_seconds int, delayed_durability int,
    delayed_durability_desc nvarchar(60), is_memory_optimized_elevate_to_snapshot_on bit, is_federation_member bit,
    is_remote_data_archive_enabled bit, is_mixed_page_allocation_on bit, is_temporal_history_retention_enabled bit, catalog_collation_type int,
    catalog_collation_type_desc nvarchar(60), physical_database_name nvarchar(128), is_result_set_caching_on bit,
    is_accelerated_database_recovery_on bit, is_ledger_on bit""",
    since={"is_result_set_caching_on": 15, "is_accelerated_database_recovery_on": 15, "is_ledger_on": 16},
)
def _databases(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    instance, rows = workspace.instance, []
    for database in visible(workspace):
        entry, options, state = instance.databases.entry(database), database.options, state_of(database)
        durability = options.get("delayed_durability", "DISABLED")
        level = options.get("compatibility_level", instance.version[0] * 10)
        row: dict[str, Any] = {
            column: int(options.get(option, default) == "ON") for column, (option, default) in _BITS.items()
        }
        row.update(
            name=database.name, database_id=database.database_id, owner_sid=entry["owner_sid"], create_date=parse_time(entry["created"]),
            compatibility_level=level, collation_name=options.get("collation", instance.settings.collation) if database.is_open else None,
            user_access=_ACCESS[entry["user_access"]], user_access_desc=entry["user_access"],
            is_read_only=int(bool(options.get("is_read_only")) or database.is_in_standby), state=STATES.index(state), state_desc=state,
            is_in_standby=int(database.is_in_standby), is_cleanly_shutdown=int(state == "OFFLINE"), is_supplemental_logging_enabled=0,
            snapshot_isolation_state=int(options.get("allow_snapshot_isolation") == "ON"),
            snapshot_isolation_state_desc=options.get("allow_snapshot_isolation", "OFF"), recovery_model=_RECOVERY[database.recovery_model],
            recovery_model_desc=database.recovery_model, page_verify_option=_VERIFY[options.get("page_verify", "CHECKSUM")],
            page_verify_option_desc=options.get("page_verify", "CHECKSUM"), is_auto_create_stats_incremental_on=0,
            is_local_cursor_default=int(options.get("cursor_default") == "LOCAL"), is_fulltext_enabled=1,
            is_parameterization_forced=int(options.get("parameterization") == "FORCED"), is_master_key_encrypted_by_server=0, is_published=0, is_subscribed=0,
            is_merge_published=0, is_distributor=0, is_sync_with_backup=0, service_broker_guid=database.family_guid, is_broker_enabled=0,
            log_reuse_wait=_LOG_WAITS.get(database.log_reuse_wait, 0), log_reuse_wait_desc=database.log_reuse_wait, is_cdc_enabled=0, is_encrypted=0,
            containment=0, containment_desc="NONE", target_recovery_time_in_seconds=options.get("target_recovery_time", 60),
            delayed_durability=_DURABILITY.index(durability), delayed_durability_desc=durability,
            is_memory_optimized_elevate_to_snapshot_on=0, is_federation_member=0, is_remote_data_archive_enabled=0,
            is_mixed_page_allocation_on=0, is_temporal_history_retention_enabled=1, catalog_collation_type=0,
            catalog_collation_type_desc="DATABASE_DEFAULT", physical_database_name=database.name, is_result_set_caching_on=0,
            is_accelerated_database_recovery_on=int(options.get("accelerated_database_recovery") == "ON"),
            is_ledger_on=int(options.get("ledger") == "ON"),
        )  # fmt: skip
        rows.append(row)
    return rows


@catalog_view(
    "sys.sysdatabases",
    "name sysname, dbid smallint, sid varbinary(85), mode smallint, status int, crdate datetime, cmptlevel tinyint, "
    "filename nvarchar(260), "
    "version smallint",
)
def _sysdatabases(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"name": row["name"], "dbid": row["database_id"], "sid": row["owner_sid"], "mode": 0, "status": 65536, "crdate": row["create_date"],
         "cmptlevel": row["compatibility_level"], "filename": workspace.instance.databases.get(row["name"]).data_path,
         "version": workspace.instance.databases.get(row["name"]).boot.version}
        for row in _databases(workspace, _)
    ]  # fmt: skip


@catalog_view(
    "sys.database_recovery_status",
    """database_id int, database_guid uniqueidentifier, family_guid uniqueidentifier, last_log_backup_lsn numeric(25,0),
    recovery_fork_guid uniqueidentifier, first_recovery_fork_guid uniqueidentifier, fork_point_lsn numeric(25,0)""",
)
def _recovery_status(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    rows = []
    for database in visible(workspace):
        if state_of(database) in (
            "OFFLINE",
            "RECOVERY_PENDING",
            "RESTORING",
            "SUSPECT",
        ):  # "NULL = Database is offline or the database will not start."
            rows.append({"database_id": database.database_id})
            continue
        boot = database.boot
        row: dict[str, Any] = {
            "database_id": database.database_id,
            "database_guid": boot.database_guid,
            "family_guid": boot.family_guid,
        }
        if database.is_open:
            row.update(last_log_backup_lsn=boot.log_start_lsn, recovery_fork_guid=boot.fork.guid)
            if len(boot.forks) > 1:
                row.update(first_recovery_fork_guid=boot.forks[-2].guid, fork_point_lsn=boot.fork.start_lsn)
        rows.append(row)
    return rows
