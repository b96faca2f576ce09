"""The instance, its services, its host, its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..execution.server import CONFIGURATIONS
from ..storage.database import Database
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []


@catalog_view(
    "sys.configurations",
    """configuration_id int, name nvarchar(35), value sql_variant, minimum sql_variant, maximum sql_variant, value_in_use sql_variant,
    description nvarchar(255), is_dynamic bit, is_advanced bit""",
)
def _configurations(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    configured = workspace.instance.configuration
    return [
        {"configuration_id": number, "name": name, "value": configured.get(name, default), "minimum": low, "maximum": high,
         "value_in_use": configured.get(name, default), "description": description, "is_dynamic": int(dynamic), "is_advanced": int(advanced)}
        for name, (number, low, high, default, dynamic, advanced, description) in CONFIGURATIONS.items()
    ]  # fmt: skip


@catalog_view(
    "sys.dm_server_services",
    """servicename nvarchar(256), startup_type int, startup_type_desc nvarchar(256), status int, status_desc nvarchar(256), process_id int,
    last_startup_time datetimeoffset(7), service_account nvarchar(256), filename nvarchar(256), is_clustered nvarchar(1),
    cluster_nodename nvarchar(256), instant_file_initialization_enabled nvarchar(1)""",
    permission="VIEW SERVER STATE",
)
def _services(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    instance = workspace.instance
    return [{
        "servicename": f"SQL Server ({instance.instance_name.upper()})", "startup_type": 2, "startup_type_desc": "Automatic", "status": 4,
        "status_desc": "Running", "process_id": 4242, "last_startup_time": instance.utc_now(), "service_account": instance.settings.service_account,
        "filename": (f'"{instance.settings.data_dir.rsplit(chr(92), 1)[0]}\\Binn\\sqlservr.exe" '
                     f'-s{instance.instance_name.upper()}'), "is_clustered": "N",
        "instant_file_initialization_enabled": "N",
    }]  # fmt: skip


@catalog_view(
    "sys.dm_os_host_info",
    """host_platform nvarchar(256), host_distribution nvarchar(256), host_release nvarchar(256), host_service_pack_level nvarchar(256),
    host_sku int, os_language_version int, host_architecture nvarchar(256)""",
)
def _host_info(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {
            "host_platform": "Windows",
            "host_distribution": "Windows Server 2019 Standard",
            "host_release": "10.0",
            "host_service_pack_level": "",
            "host_sku": 7,
            "os_language_version": 1033,
            "host_architecture": "X64",
        }
    ]


@catalog_view(
    "sys.dm_os_sys_info",
    """cpu_ticks bigint, ms_ticks bigint, cpu_count int, hyperthread_ratio int, physical_memory_kb bigint, virtual_memory_kb bigint,
    committed_kb bigint, committed_target_kb bigint, max_workers_count int, scheduler_count int, sqlserver_start_time datetime,
    virtual_machine_type int, virtual_machine_type_desc nvarchar(60)""",
    permission="VIEW SERVER STATE",
)
def _sys_info(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    instance = workspace.instance
    seconds = (instance.now() - instance.started).total_seconds()
    return [{"cpu_ticks": int(seconds * 3e9), "ms_ticks": int(seconds * 1000), "cpu_count": 2, "hyperthread_ratio": 2, "physical_memory_kb": 4 << 20,
             "virtual_memory_kb": 8 << 20, "committed_kb": 1 << 19, "committed_target_kb": 2 << 20, "max_workers_count": 512, "scheduler_count": 2,
             "sqlserver_start_time": instance.started, "virtual_machine_type": 1, "virtual_machine_type_desc": "HYPERVISOR"}]  # fmt: skip


@catalog_view(
    "sys.servers",
    "server_id int, name sysname, product sysname, provider sysname, data_source nvarchar(4000), is_linked bit",
)
def _servers(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    name = workspace.instance.name
    return [
        {
            "server_id": 0,
            "name": name,
            "product": "SQL Server",
            "provider": "SQLNCLI",
            "data_source": name,
            "is_linked": 0,
        }
    ]
