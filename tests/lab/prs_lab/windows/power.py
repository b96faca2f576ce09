"""Power of one host: boot, reboot, shutdown on a timer, loss, wipe; and stopping and resuming the lab itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import WinError
from .parts import Part, host_part
from .registry import PENDING_RENAMES, REBOOT_PENDING
from .silence import Silence, listening_ports

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Power", "PowerLost"]

# Windows makes this key when it has booted; win_reboot waits for it.
_AUTO_LOGON_CHECKED = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked"
_UPDATE_REBOOT = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"


class PowerLost(Exception):
    """The host went down while something was running on it."""


@host_part("power")
class Power(Part):
    """`state`: on, booting, off. `boot_time` is a POSIX time of this machine. A host that is off answers nothing on the
    network: ports on which it listened drop what comes, as does an address that nobody has; others refuse.
    """

    def __init__(self, host: WindowsHost) -> None:
        super().__init__(host)
        self.state = "off"
        self.boot_count = 0
        self.boot_time = time.time()
        self.sticky_restart = False
        self._silence = Silence(host.address)
        self._silent_ports: list[int] = []
        self._timer: threading.Timer | None = None
        self._change = threading.RLock()

    def reset(self) -> None:
        self.sticky_restart = False

    @property
    def is_on(self) -> bool:
        return self.state == "on"

    @property
    def booted_at(self) -> datetime:
        """What the host says: who sets its clock moves this too, for Windows counts back from now."""
        return datetime.fromtimestamp(self.boot_time, UTC) + self.host.clock_offset

    @property
    def restart_pending(self) -> bool:
        """Whether Windows would say that it wants a restart: read from the registry, where installers look for it."""
        registry = self.host.registry
        return bool(
            registry.exists(REBOOT_PENDING) or registry.exists(_UPDATE_REBOOT) or registry.get(*PENDING_RENAMES)
        )

    def require_restart(self, *, sticky: bool = False) -> None:
        """A feature or an installation wants a restart. `sticky`: a product that sets its pending renames again at
        every boot.
        """
        if sticky:
            self.sticky_restart = True
            self.host.registry.set(*PENDING_RENAMES, [r"\??\C:\Windows\Temp\stuck.tmp", ""], "multistring")
        else:
            self.host.registry.create(REBOOT_PENDING)

    # Going up

    def start(self) -> None:
        """Switch the host on; returns when it has booted."""
        with self._change:
            if self.state == "on":
                return
            self.state = "booting"
            time.sleep(self.host.boot_seconds)
            registry = self.host.registry
            registry.delete_key(REBOOT_PENDING)
            registry.delete_key(_UPDATE_REBOOT)
            registry.delete_value(*PENDING_RENAMES)
            if self.sticky_restart:
                self.require_restart(sticky=True)
            registry.create(_AUTO_LOGON_CHECKED)
            self.boot_time = time.time()
            self.boot_count += 1
            self._silence.end()
            self.host.services.boot()
            for part in self.host.parts.values():
                part.booted()
            self.state = "on"
            self.host.open_network()
        self._tell("boot")

    def resume(self) -> None:
        """Bring back a host after the lab was stopped: what ran, runs; it has not booted in between."""
        with self._change:
            if self.state == "on":
                self.host.services.resume()
                for part in self.host.parts.values():
                    part.booted()
                self.host.open_network()
            elif self.state == "off":
                self._silence.begin(self._silent_ports)

    # Going down

    def kill(self) -> None:
        """Power is lost: the address stops answering in the middle of whatever it was doing."""
        self._go_silent(crash=True)
        self._tell("kill")

    def shut_down(self) -> None:
        """A clean shutdown."""
        self._go_silent(crash=False)
        self._tell("shutdown")

    def reboot(self) -> None:
        self._go_down(crash=False)
        self._tell("reboot")
        self.start()

    def wipe(self) -> None:
        """Erase the host: it comes back as a prepared, empty server with the same name, address and Administrator."""
        with self._change:
            self._go_down(crash=True)
            self.host.drives.reset()
            for part in self.host.parts.values():
                part.reset()
            self._tell("wipe")
            self.start()

    def suspend(self) -> None:
        """The lab is being stopped; the host will be resumed as it is."""
        with self._change:
            self.cancel(quiet=True)
            if self.state == "on":
                self.host.close_network()
                self.host.services.suspend()
                for part in self.host.parts.values():
                    part.stopping(crash=False)
            self._silence.end()

    def _go_silent(self, *, crash: bool) -> None:
        with self._change:
            if self.state != "off":
                self._silent_ports = listening_ports(self.host.address)
            self._go_down(crash=crash)
            self._silence.begin(self._silent_ports)

    def cut_off(self, close: Callable[[], None]) -> None:
        """Nothing gets here any more: its ports are silent once `close` has closed them."""
        ports = listening_ports(self.host.address)
        close()
        self._silence.begin(ports)

    def connect(self) -> None:
        """The network is back, and its ports are free for their listeners."""
        self._silence.end()

    def _go_down(self, *, crash: bool) -> None:
        with self._change:
            self.cancel(quiet=True)
            if self.state == "off":
                return
            self.state = "off"
            self.host.close_network()
            for part in self.host.parts.values():
                part.stopping(crash=crash)
            self.host.services.halt(crash=crash)
            self.host.drives.release_all()

    # shutdown.exe

    def schedule(self, delay: float, *, restart: bool) -> None:
        """Reboot or shut down in `delay` seconds, as `shutdown.exe /r /t` does; 1190 when one is already on its way."""
        with self.host.lock:
            if self._timer is not None:
                raise WinError(1190)
            if self.host.shutdown_limit is not None:
                delay = min(delay, self.host.shutdown_limit)
            self._timer = threading.Timer(delay, self._scheduled, kwargs={"restart": restart})
            self._timer.daemon = True
            self._timer.start()

    def cancel(self, *, quiet: bool = False) -> None:
        """Call off a scheduled shutdown, as `shutdown.exe /a` does; 1116 when there is none."""
        with self.host.lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        elif not quiet:
            raise WinError(1116)

    def _scheduled(self, *, restart: bool) -> None:
        self._timer = None
        if restart:
            self.reboot()
        else:
            self.shut_down()

    def _tell(self, event: str) -> None:
        self.host.record.add("power", self.host.name, event=event)
        self.host.changed()

    # Keeping

    def to_state(self) -> Any:
        return {
            "state": "on" if self.state == "booting" else self.state,
            "boot_time": self.boot_time,
            "boot_count": self.boot_count,
            "sticky_restart": self.sticky_restart,
            "silent_ports": self._silent_ports,
        }

    def load_state(self, state: Any) -> None:
        self.state, self.boot_time, self.boot_count = state["state"], state["boot_time"], state["boot_count"]
        self.sticky_restart = state["sticky_restart"]
        self._silent_ports = list(state.get("silent_ports", ()))
