"""A PostgreSQL of the test run's own: on a unix socket, in a folder that goes away with it."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


class AbsentError(Exception):
    """There is no PostgreSQL on this machine; the text says what is missing."""


@contextmanager
def running() -> Iterator[str]:
    """Yield the URL of a server; AbsentError where Debian's package is not."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="ops-pg-"))
    try:
        prefix = _as_somebody(folder)
        data = folder / "data"
        subprocess.run(
            [*prefix, programs / "initdb", "-D", data, "-A", "trust", "-U", "ops", "--no-sync"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        options: list[str | Path] = ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*prefix, programs / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        try:
            url = f"postgresql+psycopg://ops@/postgres?host={folder}"
            _wait(folder, server)
            yield url
        finally:
            server.send_signal(2)
            server.wait(30)
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """Yield the URL of a new database on *server*, dropped at the end."""
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield server.replace("/postgres?", f"/{name}?")
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    if not found:
        raise AbsentError("no PostgreSQL here; Debian's package is called postgresql")
    return found[-1].parent


def _as_somebody(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it is its package's own user."""
    if os.geteuid():
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise AbsentError(
            "PostgreSQL will not run as root, and there is no user postgres"
        ) from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _wait(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(folder), user="ops", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.02)
        else:
            return
