"""What a connection is made of: the user's ssh config, ssh keys, private sockets, turns."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from ops.counting.tunnel.login_limiter import LoginLimiter
from ops.counting.tunnel.private_folder import private_folder
from ops.counting.tunnel.route import Route, RoutePlanner
from ops.counting.tunnel.ssh_config import SshConfig, SshConfigError
from ops.errors import OpsError, TunnelError
from ops.model import Host, Ssh
from tests.ssh_server import short_folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def route(home: Path, config: str = "", **ssh: object) -> Route:
    """Return the route to fra1 with *config* as ``~/.ssh/config``."""
    (home / ".ssh" / "config").write_text(config)
    return RoutePlanner(home).route(Host(name="fra1", ssh=Ssh(**ssh)))  # type: ignore[arg-type]


def a_key(path: Path, passphrase: str | None = None) -> asyncssh.SSHKey:
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(key.export_private_key(passphrase=passphrase))
    return key


def test_the_inventory_alone_is_enough(home: Path) -> None:
    found = route(home, hostname="192.0.2.7", port=2222, user="admin")
    assert (found.hostname, found.port, found.user) == ("192.0.2.7", 2222, "admin")
    assert found.jump is None


def test_the_ssh_config_fills_what_the_inventory_leaves(home: Path) -> None:
    config = "Host fra*\n HostName 192.0.2.7\n Port 2222\nUser someone\nHost *\n User other\n"
    found = route(home, config)
    assert (found.hostname, found.port, found.user) == ("192.0.2.7", 2222, "someone")
    assert route(home, config, user="root", port=22).port == 22


@pytest.mark.parametrize(
    ("config", "user"),
    [
        ("User=equal\n", "equal"),
        ("# comment\n\nHost !fra1 *\n User no\nHost *\n User yes\n", "yes"),
        ("Host ams\n User no\nMatch host fra1\n User matched\n", "matched"),
        ("Match originalhost ams\n User no\nMatch all\n User all\n", "all"),
        ('Host "fra1"\n User quoted\n', "quoted"),
        ("Include extra\nUser after\n", "included"),
        ("Include ~/.ssh/ext*\n", "included"),
        ("Host ams\n Include extra\nHost fra1\n User own\n", "own"),
        ("Host fra1\n Include other\n User own\n", "own"),
        ("Match final host 192.0.2.9\n User final\nHost fra1\n HostName 192.0.2.9\n", "final"),
    ],
)
def test_the_ssh_config_is_read_as_openssh_reads_it(home: Path, config: str, user: str) -> None:
    (home / ".ssh" / "extra").write_text("Host fra1\n User included\n")
    (home / ".ssh" / "other").write_text("Host ams\n User other\n")
    assert route(home, config).user == user


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Include a b", "line 2: `Include` with several patterns"),
        ("HostKeyAlias x", "`HostKeyAlias` is not understood by pyinfra"),
        ("ProxyJump a,b", "`ProxyJump` over several hosts"),
        ("ProxyJump none", "`ProxyJump none` is not understood by pyinfra"),
        ("ProxyJump=None", "`ProxyJump none` is not understood by pyinfra"),
        ("CanonicalizeHostname yes", "`CanonicalizeHostname` is not honoured"),
        ('HostName "unclosed', "line 2: No closing quotation"),
    ],
)
def test_what_pyinfra_reads_differently_is_refused(home: Path, line: str, words: str) -> None:
    with pytest.raises(OpsError) as caught:
        route(home, f"Host fra1\n {line}\n")
    assert words in str(caught.value)


def test_match_exec_is_refused_and_not_run(home: Path) -> None:
    with pytest.raises(TunnelError, match="`Match exec` is understood by ops, but not by pyinfra"):
        route(home, f'Match host fra1 exec "touch {home}/ran"\n User x\n')
    assert not (home / "ran").exists()


def test_lines_for_other_hosts_are_not_refused(home: Path) -> None:
    assert route(home, "Host ams\n HostKeyAlias x\n Include a b\n").hostname == "fra1"


def test_a_file_that_includes_itself_ends(home: Path) -> None:
    (home / ".ssh" / "config").write_text("Include config\nUser x\n")
    with pytest.raises(SshConfigError, match="Include"):
        SshConfig(home / ".ssh" / "config").lines_for("fra1")


def test_a_key_that_is_not_there_is_passed_over(home: Path) -> None:
    key = a_key(home / ".ssh" / "mine")
    found = route(home, "IdentityFile ~/.ssh/gone\nIdentityFile ~/.ssh/mine\n")
    assert [k.public_data for k in found.credentials.keys] == [key.public_data]


def test_the_usual_keys_are_tried(home: Path) -> None:
    a_key(home / ".ssh" / "id_ed25519")
    found = route(home)
    assert len(found.credentials.keys) == 1
    assert found.credentials.of_agent is None


def test_a_named_key_is_the_only_one(home: Path) -> None:
    a_key(home / ".ssh" / "id_ed25519")
    named = a_key(home / "named")
    found = route(home, key=str(home / "named"))
    assert [k.public_data for k in found.credentials.keys] == [named.public_data]
    assert found.credentials.of_agent == ()


def test_a_locked_key_is_asked_of_the_agent(home: Path) -> None:
    named = a_key(home / "named", passphrase="secret")
    found = route(home, key=str(home / "named"))
    assert found.credentials.of_agent == (named.public_data,)
    assert found.credentials.locked == (str(home / "named"),)


def test_a_public_half_is_asked_of_the_agent(home: Path) -> None:
    public = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    (home / "named.pub").write_bytes(public.export_public_key())
    found = route(home, "IdentitiesOnly yes\n" + f"IdentityFile {home}/named.pub\n")
    assert found.credentials.of_agent == (public.public_data,)


def test_what_is_no_key_is_told(home: Path) -> None:
    (home / "named").write_text("nonsense")
    with pytest.raises(TunnelError, match="named holds no ssh key that can be read"):
        route(home, key=str(home / "named"))


@pytest.mark.parametrize(
    ("jump", "config", "reached"),
    [
        ("bastion", "", ("bastion", 0, "")),
        ("me@bastion:2222", "", ("bastion", 2222, "me")),
        ("me@[2001:db8::7]:22", "", ("2001:db8::7", 22, "me")),
        ("", "ProxyJump me@bastion\n", ("bastion", 0, "me")),
        ("other", "ProxyJump me@bastion\n", ("other", 0, "")),
    ],
)
def test_a_jump_host(home: Path, jump: str, config: str, reached: tuple[str, int, str]) -> None:
    found = route(home, config, jump=jump).jump
    assert found
    assert (found.hostname, found.port, found.user) == reached


def test_a_proxy_command_is_left_to_asyncssh(home: Path) -> None:
    found = route(home, "ProxyCommand relay %h %p\n", hostname="192.0.2.7", port=2222)
    assert found.proxied
    assert found.options().proxy_command == ["relay", "192.0.2.7", "2222"]


@pytest.mark.parametrize("line", ["RekeyLimit 0", "ServerAliveCountMax 0"])
def test_a_setting_that_makes_no_sense_is_refused_before_anybody_is_dialled(
    home: Path, line: str
) -> None:
    with pytest.raises(TunnelError, match="fra1: its ssh settings cannot be used: "):
        route(home, f"{line}\n")


def test_a_match_by_user_holds_for_the_user_that_was_settled_before_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "me")
    config = "Match user root\n  ProxyCommand relay %h %p\nHost *\n  User root\n"
    assert route(home, config, user="").options().proxy_command is None


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_folder() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        yield folder


def test_the_folder_is_private_and_gone_at_the_end(runtime: Path) -> None:
    with private_folder() as folder:
        assert folder.parent == runtime / "xray-ops"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_what_a_killed_run_left_is_swept(runtime: Path) -> None:
    script = (
        "import os, signal\n"
        "from ops.counting.tunnel.private_folder import private_folder\n"
        "with private_folder() as folder:\n"
        "    (folder / '0.sock').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    [left] = [path for path in (runtime / "xray-ops").iterdir() if path.is_dir()]
    with private_folder():
        assert not left.exists()


def test_a_live_run_is_not_swept(runtime: Path) -> None:
    with private_folder() as first, private_folder():
        assert first.exists()


def test_a_folder_open_to_others_is_refused(runtime: Path) -> None:
    (runtime / "xray-ops").mkdir(mode=0o755)
    with pytest.raises(OpsError, match="must be yours and closed to others"), private_folder():
        pass


def test_a_link_laid_by_others_is_refused(runtime: Path) -> None:
    (runtime / "xray-ops").symlink_to("/tmp")
    with pytest.raises(OpsError, match="must be yours"), private_folder():
        pass


def test_a_runtime_folder_that_is_too_long_is_not_used(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = runtime / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with private_folder() as folder:
        assert folder.parent.name == f"xray-ops-{os.getuid()}"


def test_a_limiter_lets_only_so_many_in() -> None:
    inside, most = 0, 0

    async def visit(limiter: LoginLimiter) -> None:
        nonlocal inside, most
        async with limiter.slot():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def all_of_them() -> None:
        limiter = LoginLimiter(3, patience=5)
        await asyncio.gather(*(visit(limiter) for _ in range(20)))

    asyncio.run(all_of_them())
    assert most == 3


def test_those_who_wait_for_ever_keep_nobody_out() -> None:
    async def run() -> bool:
        limiter, never = LoginLimiter(2, patience=0.01), asyncio.Event()

        async def wait() -> bool:
            async with limiter.slot():
                return await never.wait()

        stuck = [asyncio.create_task(wait()) for _ in range(10)]
        async with asyncio.timeout(5), limiter.slot():
            never.set()
        return all(await asyncio.gather(*stuck))

    assert asyncio.run(run())


def test_those_who_wait_take_no_place_from_those_who_come_and_go() -> None:
    async def run() -> None:
        limiter, three, inside = LoginLimiter(3, patience=0.01), asyncio.Event(), 0

        async def wait() -> None:
            async with limiter.slot():
                await three.wait()

        async def come_and_go() -> None:
            nonlocal inside
            while not three.is_set():
                async with limiter.slot():
                    inside += 1
                    if inside == 3:
                        three.set()
                    await asyncio.sleep(0.001)
                    inside -= 1

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for visit in (wait, wait, *[come_and_go] * 5):
                group.create_task(visit())

    asyncio.run(run())


def test_a_start_asks_no_compiler_where_a_library_is(tmp_path: Path) -> None:
    for name in ("gcc", "cc", "ld"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n: >{tmp_path}/asked\n")
        program.chmod(0o755)
    environment = {**os.environ, "PATH": str(tmp_path)}
    words = "import os, ops.counting.tunnel; assert os.environ['PATH'] == os.environ['EXPECTED']"
    environment["EXPECTED"] = environment["PATH"]
    subprocess.run([sys.executable, "-c", words], env=environment, check=True)
    assert not (tmp_path / "asked").exists()
