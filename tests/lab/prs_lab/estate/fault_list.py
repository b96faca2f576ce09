"""The faults that the lab knows: what each takes and does. ``faults.py`` makes them happen; the command line reads this
list alone.
"""

from __future__ import annotations

__all__ = ["KNOWN", "listing", "usage"]

KNOWN = {
    "worker-lingers": ("host, seconds", "a pool's worker process outlives its pool's stop"),
    "slow-site": ("host, seconds", "every page takes so long"),
    "slow-winrm": ("host, seconds", "every WinRM request takes so long"),
    "drop-winrm": ("host, after, times=1", "after so many WinRM requests the connection breaks, so many times"),
    "winrm-stopped": ("host", "the service WinRM is stopped: Windows lives, and refuses connections there"),
    "share-gone": ("host, share", "the share is not offered any more"),
    "share-rights": ("host, share, account", "the account loses its rights on the share"),
    "disk-size": ("host, drive, size", "the drive has this size from now on ('60 GB'); less than is used means full"),
    "password-expired": ("account, host=''", "of the domain, or of one host when host is given"),
    "restart-pending": ("host, sticky=false", "Windows waits for a restart; sticky: again after every restart"),
    "clock": ("host, seconds", "the host's clock is off by so much"),
    "sql": (
        "host, action, instance=MSSQLSERVER, pattern='', after=0, times=1, seconds=0, number=50000, text=''",
        (
            "batches that match the pattern meet it: drop_rst, drop_fin, delay (seconds), error (number, text), kill "
            "(the instance)"
        ),
    ),
    "module": (
        "host, pattern, after=0, times=1, text=''",
        "Ansible's modules whose name and arguments (JSON) match the pattern fail with the text; not in check mode",
    ),
    "script": (
        "host, script, text",
        "a script of a role (its file's name without .ps1) fails as a whole, as where CIM is denied or scripts are blocked; "
        "win_powershell then tells the text as its error, an empty result, and no msg",
    ),
    "iis-denied": (
        "host",
        "the configuration of IIS may not be read: not by scripts, nor by modules, nor by the verb pool",
    ),
    "iis-busy": ("host, times=1", "IIS refuses so many starts and stops of pools: it cannot accept them at this time"),
    "held": ("host, path", "another process (a virus scanner) has the file or folder open"),
    "mirror-lag": (
        "host, sending=true, redo=false, instance=MSSQLSERVER",
        "no log gets from this server to its mirrors; none is redone on it as mirror",
    ),
}
"""Name -> (arguments, as ``name`` or ``name=default``; what it does)."""


def usage(name: str) -> str:
    """A fault's name and arguments."""
    return f"{name} takes {KNOWN[name][0]}"


def listing() -> str:
    """One fault a line, as a table."""
    return "\n".join(f"  {name:<18}{takes}\n{'':<20}{does}" for name, (takes, does) in KNOWN.items())
