"""ansible.windows.win_feature, win_feature_info, win_optional_feature."""

from __future__ import annotations

from typing import Any

from ..features import Feature, FeatureError
from ..models import Task, module
from ..registry import REBOOT_PENDING

__all__: list[str] = []


@module("ansible.windows.win_feature")
def win_feature(task: Task) -> dict[str, Any]:
    features = task.host.features
    if features.is_client:
        task.fail("This version of Windows does not support the cmdlets Install-WindowsFeature or Add-WindowsFeature")
    names, present = task.params["name"], task.params["state"] == "present"
    source = task.params["source"]
    if present and source and not task.files.exists(source):
        task.fail(f"Failed to find source path {source} for feature install")
    try:
        if present:
            changes = features.plan_install(
                names,
                sub_features=bool(task.params["include_sub_features"]),
                management_tools=bool(task.params["include_management_tools"]),
            )
        else:
            changes = features.plan_remove(names)
    except FeatureError as error:
        task.fail(f"Failed to {'install' if present else 'uninstall'} Windows Feature: {error}")
    restart = False
    if not task.check_mode and changes and present and task.host.registry.exists(REBOOT_PENDING):
        task.fail(
            "Failed to install Windows Feature: The request to add or remove features on the specified server failed. "
            "The operation cannot be completed, because the server that you specified requires a restart."
        )
    if not task.check_mode and changes:
        restart = features.add(changes) if present else features.remove(changes)
    return {
        "changed": bool(changes),
        "failed": False,
        "success": True,
        "exitcode": "Success" if changes and not restart else "SuccessRestartRequired" if restart else "NoChangeNeeded",
        "reboot_required": restart,
        "feature_result": [
            {
                "id": feature.number,
                "display_name": feature.display,
                "message": [],
                "reboot_required": feature.restart,
                "skip_reason": "NotSkipped",
                "success": True,
            }
            for feature in changes
        ],
    }


@module("ansible.windows.win_feature_info")
def win_feature_info(task: Task) -> dict[str, Any]:
    features = task.host.features
    if features.is_client:
        task.fail(
            "Unhandled exception while executing module: The term 'Get-WindowsFeature' is not recognized as the "
            "name of a cmdlet, function, "
            "script file, or operable program."
        )
    found = features.find(task.params["name"])
    return {"exists": bool(found), "features": [_describe(task, feature) for feature in found]}


def _describe(task: Task, feature: Feature) -> dict[str, Any]:
    features = task.host.features
    installed = features.installed(feature.name)
    depth = features.depth(feature)
    return {
        "name": feature.name,
        "display_name": feature.display,
        "description": feature.display,
        "installed": installed,
        "install_state": "Installed" if installed else "Available" if feature.payload else "Removed",
        "feature_type": "Role"
        if depth == 1 and feature.name.startswith(("Web-", "AD-", "File"))
        else "Role Service"
        if depth > 1
        else "Feature",
        "path": feature.display,
        "depth": depth,
        "depends_on": list(feature.needs),
        "parent": feature.parent or None,
        "server_component_descriptor": None,
        "sub_features": [child.name for child in features.children(feature)],
        "system_service": ["W3SVC"] if feature.name == "Web-WebServer" else [],
        "best_practices_model_id": None,
        "event_query": None,
        "post_configuration_needed": False,
        "additional_info": {},
    }


@module("ansible.windows.win_optional_feature")
def win_optional_feature(task: Task) -> dict[str, Any]:
    features = task.host.features
    present = task.params["state"] == "present"
    changes: list[str] = []
    for name in task.params["name"]:
        feature = features.by_optional_name(name)
        if feature is None:
            task.fail(f"Failed to find feature '{name}'", reboot_required=False)
        if features.installed(feature.name) != present:
            changes.append(name)
    source = task.params["source"]
    if present and changes and source and not task.files.exists(source):
        task.fail(f"Path could not be found '{source}'", reboot_required=False)
    restart = False
    if changes and not task.check_mode:
        try:
            if present:
                restart = features.add(
                    features.enable_optional(changes, with_parents=bool(task.params["include_parent"]))
                )
            else:
                restart = features.remove(
                    features.plan_remove([features.by_optional_name(name).name for name in changes])
                )
        except FeatureError as error:
            task.fail(f"Unhandled exception while executing module: {error}")
    return {"changed": bool(changes), "reboot_required": restart}
