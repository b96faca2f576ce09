# ruff: noqa: RUF001  # letters of other languages
"""What Windows writes in the languages that the lab knows: names of accounts, texts of errors, years of dates.

Names of accounts and the texts of common errors are Windows' own; any other text is a stand-in in that language with
the error's number, which is enough to see that nobody reads it. Windows Server has no Thai edition: a server in
Thailand is an English one with Thailand's regional format, whose years are those of the Buddhist calendar.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LANGUAGES", "SPOKEN", "Language", "calling", "untranslated"]

SPOKEN: contextvars.ContextVar[str] = contextvars.ContextVar("spoken", default="en")
"""The language of the host for which this thread works, as a name of LANGUAGES."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """accounts: English name (`BUILTIN\\Users`) -> Windows' own, where it is another. errors: Win32 number -> text;
    any other is `error` with its number. calling: what PowerShell says of a method that threw. year_offset: of the
    calendar that dates are written in. `administrator`, `guest`: the users of that SID.
    """

    culture: str
    administrator: str = "Administrator"
    guest: str = "Guest"
    accounts: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[int, str] = field(default_factory=dict)
    error: str = ""
    calling: str = 'Exception calling "{method}" with "{count}" argument(s): "{text}"'
    untranslated: str = "Some or all identity references could not be translated."
    year_offset: int = 0


_GERMAN_ACCOUNTS = {
    "Everyone": "Jeder",
    "CREATOR OWNER": "ERSTELLER-BESITZER",
    "CREATOR GROUP": "ERSTELLERGRUPPE",
    "NT AUTHORITY\\NETWORK": "NT-AUTORITÄT\\NETZWERK",
    "NT AUTHORITY\\BATCH": "NT-AUTORITÄT\\BATCH",
    "NT AUTHORITY\\INTERACTIVE": "NT-AUTORITÄT\\INTERAKTIV",
    "NT AUTHORITY\\SERVICE": "NT-AUTORITÄT\\DIENST",
    "NT AUTHORITY\\ANONYMOUS LOGON": "NT-AUTORITÄT\\ANONYMOUS-ANMELDUNG",
    "NT AUTHORITY\\Authenticated Users": "NT-AUTORITÄT\\Authentifizierte Benutzer",
    "NT AUTHORITY\\IUSR": "NT-AUTORITÄT\\IUSR",
    "NT AUTHORITY\\SYSTEM": "NT-AUTORITÄT\\SYSTEM",
    "NT AUTHORITY\\LOCAL SERVICE": "NT-AUTORITÄT\\LOKALER DIENST",
    "NT AUTHORITY\\NETWORK SERVICE": "NT-AUTORITÄT\\NETZWERKDIENST",
    "BUILTIN\\Administrators": "VORDEFINIERT\\Administratoren",
    "BUILTIN\\Users": "VORDEFINIERT\\Benutzer",
    "BUILTIN\\Guests": "VORDEFINIERT\\Gäste",
    "BUILTIN\\Power Users": "VORDEFINIERT\\Hauptbenutzer",
    "BUILTIN\\Backup Operators": "VORDEFINIERT\\Sicherungs-Operatoren",
    "BUILTIN\\Remote Desktop Users": "VORDEFINIERT\\Remotedesktopbenutzer",
    "BUILTIN\\Performance Monitor Users": "VORDEFINIERT\\Systemmonitorbenutzer",
    "BUILTIN\\Performance Log Users": "VORDEFINIERT\\Leistungsprotokollbenutzer",
    "BUILTIN\\IIS_IUSRS": "VORDEFINIERT\\IIS_IUSRS",
    "BUILTIN\\Remote Management Users": "VORDEFINIERT\\Remoteverwaltungsbenutzer",
}
_FRENCH_ACCOUNTS = {
    "Everyone": "Tout le monde",
    "CREATOR OWNER": "CREATEUR PROPRIETAIRE",
    "CREATOR GROUP": "GROUPE CREATEUR",
    "NT AUTHORITY\\NETWORK": "AUTORITE NT\\RESEAU",
    "NT AUTHORITY\\BATCH": "AUTORITE NT\\TÂCHE",
    "NT AUTHORITY\\INTERACTIVE": "AUTORITE NT\\INTERACTIF",
    "NT AUTHORITY\\SERVICE": "AUTORITE NT\\SERVICE",
    "NT AUTHORITY\\ANONYMOUS LOGON": "AUTORITE NT\\ANONYMOUS LOGON",
    "NT AUTHORITY\\Authenticated Users": "AUTORITE NT\\Utilisateurs authentifiés",
    "NT AUTHORITY\\IUSR": "AUTORITE NT\\IUSR",
    "NT AUTHORITY\\SYSTEM": "AUTORITE NT\\Système",
    "NT AUTHORITY\\LOCAL SERVICE": "AUTORITE NT\\SERVICE LOCAL",
    "NT AUTHORITY\\NETWORK SERVICE": "AUTORITE NT\\SERVICE RÉSEAU",
    "BUILTIN\\Administrators": "BUILTIN\\Administrateurs",
    "BUILTIN\\Users": "BUILTIN\\Utilisateurs",
    "BUILTIN\\Guests": "BUILTIN\\Invités",
    "BUILTIN\\Power Users": "BUILTIN\\Utilisateurs avec pouvoir",
    "BUILTIN\\Backup Operators": "BUILTIN\\Opérateurs de sauvegarde",
    "BUILTIN\\Remote Desktop Users": "BUILTIN\\Utilisateurs du Bureau à distance",
    "BUILTIN\\Performance Monitor Users": "BUILTIN\\Utilisateurs de l’Analyseur de performances",
    "BUILTIN\\Performance Log Users": "BUILTIN\\Utilisateurs du journal de performances",
    "BUILTIN\\Remote Management Users": "BUILTIN\\Utilisateurs de gestion à distance",
}
_GERMAN_ERRORS = {
    2: "Das System kann die angegebene Datei nicht finden.",
    3: "Das System kann den angegebenen Pfad nicht finden.",
    5: "Zugriff verweigert",
    32: "Der Prozess kann nicht auf die Datei zugreifen, da sie von einem anderen Prozess verwendet wird.",
    53: "Der Netzwerkpfad wurde nicht gefunden.",
    64: "Der angegebene Netzwerkname ist nicht mehr verfügbar.",
    67: "Der Netzwerkname wurde nicht gefunden.",
    80: "Die Datei ist vorhanden.",
    86: "Das angegebene Netzwerkkennwort ist falsch.",
    87: "Falscher Parameter.",
    112: "Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung.",
    123: "Die Syntax für den Dateinamen, Verzeichnisnamen oder die Datenträgerbezeichnung ist falsch.",
    145: "Das Verzeichnis ist nicht leer.",
    183: "Eine Datei kann nicht erstellt werden, wenn sie bereits vorhanden ist.",
    267: "Der Verzeichnisname ist ungültig.",
    1060: "Der angegebene Dienst ist kein installierter Dienst.",
    1326: "Der Benutzername oder das Kennwort ist falsch.",
    1332: "Zuordnungen von Kontennamen und Sicherheitskennungen wurden nicht durchgeführt.",
    1753: "Es sind keine weiteren Endpunkte von der Endpunktzuordnung verfügbar.",
}
_FRENCH_ERRORS = {
    2: "Le fichier spécifié est introuvable.",
    3: "Le chemin d’accès spécifié est introuvable.",
    5: "Accès refusé.",
    32: "Le processus ne peut pas accéder au fichier car ce fichier est utilisé par un autre processus.",
    53: "Le chemin réseau n’a pas été trouvé.",
    64: "Le nom réseau spécifié n’est plus disponible.",
    67: "Nom de réseau introuvable.",
    80: "Le fichier existe.",
    86: "Le mot de passe réseau spécifié est incorrect.",
    87: "Paramètre incorrect.",
    112: "Espace insuffisant sur le disque.",
    145: "Le répertoire n’est pas vide.",
    183: "Impossible de créer un fichier déjà existant.",
    1326: "Le nom d’utilisateur ou le mot de passe est incorrect.",
    1332: "Le mappage entre les noms de compte et les ID de sécurité n’a pas été effectué.",
}
_JAPANESE_ERRORS = {
    2: "指定されたファイルが見つかりません。",
    3: "指定されたパスが見つかりません。",
    5: "アクセスが拒否されました。",
    32: "プロセスはファイルにアクセスできません。別のプロセスが使用中です。",
    53: "ネットワーク パスが見つかりません。",
    86: "指定されたネットワーク パスワードが間違っています。",
    112: "ディスクに十分な空き領域がありません。",
}
_TURKISH_ERRORS = {
    2: "Sistem belirtilen dosyayı bulamıyor.",
    3: "Sistem belirtilen yolu bulamıyor.",
    5: "Erişim engellendi.",
    53: "Ağ yolu bulunamadı.",
    112: "Diskte yeterli yer yok.",
}

LANGUAGES = {
    "en": Language(culture="en-US"),
    "de": Language(
        culture="de-DE",
        guest="Gast",
        accounts=_GERMAN_ACCOUNTS,
        errors=_GERMAN_ERRORS,
        error="Fehler {number} (0x{number:x})",
        calling='Ausnahme beim Aufrufen von "{method}" mit {count} Argument(en):  "{text}"',
        untranslated="Manche oder alle Identitätsverweise konnten nicht übersetzt werden.",
    ),
    "fr": Language(
        culture="fr-FR",
        administrator="Administrateur",
        guest="Invité",
        accounts=_FRENCH_ACCOUNTS,
        errors=_FRENCH_ERRORS,
        error="Erreur {number} (0x{number:x})",
        calling="Exception lors de l'appel de « {method} » avec « {count} » argument(s) : « {text} »",
        untranslated="Impossible de traduire certaines ou toutes les références d'identité.",
    ),
    "ja": Language(
        culture="ja-JP",
        errors=_JAPANESE_ERRORS,
        error="エラー {number} (0x{number:x})",
        calling='"{count}" 個の引数を指定して "{method}" を呼び出し中に例外が発生しました: "{text}"',
        untranslated="一部またはすべての ID 参照を変換できませんでした。",
    ),
    "tr": Language(
        culture="tr-TR",
        errors=_TURKISH_ERRORS,
        error="Hata {number} (0x{number:x})",
        calling='"{count}" bağımsız değişkenle "{method}" çağrılırken özel durum oluştu: "{text}"',
        untranslated="Kimlik başvurularının bazıları veya tümü çevrilemedi.",
    ),
    "th": Language(culture="th-TH", year_offset=543),
}


def calling(method: str, count: int, text: str) -> str:
    """What PowerShell says of a method that threw, in the language that is spoken."""
    return LANGUAGES[SPOKEN.get()].calling.format(method=method, count=count, text=text)


def untranslated() -> str:
    """What PowerShell says where Translate does not know an account."""
    return calling("Translate", 1, LANGUAGES[SPOKEN.get()].untranslated)
