"""Files of the Windows twin: names, rights by NTFS' rules, shares, capacity, open handles."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prs_lab.windows.errors import WinError
from prs_lab.windows.filesystem import FileView
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.scripts.verb_files import open_archive
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Rights
from prs_lab.windows.services import Service
from prs_lab.windows.shares import Share

from .windows_lab import PASSWORD, Network

EVERYONE = "S-1-1-0"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path)
    yield network
    network.close()


@pytest.fixture
def host(network: Network) -> WindowsHost:
    return network.add("WEB")


@pytest.fixture
def system(host: WindowsHost) -> FileView:
    return host.files("NT AUTHORITY\\SYSTEM")


def number(error: pytest.ExceptionInfo[WinError]) -> int:
    return error.value.number


def test_names_are_found_without_regard_to_case_and_keep_their_spelling(system: FileView) -> None:
    system.make_dir("C:\\Inetpub\\WWWRoot")
    system.write("c:/inetpub/wwwROOT/Web.Config", b"x")
    system.write("C:\\INETPUB\\wwwroot\\WEB.CONFIG", b"new")
    assert system.list("C:\\inetpub\\wwwroot") == ["Web.Config"]
    assert system.read("C:\\inetpub\\wwwroot\\.\\..\\wwwroot\\web.config") == b"new"
    assert system.spelling("c:\\INETPUB\\wwwroot\\web.config") == "C:\\Inetpub\\WWWRoot\\Web.Config"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("C:\\nothing.txt", 2),
        ("C:\\no\\such\\folder\\file.txt", 3),
        ("Q:\\file.txt", 3),
        ("C:\\a?b", 123),
        ("relative.txt", 123),
        ("C:\\Windows", 5),
        ("C:\\..\\..\\etc\\passwd", 3),
        ("\\\\nobody\\share\\file", 53),
        ("\\\\localhost\\nothing\\file", 67),
    ],
)
def test_opening_what_is_not_there_gives_windows_own_number(system: FileView, path: str, expected: int) -> None:
    with pytest.raises(WinError) as error:
        system.open(path)
    assert number(error) == expected


def test_nothing_leaves_the_drive(system: FileView, tmp_path: Path) -> None:
    system.write("C:\\..\\..\\..\\escape.txt", b"x")
    assert system.list("C:\\")[0] == "escape.txt"
    assert next(tmp_path.rglob("escape.txt")).parent.name == "C"


class TestRights:
    def test_a_service_reads_everywhere_but_writes_only_what_it_makes_itself(
        self, host: WindowsHost, system: FileView
    ) -> None:
        host.services.add(Service(name="MSSQLSERVER", display_name="SQL Server", path="x", state="running"))
        service = host.files("NT SERVICE\\MSSQLSERVER")
        system.make_dir("C:\\data")
        system.write("C:\\data\\read.me", b"hello")
        assert service.read("C:\\data\\read.me") == b"hello"
        with pytest.raises(WinError) as error:
            service.write("C:\\data\\read.me", b"no")
        assert number(error) == 5
        with pytest.raises(WinError) as error:
            service.write("C:\\Windows\\new.txt", b"no")
        assert number(error) == 5
        service.write("C:\\data\\own.txt", b"mine")
        service.write("C:\\data\\own.txt", b"still mine")

    def test_denial_wins_over_permission_and_own_entries_over_inherited_ones(
        self, host: WindowsHost, system: FileView
    ) -> None:
        pool = host.accounts.add_user("pool", "x").sid
        user = host.files("pool")
        system.make_dir("C:\\site\\logs")
        modify = Ace(sid=pool, mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT)
        deny = Ace(sid=EVERYONE, mask=Rights.WRITE_DATA, allow=False, inheritance=CONTAINER | OBJECT)
        system.set_security("C:\\site", entries=[modify, deny])
        with pytest.raises(WinError):
            user.write("C:\\site\\logs\\a.log", b"")
        system.set_security("C:\\site\\logs", entries=[modify])
        user.write("C:\\site\\logs\\a.log", b"")

    def test_protected_folders_take_nothing_from_above(self, host: WindowsHost, system: FileView) -> None:
        host.accounts.add_user("guest-user", "x")
        user = host.files("guest-user")
        system.make_dir("C:\\secret")
        assert user.exists("C:\\secret")
        administrators = next(ace for ace in system.security("C:\\secret").entries if ace.sid == "S-1-5-32-544")
        system.set_security(
            "C:\\secret", entries=[Ace(sid=administrators.sid, mask=Rights.FULL, inheritance=3)], protected=True
        )
        with pytest.raises(WinError) as error:
            user.list("C:\\secret")
        assert number(error) == 5
        assert host.files("Administrator").list("C:\\secret") == []

    def test_a_moved_folder_keeps_what_it_inherited_until_rights_are_set_above_it(
        self, host: WindowsHost, system: FileView
    ) -> None:
        pool = host.accounts.add_user("pool", "x").sid
        user = host.files("pool")
        for folder in ("C:\\open", "C:\\closed"):
            system.make_dir(folder)
        system.set_security("C:\\open", entries=[Ace(sid=pool, mask=Rights.MODIFY, inheritance=3)])
        system.make_dir("C:\\open\\app")
        system.write("C:\\open\\app\\web.config", b"1")
        system.rename("C:\\open\\app", "C:\\closed\\app")
        user.write("C:\\closed\\app\\web.config", b"2")
        system.set_security("C:\\closed", entries=[])
        with pytest.raises(WinError) as error:
            user.write("C:\\closed\\app\\web.config", b"3")
        assert number(error) == 5

    def test_rights_go_with_a_removed_folder(self, host: WindowsHost, system: FileView) -> None:
        pool = host.accounts.add_user("pool", "x").sid
        system.make_dir("C:\\app")
        system.set_security("C:\\app", entries=[Ace(sid=pool, mask=Rights.MODIFY, inheritance=3)])
        system.remove_tree("C:\\app")
        system.make_dir("C:\\app")
        assert pool not in {ace.sid for ace in system.security("C:\\app").entries}


class TestShares:
    @pytest.fixture
    def files(self, network: Network, host: WindowsHost) -> WindowsHost:
        files = network.add("FILES")
        view = files.files("NT AUTHORITY\\SYSTEM")
        view.make_dir("C:\\shares\\backup")
        files.shares.add(Share(name="backup", path="C:\\shares\\backup", access=[(EVERYONE, "full")]))
        return files

    def test_the_machine_account_goes_to_other_hosts(
        self, host: WindowsHost, files: WindowsHost, system: FileView
    ) -> None:
        local = files.files("NT AUTHORITY\\SYSTEM")
        administrators = Ace(sid="S-1-5-32-544", mask=Rights.FULL, inheritance=3)
        local.set_security("C:\\shares\\backup", entries=[administrators], protected=True)
        with pytest.raises(WinError) as error:
            system.write("\\\\files\\backup\\a.bak", b"x")
        assert number(error) == 5
        computer = files.accounts.lookup("PRSLAB\\WEB$")
        local.set_security(
            "C:\\shares\\backup",
            entries=[administrators, Ace(sid=computer, mask=Rights.MODIFY, inheritance=3)],
            protected=True,
        )
        system.write("\\\\files.prs.lab\\Backup\\a.bak", b"x")
        assert host.files("NT AUTHORITY\\NETWORK SERVICE").read("\\\\FILES\\backup\\A.BAK") == b"x"
        assert files.accounts.name_of(local.security("C:\\shares\\backup\\a.bak").owner) == "PRSLAB\\WEB$"

    def test_a_plain_winrm_logon_has_no_second_hop(self, host: WindowsHost, files: WindowsHost) -> None:
        hop = host.files("PRSLAB\\dba", delegated=False)
        with pytest.raises(WinError) as error:
            hop.list("\\\\files\\backup")
        assert number(error) == 5
        assert host.files("PRSLAB\\dba").list("\\\\files\\backup") == []

    def test_explicit_credentials(self, host: WindowsHost, files: WindowsHost) -> None:
        hop = host.files("Administrator", delegated=False)
        with pytest.raises(WinError) as error:
            hop.connect("\\\\files\\backup", "PRSLAB\\svc-backup", "wrong")
        assert number(error) == 1326
        hop.connect("\\\\files\\backup", "PRSLAB\\svc-backup", "Backup1!")
        hop.write("\\\\files\\backup\\b.bak", b"y")
        with pytest.raises(WinError) as error:
            hop.connect("\\\\files\\backup", "PRSLAB\\dba", "Dba-1234")
        assert number(error) == 1219
        hop.disconnect("\\\\files\\backup")
        with pytest.raises(WinError) as error:
            hop.read("\\\\files\\backup\\b.bak")
        assert number(error) == 5

    def test_a_local_user_needs_the_same_name_and_password_there(self, host: WindowsHost, files: WindowsHost) -> None:
        for name, password in (("same", "one"), ("other", "one")):
            host.accounts.add_user(name, password)
        files.accounts.add_user("same", "one")
        files.accounts.add_user("other", "two")
        assert host.files("same").list("\\\\files\\backup") == []
        with pytest.raises(WinError) as error:
            host.files("other").list("\\\\files\\backup")
        assert number(error) == 1326

    def test_share_rights_limit_even_administrators(self, host: WindowsHost, files: WindowsHost) -> None:
        files.shares.add(Share(name="media", path="C:\\shares\\backup", access=[(EVERYONE, "read")]))
        admin = host.files("PRSLAB\\dba")
        assert admin.list("\\\\files\\media") == []
        with pytest.raises(WinError) as error:
            admin.write("\\\\files\\media\\x", b"")
        assert number(error) == 5
        assert "Windows" in admin.list("\\\\files\\c$")

    @pytest.mark.parametrize("how", ["cut", "dead"])
    def test_a_host_that_does_not_answer(
        self, network: Network, host: WindowsHost, files: WindowsHost, system: FileView, how: str
    ) -> None:
        stream = system.open("\\\\files\\backup\\half.bak", "wb")
        stream.write(b"first half")
        if how == "cut":
            network.cut.add("FILES")
        else:
            files.power.kill()
        with pytest.raises(WinError) as error:
            stream.write(b"second half")
        assert number(error) == 64
        stream.close()
        with pytest.raises(WinError) as error:
            system.list("\\\\files\\backup")
        assert number(error) == 53
        assert not system.exists("\\\\files\\backup")


class TestCapacity:
    def test_the_disk_fills_in_the_middle_of_a_write(self, network: Network) -> None:
        host = network.add("SMALL", capacities={"C": 100_000, "D": 1_000_000})
        view = host.files("NT AUTHORITY\\SYSTEM")
        free = view.free_bytes("C:\\")
        assert 90_000 < free < 100_000
        with view.open("C:\\big.bak", "wb") as file:
            file.write(b"x" * 60_000)
            with pytest.raises(WinError) as error:
                file.write(b"x" * 60_000)
        assert number(error) == 112
        assert view.free_bytes("C:\\") == 0
        assert view.stat("C:\\big.bak").size == free
        view.write("D:\\fits.bak", b"x" * 200_000)
        view.remove("C:\\big.bak")
        assert view.free_bytes("C:\\") == free

    def test_a_volume_mounted_in_a_folder_has_room_of_its_own(self, network: Network) -> None:
        host = network.add("SMALL", capacities={"C": 100_000, "S": 1000})
        view = host.files("NT AUTHORITY\\SYSTEM")
        host.drives.mount("S:\\Data", 50_000)
        assert (view.mount_point("S:\\"), view.mount_point("s:\\data\\x")) == ("S:\\", "S:\\Data\\")
        view.write("S:\\Data\\big", b"x" * 40_000)
        assert (view.free_bytes("S:\\"), view.free_bytes("S:\\Data\\big")) == (1000, 10_000)
        with pytest.raises(WinError):
            view.write("S:\\big", b"x" * 40_000)

    def test_overwriting_costs_nothing_new(self, network: Network) -> None:
        view = network.add("SMALL", capacities={"C": 100_000}).files("NT AUTHORITY\\SYSTEM")
        view.write("C:\\a", b"x" * 70_000)
        with view.open("C:\\a", "r+b") as file:
            file.write(b"y" * 70_000)
        view.write("C:\\a", b"z" * 80_000)
        assert view.read("C:\\a") == b"z" * 80_000


class TestHandles:
    def test_a_held_file_is_shut_to_others(self, system: FileView) -> None:
        system.make_dir("C:\\data")
        system.write("C:\\data\\prs.mdf", b"x")
        system.hold("c:\\DATA\\prs.mdf", "MSSQLSERVER")
        for action in (
            lambda: system.read("C:\\data\\prs.mdf"),
            lambda: system.remove("C:\\data\\prs.mdf"),
            lambda: system.rename("C:\\data\\prs.mdf", "C:\\data\\new.mdf"),
        ):
            with pytest.raises(WinError) as error:
                action()
            assert number(error) == 32
        with pytest.raises(WinError) as error:
            system.rename("C:\\data", "C:\\data2")
        assert number(error) == 5
        assert system.open("C:\\data\\prs.mdf", owner="MSSQLSERVER").read() == b"x"
        system.release("C:\\data\\prs.mdf", "MSSQLSERVER")
        system.rename("C:\\data", "C:\\data2")

    def test_handles_die_with_the_machine(self, host: WindowsHost, system: FileView) -> None:
        system.write("C:\\x", b"")
        system.hold("C:\\x", "somebody")
        host.power.reboot()
        system.remove("C:\\x")


def test_log_on(host: WindowsHost) -> None:
    accounts = host.accounts
    for name in ("Administrator", ".\\administrator", "WEB\\Administrator"):
        assert accounts.log_on(name, PASSWORD).is_admin
    assert accounts.log_on("svc-backup@prs.lab", "Backup1!").name == "PRSLAB\\svc-backup"
    assert accounts.log_on("PRSLAB\\dba", "Dba-1234").is_admin
    for name, password, expected in (("Administrator", "nope", 1326), ("nobody", "x", 1326), ("Guest", "", 1331)):
        with pytest.raises(WinError) as error:
            accounts.log_on(name, password)
        assert number(error) == expected


def test_virtual_accounts_exist_with_what_they_belong_to(host: WindowsHost) -> None:
    with pytest.raises(WinError) as error:
        host.accounts.lookup("NT SERVICE\\MSSQLSERVER")
    assert number(error) == 1332
    host.services.add(Service(name="MSSQLSERVER", display_name="SQL Server", path="x"))
    sid = host.accounts.lookup("NT SERVICE\\mssqlserver")
    assert sid == "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003"
    assert host.accounts.name_of(sid) == "NT SERVICE\\MSSQLSERVER"


def test_archives_are_opened_side_by_side():
    """Reading the directory of one changes nothing of zipfile, in which other threads are at work."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a.txt", b"text")
    of_python, seen = zipfile.ZipInfo, []

    class Watched(io.BytesIO):
        def read(self, *size: int) -> bytes:
            seen.append(zipfile.ZipInfo)
            return super().read(*size)

    with open_archive(Watched(stored.getvalue())) as archive:
        assert archive.read(archive.infolist()[0]) == b"text"
    assert set(seen) == {of_python}
