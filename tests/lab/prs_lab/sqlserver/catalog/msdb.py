"""The tables of msdb in which backups and restores are remembered, as Microsoft documents them."""

from __future__ import annotations

__all__ = ["TABLES"]

_LSN, _SIZE, _NAME, _GUID = "numeric(25,0)", "numeric(20,0)", "nvarchar(128)", "uniqueidentifier"

TABLES: dict[str, str] = {
    "backupset": f"""backup_set_id int identity, backup_set_uuid {_GUID} not null, media_set_id int not null, first_family_number tinyint,
        first_media_number smallint, last_family_number tinyint, last_media_number smallint, catalog_family_number tinyint,
        catalog_media_number smallint, position int, expiration_date datetime, software_vendor_id int, name {_NAME}, description nvarchar(255),
        user_name {_NAME}, software_major_version tinyint, software_minor_version tinyint, software_build_version smallint, time_zone smallint,
        mtf_minor_version tinyint, first_lsn {_LSN}, last_lsn {_LSN}, checkpoint_lsn {_LSN}, database_backup_lsn {_LSN},
        database_creation_date datetime, backup_start_date datetime, backup_finish_date datetime, type char(1), sort_order smallint,
        code_page smallint, compatibility_level tinyint, database_version int, backup_size {_SIZE}, database_name {_NAME}, server_name {_NAME},
        machine_name {_NAME}, flags int, unicode_locale int, unicode_compare_style int, collation_name {_NAME}, is_password_protected bit,
        recovery_model nvarchar(60), has_bulk_logged_data bit, is_snapshot bit, is_readonly bit, is_single_user bit, has_backup_checksums bit,
        is_damaged bit, begins_log_chain bit, has_incomplete_metadata bit, is_force_offline bit, is_copy_only bit,
        first_recovery_fork_guid {_GUID}, last_recovery_fork_guid {_GUID}, fork_point_lsn {_LSN}, database_guid {_GUID}, family_guid {_GUID},
        differential_base_lsn {_LSN}, differential_base_guid {_GUID}, compressed_backup_size {_SIZE}, key_algorithm nvarchar(32),
        encryptor_thumbprint varbinary(20), encryptor_type nvarchar(32)""",
    "backupmediaset": f"""media_set_id int identity, media_uuid {_GUID}, media_family_count tinyint, name {_NAME}, description nvarchar(255),
        software_name {_NAME}, software_vendor_id int, MTF_major_version tinyint, mirror_count tinyint, is_password_protected bit,
        is_compressed bit, is_encrypted bit""",
    "backupmediafamily": f"""media_set_id int not null, family_sequence_number tinyint not null, media_family_id {_GUID}, media_count int,
        logical_device_name {_NAME}, physical_device_name nvarchar(260), device_type tinyint, physical_block_size int, mirror tinyint not null""",
    "backupfile": f"""backup_set_id int not null, first_family_number tinyint, first_media_number smallint, filegroup_name {_NAME},
        page_size int, file_number numeric(10,0) not null, backed_up_page_count numeric(10,0), file_type char(1),
        source_file_block_size numeric(10,0), file_size {_SIZE}, logical_name {_NAME}, physical_drive nvarchar(260), physical_name nvarchar(260),
        state tinyint, state_desc nvarchar(64), create_lsn {_LSN}, drop_lsn {_LSN}, file_guid {_GUID}, read_only_lsn {_LSN},
        read_write_lsn {_LSN}, differential_base_lsn {_LSN}, differential_base_guid {_GUID}, backup_size {_SIZE}, filegroup_guid {_GUID},
        is_readonly bit, is_present bit""",
    "restorehistory": f"""restore_history_id int identity, restore_date datetime, destination_database_name {_NAME}, user_name {_NAME},
        backup_set_id int not null, restore_type char(1), replace bit, recovery bit, restart bit, stop_at datetime, device_count tinyint,
        stop_at_mark_name {_NAME}, stop_before bit""",
    "restorefile": """restore_history_id int not null, file_number numeric(10,0), destination_phys_drive nvarchar(260),
        destination_phys_name nvarchar(260)""",
    "logmarkhistory": f"""database_name {_NAME} not null, mark_name {_NAME} not null, description nvarchar(255), user_name {_NAME} not null,
        lsn {_LSN} not null, mark_time datetime not null""",
    "suspect_pages": """database_id int not null, file_id int not null, page_id bigint not null, event_type int not null,
        error_count int not null, last_update_date datetime not null""",
}
"""Name -> columns as `name type [identity | not null]`."""
