"""Faults as data: a name of ``fault_list.KNOWN`` and arguments; ``apply`` makes it happen, ``undo`` takes it back where
that has a meaning.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..windows.errors import WinError
from ..windows.models import SCRIPTS, ModuleFault, load_models
from ..windows.winrm import WinRm, WinRmSettings
from .config import parse_size
from .fault_list import KNOWN, usage

if TYPE_CHECKING:
    from ..windows.drives import Volume
    from ..windows.host import WindowsHost
    from .estate import Estate

__all__ = ["FAULTS", "FaultyWinRm", "apply", "damage", "undo"]

_HOLDER = "fault: another process"


class FaultyWinRm(WinRm):
    """The WinRM service of a host, which can be slow and can break off. Without faults it is the plain one."""

    def __init__(self, host: WindowsHost, settings: WinRmSettings):
        super().__init__(host, settings)
        self.slow_seconds = 0.0
        self.drop_after = 0
        self.drop_times = 0
        self._seen = 0
        self._answer = self.wsman.answer
        self.wsman.answer = self._faulty_answer  # type: ignore[method-assign]

    def _faulty_answer(self, *arguments: Any) -> Any:
        if self.slow_seconds:
            time.sleep(self.slow_seconds)
        if self.drop_times:
            self._seen += 1
            if self._seen > self.drop_after:
                self._seen, self.drop_times = 0, self.drop_times - 1
                raise ConnectionAbortedError("fault: the connection breaks")
        return self._answer(*arguments)

    def drop(self, *, after: int, times: int) -> None:
        self._seen, self.drop_after, self.drop_times = 0, after, times


def apply(estate: Estate, name: str, arguments: dict[str, Any]) -> None:
    """Raises KeyError for an unknown fault or host, TypeError or ValueError for wrong arguments; the texts say what
    there is.
    """
    _run(_known(name)[0], estate, name, arguments)


def undo(estate: Estate, name: str, arguments: dict[str, Any]) -> None:
    """Takes the fault back; raises like ``apply``."""
    _run(_known(name)[1], estate, name, arguments)


def _known(name: str) -> tuple[Callable[..., None], Callable[..., None]]:
    if name not in FAULTS:
        raise KeyError(f"no fault {name}; there are {', '.join(FAULTS)}")
    return FAULTS[name]


def _run(function: Callable[..., None], estate: Estate, name: str, arguments: dict[str, Any]) -> None:
    try:
        inspect.signature(function).bind(estate, **arguments)
    except TypeError as error:
        raise TypeError(f"{error}: {usage(name)}") from error
    function(estate, **arguments)


def damage(
    estate: Estate,
    path: str,
    *,
    host: str = "",
    offset: int | None = None,
    length: int = 64,
    truncate: int | None = None,
) -> int:
    """Overwrites bytes of a file (by default in its middle) or cuts it; answers the file's new size.

    ``path`` is local to ``host``, or ``\\\\server\\share\\...``. Raises WinError, KeyError for an unknown host,
    ValueError for an empty file or a path that is neither.
    """
    if host:
        owner = estate.host(host)
    else:
        server, share_name, rest = [*path.strip("\\").split("\\", 2), "", ""][:3]
        if not path.startswith("\\\\") or not rest:
            raise ValueError(rf"{path}: give \\server\share\file, or a local path with --host")
        owner = estate.host(server)
        share = owner.shares.find(share_name)
        if share is None:
            raise WinError(67, path)
        path = f"{share.path}\\{rest}"
    real = owner.files("NT AUTHORITY\\SYSTEM").real_path(path, "rb")
    size = real.stat().st_size
    with real.open("r+b") as file:
        if truncate is not None:
            file.truncate(truncate)
            return truncate
        if not size:
            raise ValueError(f"{path} is empty, there is nothing to damage")
        start = size // 2 if offset is None else offset
        file.seek(start)
        old = file.read(min(length, size - start))
        file.seek(start)
        # Differing bits: a page's checksum does not see the same ones flipped in an even number of words.
        file.write(bytes(byte ^ (0xA5 + 3 * place) % 255 + 1 for place, byte in enumerate(old)))
    return size


def _worker_lingers(estate: Estate, *, host: str, seconds: float) -> None:
    estate.host(host).iis.linger_seconds = float(seconds)


def _iis_busy(estate: Estate, *, host: str, times: int | str = 1) -> None:
    estate.host(host).iis.busy_times = int(times)


def _slow_site(estate: Estate, *, host: str, seconds: float) -> None:
    estate.host(host).iis.slow_seconds = float(seconds)


def _winrm_of(estate: Estate, host: str) -> FaultyWinRm:
    return next(server for server in estate.host(host).network if isinstance(server, FaultyWinRm))


def _slow_winrm(estate: Estate, *, host: str, seconds: float) -> None:
    _winrm_of(estate, host).slow_seconds = float(seconds)


def _drop_winrm(estate: Estate, *, host: str, after: int, times: int = 1) -> None:
    _winrm_of(estate, host).drop(after=int(after), times=int(times))


def _winrm_stopped(estate: Estate, *, host: str) -> None:
    _winrm_of(estate, host).close()


def _winrm_started(estate: Estate, *, host: str) -> None:
    winrm = _winrm_of(estate, host)
    winrm.close()  # a restart of Windows has started it meanwhile
    winrm.open()


def _share_gone(estate: Estate, *, host: str, share: str) -> None:
    owner = estate.host(host)
    if owner.shares.find(share) is None:
        raise KeyError(f"{host} has no share {share}")
    owner.shares.remove(share)


def _share_rights(estate: Estate, *, host: str, share: str, account: str) -> None:
    owner = estate.host(host)
    found = owner.shares.find(share)
    if found is None:
        raise KeyError(f"{host} has no share {share}")
    sid = owner.accounts.lookup(account)
    found.access = [(who, level) for who, level in found.access if who != sid]


def _prepare_again(estate: Estate, *, host: str, share: str, account: str = "") -> None:
    """Share and rights as the estate's file has them; what lies in the folder stays."""
    estate.prepare(estate.host(host))


