"""Win32 errors: a number, the path or name it is about, and the text that Windows shows for it in its language."""

from __future__ import annotations

from .languages import LANGUAGES, SPOKEN

__all__ = ["TEXTS", "WinError"]

TEXTS = {
    2: "The system cannot find the file specified.",
    3: "The system cannot find the path specified.",
    5: "Access is denied.",
    17: "The system cannot move the file to a different disk drive.",
    21: "The device is not ready.",
    32: "The process cannot access the file because it is being used by another process.",
    33: "The process cannot access the file because another process has locked a portion of the file.",
    53: "The network path was not found.",
    64: "The specified network name is no longer available.",
    67: "The network name cannot be found.",
    80: "The file exists.",
    86: "The specified network password is not correct.",
    87: "The parameter is incorrect.",
    112: "There is not enough space on the disk.",
    123: "The filename, directory name, or volume label syntax is incorrect.",
    145: "The directory is not empty.",
    183: "Cannot create a file when that file already exists.",
    267: "The directory name is invalid.",
    1051: "A stop control has been sent to a service that other running services are dependent on.",
    1053: "The service did not respond to the start or control request in a timely fashion.",
    1056: "An instance of the service is already running.",
    1058: (
        "The service cannot be started, either because it is disabled or because it has no enabled devices "
        "associated with it."
    ),
    1060: "The specified service does not exist as an installed service.",
    1062: "The service has not been started.",
    1067: "The process terminated unexpectedly.",
    1068: "The dependency service or group failed to start.",
    1069: "The service did not start due to a logon failure.",
    1073: "The specified service already exists.",
    1116: "Unable to abort the system shutdown because no shutdown was in progress.",
    1190: "A system shutdown has already been scheduled.",
    1219: "Multiple connections to a server or shared resource by the same user, using more than one user name, are "
    "not allowed. "
    "Disconnect all previous connections to the server or shared resource and try again.",
    1311: "We can't sign you in with this credential because your domain isn't available. Make sure your device is "
    "connected to "
    "your organization's network and try again.",
    1312: "A specified logon session does not exist. It may already have been terminated.",
    1314: "A required privilege is not held by the client.",
    1326: "The user name or password is incorrect.",
    1331: "This user can't sign in because this account is currently disabled.",
    1332: "No mapping between account names and security IDs was done.",
    1385: "Logon failure: the user has not been granted the requested logon type at this computer.",
    1330: "The password for this account has expired.",
    1376: "The specified local group does not exist.",
    1377: "The specified account name is not a member of the group.",
    1378: "The specified account name is already a member of the group.",
    1753: "There are no more endpoints available from the endpoint mapper.",
    2250: "This network connection does not exist.",
}

_DOTNET = {
    2: "Could not find file '{path}'.",
    3: "Could not find a part of the path '{path}'.",
    5: "Access to the path '{path}' is denied.",
    32: "The process cannot access the file '{path}' because it is being used by another process.",
    145: "The directory is not empty.",
}


class WinError(Exception):
    """What a Win32 call answers when it fails.

    `number` is the Win32 error, `path` the file, share, service or account that it is about, `text` Windows' own
    sentence in the language that the host speaks for which this thread works.
    """

    def __init__(self, number: int, path: str = "") -> None:
        self.number = number
        self.path = path
        self.text = _text(number)
        super().__init__(f"{self.text} ({number}): {path}" if path else f"{self.text} ({number})")

    @property
    def dotnet(self) -> str:
        """The message of the .NET exception for it, which is what PowerShell scripts and modules show."""
        template = _DOTNET.get(self.number)
        if template and not LANGUAGES[SPOKEN.get()].error:
            return template.format(path=self.path)
        return f"{self.text} ({self.path})" if template else self.text


def _text(number: int) -> str:
    language = LANGUAGES[SPOKEN.get()]
    if language.error:
        return language.errors.get(number) or language.error.format(number=number)
    return TEXTS.get(number, f"Unknown error (0x{number:x})")
