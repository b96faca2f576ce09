"""Attributes of an IIS application pool: their types, defaults and how values are taken, as WebAdministration does it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

__all__ = ["DEFAULTS", "ENUMS", "UnknownAttribute", "canonical_name", "convert", "show"]

# Enumerations by attribute: the names in the order of their numbers (None where a number is not used).
ENUMS: dict[str, tuple[str | None, ...]] = {
    "managedPipelineMode": ("Integrated", "Classic"),
    "startMode": ("OnDemand", "AlwaysRunning"),
    "processModel.identityType": (
        "LocalSystem",
        "LocalService",
        "NetworkService",
        "SpecificUser",
        "ApplicationPoolIdentity",
    ),
    "processModel.idleTimeoutAction": ("Terminate", "Suspend"),
    "processModel.logonType": ("LogonBatch", "LogonService"),
    "cpu.action": ("NoAction", "KillW3wp", "Throttle", "ThrottleUnderLoad"),
    "cpu.numaNodeAssignment": ("MostAvailableMemory", "WindowsScheduling"),
    "cpu.numaNodeAffinityMode": ("Soft", "Hard"),
    "failure.loadBalancerCapabilities": (None, "TcpLevel", "HttpLevel"),
}

# What New-WebAppPool gives on IIS 10. Times are timedelta, a list is a collection.
DEFAULTS: dict[str, Any] = {
    "queueLength": 1000,
    "autoStart": True,
    "enable32BitAppOnWin64": False,
    "managedRuntimeVersion": "v4.0",
    "managedRuntimeLoader": "webengine4.dll",
    "enableConfigurationOverride": True,
    "managedPipelineMode": "Integrated",
    "CLRConfigFile": "",
    "passAnonymousToken": True,
    "startMode": "OnDemand",
    "processModel.identityType": "ApplicationPoolIdentity",
    "processModel.userName": "",
    "processModel.password": "",
    "processModel.requestQueueDelegatorIdentity": "",
    "processModel.loadUserProfile": False,
    "processModel.setProfileEnvironment": True,
    "processModel.logonType": "LogonBatch",
    "processModel.logEventOnProcessModel": "IdleTimeout",
    "processModel.manualGroupMembership": False,
    "processModel.idleTimeout": timedelta(minutes=20),
    "processModel.idleTimeoutAction": "Terminate",
    "processModel.maxProcesses": 1,
    "processModel.shutdownTimeLimit": timedelta(seconds=90),
    "processModel.startupTimeLimit": timedelta(seconds=90),
    "processModel.pingingEnabled": True,
    "processModel.pingInterval": timedelta(seconds=30),
    "processModel.pingResponseTime": timedelta(seconds=90),
    "recycling.disallowOverlappingRotation": False,
    "recycling.disallowRotationOnConfigChange": False,
    "recycling.logEventOnRecycle": "Time,Requests,Schedule,Memory,IsapiUnhealthy,OnDemand,ConfigChange,PrivateMemory",
    "recycling.periodicRestart.memory": 0,
    "recycling.periodicRestart.privateMemory": 0,
    "recycling.periodicRestart.requests": 0,
    "recycling.periodicRestart.time": timedelta(hours=29),
    "recycling.periodicRestart.schedule": [],
    "failure.loadBalancerCapabilities": "HttpLevel",
    "failure.orphanWorkerProcess": False,
    "failure.orphanActionExe": "",
    "failure.orphanActionParams": "",
    "failure.rapidFailProtection": True,
    "failure.rapidFailProtectionInterval": timedelta(minutes=5),
    "failure.rapidFailProtectionMaxCrashes": 5,
    "failure.autoShutdownExe": "",
    "failure.autoShutdownParams": "",
    "cpu.limit": 0,
    "cpu.action": "NoAction",
    "cpu.resetInterval": timedelta(minutes=5),
    "cpu.smpAffinitized": False,
    "cpu.smpProcessorAffinityMask": 4294967295,
    "cpu.smpProcessorAffinityMask2": 4294967295,
    "cpu.processorGroup": 0,
    "cpu.numaNodeAssignment": "MostAvailableMemory",
    "cpu.numaNodeAffinityMode": "Soft",
}
_NAMES = {name.lower(): name for name in DEFAULTS}


class UnknownAttribute(Exception):
    """IIS' schema has no attribute of that name, or the value is not of its type."""


def canonical_name(name: str) -> str:
    """The attribute as the schema writes it; names go without regard to case."""
    try:
        return _NAMES[name.lower()]
    except KeyError:
        raise UnknownAttribute(name) from None


def convert(name: str, value: Any) -> Any:
    """A value as given by a user -> as IIS keeps it; raises UnknownAttribute for one that is not of the attribute's
    type.
    """
    kind = DEFAULTS[name]
    if name in ENUMS:
        return _enum(name, value)
    if isinstance(kind, list):
        items = value if isinstance(value, list) else [part.strip() for part in str(value).split(",") if part.strip()]
        return [_show_time(_time(name, item)) for item in items]
    if isinstance(kind, bool):
        return value if isinstance(value, bool) else str(value).strip().lower() in ("true", "yes", "1", "on")
    if isinstance(kind, timedelta):
        return _time(name, value)
    if isinstance(kind, int):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise UnknownAttribute(f"{name}: {value!r} is not a number") from None
    return "" if value is None else str(value)


def show(value: Any) -> Any:
    """A kept value as JSON: times as ``d.hh:mm:ss``."""
    return _show_time(value) if isinstance(value, timedelta) else value


def _enum(name: str, value: Any) -> str:
    choices = ENUMS[name]
    for number, choice in enumerate(choices):
        if choice is not None and (str(value).lower() == choice.lower() or str(value) == str(number)):
            return choice
    raise UnknownAttribute(f"{name}: {value!r} is not one of {', '.join(choice for choice in choices if choice)}")


def _time(name: str, value: Any) -> timedelta:
    """``[d.]hh:mm[:ss]``; a bare number in a string is days, a number by itself 100 ns ticks, as .NET casts them."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return timedelta(microseconds=value / 10)
    found = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?", str(value).strip())
    if found:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if re.fullmatch(r"\d+", str(value).strip()):
        return timedelta(days=int(value))
    raise UnknownAttribute(f"{name}: {value!r} is not a time span")


def _show_time(value: timedelta) -> str:
    hours, rest = divmod(value.seconds, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{value.days}.{clock}" if value.days else clock