def _disk_size(estate: Estate, *, host: str, drive: str, size: str | int) -> None:
    _volume(estate, host, drive).capacity = parse_size(size)


def _volume(estate: Estate, host: str, drive: str) -> Volume:
    volumes = estate.host(host).drives.volumes
    letter = drive.upper().rstrip(":\\")
    if letter not in volumes:
        raise KeyError(f"{host} has no drive {drive}; there are {', '.join(volumes)}")
    return volumes[letter]


def _disk_back(estate: Estate, *, host: str, drive: str, size: str | int = "") -> None:
    config = estate.config.host(estate.host(host).name)
    _volume(estate, host, drive).capacity = next(
        item.size for item in config.drives if item.letter == drive.upper().rstrip(":\\")
    )


def _user(estate: Estate, account: str, host: str) -> Any:
    owner = estate.host(host) if host else next(iter(estate.hosts.values()))
    found = owner.accounts.find_user(account)
    if found is None:
        raise KeyError(f"no account {account}")
    return found


def _password_expired(estate: Estate, *, account: str, host: str = "") -> None:
    _user(estate, account, host).password_expired = True


def _password_fresh(estate: Estate, *, account: str, host: str = "") -> None:
    _user(estate, account, host).password_expired = False


def _restart_pending(estate: Estate, *, host: str, sticky: bool = False) -> None:
    estate.host(host).power.require_restart(sticky=str(sticky).lower() in ("true", "1", "yes"))


def _not_sticky(estate: Estate, *, host: str, sticky: bool = False) -> None:
    estate.host(host).power.sticky_restart = False


def _clock(estate: Estate, *, host: str, seconds: float) -> None:
    estate.host(host).clock_offset = dt.timedelta(seconds=float(seconds))


def _sql(
    estate: Estate,
    *,
    host: str,
    action: str,
    instance: str = "MSSQLSERVER",
    pattern: str = "",
    after: int = 0,
    times: int = 1,
    seconds: float = 0,
    number: int = 50000,
    text: str = "Lab: a fault that was asked for.",
) -> None:
    from ..sqlserver.faults import Fault

    if action not in (known := ("drop_rst", "drop_fin", "delay", "error", "kill")):
        raise ValueError(f"no action {action}; there are {', '.join(known)}")
    fault = Fault(
        action=action,
        pattern=pattern,
        after=int(after),
        times=int(times),
        seconds=float(seconds),
        number=int(number),
        text=text,
    )
    _running_instance(estate, host, instance).faults.add(fault)


def _no_sql(estate: Estate, *, host: str, instance: str = "MSSQLSERVER", **_: Any) -> None:
    _running_instance(estate, host, instance).faults.clear()


def _running_instance(estate: Estate, host: str, instance: str) -> Any:
    found = estate.host(host).sql_server.running(instance)
    if found is None:
        raise KeyError(f"no instance {instance} runs on {host}")
    return found


def _module(
    estate: Estate,
    *,
    host: str,
    pattern: str,
    after: int = 0,
    times: int = 1,
    text: str = "Lab: a fault that was asked for.",
) -> None:
    estate.host(host).module_faults.append(ModuleFault(pattern=pattern, after=int(after), times=int(times), text=text))


def _no_module(estate: Estate, *, host: str, **_: Any) -> None:
    estate.host(host).module_faults.clear()


def _script(estate: Estate, *, host: str, script: str, text: str) -> None:
    load_models()
    if script not in SCRIPTS:
        raise ValueError(f"{script} is the name of no script, and the fault would never strike")
    estate.host(host).script_faults[script] = text


def _no_script(estate: Estate, *, host: str, script: str, **_: Any) -> None:
    estate.host(host).script_faults.pop(script, None)


def _iis_denied(estate: Estate, *, host: str) -> None:
    estate.host(host).iis.is_denied = True


def _iis_allowed(estate: Estate, *, host: str) -> None:
    estate.host(host).iis.is_denied = False


def _held(estate: Estate, *, host: str, path: str) -> None:
    estate.host(host).files("NT AUTHORITY\\SYSTEM").hold(path, _HOLDER)


def _released(estate: Estate, *, host: str, path: str) -> None:
    estate.host(host).files("NT AUTHORITY\\SYSTEM").release(path, _HOLDER)


def _mirror_lag(
    estate: Estate, *, host: str, sending: bool = True, redo: bool = False, instance: str = "MSSQLSERVER"
) -> None:
    mirroring = _running_instance(estate, host, instance).mirroring
    mirroring.hold_sending, mirroring.hold_redo = (
        str(value).lower() in ("true", "1", "yes") for value in (sending, redo)
    )


def _off(make: Callable[..., None], **zero: Any) -> Callable[..., None]:
    """The way back of a fault that is a number: the same with zero."""

    def back(estate: Estate, **arguments: Any) -> None:
        make(estate, **{**arguments, **zero})

    back.__signature__ = inspect.signature(functools.partial(make, **zero))  # type: ignore[attr-defined]
    return back


# name -> (make it happen, take it back)
FAULTS: dict[str, tuple[Callable[..., None], Callable[..., None]]] = {
    "worker-lingers": (_worker_lingers, _off(_worker_lingers, seconds=0)),
    "iis-busy": (_iis_busy, _off(_iis_busy, times=0)),
    "slow-site": (_slow_site, _off(_slow_site, seconds=0)),
    "slow-winrm": (_slow_winrm, _off(_slow_winrm, seconds=0)),
    "drop-winrm": (_drop_winrm, _off(_drop_winrm, after=0, times=0)),
    "winrm-stopped": (_winrm_stopped, _winrm_started),
    "share-gone": (_share_gone, _prepare_again),
    "share-rights": (_share_rights, _prepare_again),
    "disk-size": (_disk_size, _disk_back),
    "password-expired": (_password_expired, _password_fresh),
    "restart-pending": (_restart_pending, _not_sticky),
    "clock": (_clock, _off(_clock, seconds=0)),
    "sql": (_sql, _no_sql),
    "module": (_module, _no_module),
    "script": (_script, _no_script),
    "iis-denied": (_iis_denied, _iis_allowed),
    "held": (_held, _released),
    "mirror-lag": (_mirror_lag, _off(_mirror_lag, sending=False, redo=False)),
}
assert FAULTS.keys() == KNOWN.keys()
