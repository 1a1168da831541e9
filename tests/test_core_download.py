"""A download goes on where it broke off; it comes through a proxy, and from a mirror."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.cli import cli
from ops.config.core import cached
from ops.config.core.cache import sum_of
from ops.config.core.download import download
from ops.errors import CoreError
from tests import fleets

CONTENT = bytes(range(256)) * 2000
ADDRESS = "http://release.example.net/v26.10.10/Xray-linux-64.zip"


class Mirror(BaseHTTPRequestHandler):
    """A web server that can break off; as a proxy it is asked for the whole address."""

    asked: list[tuple[str, str | None]]
    breaks_off_after: list[int]
    knows_ranges = True

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append((self.path, wanted))
        if "missing" in self.path:
            return self.send_error(404)
        start = int(wanted.split("=")[1].rstrip("-")) if wanted and self.knows_ranges else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        least = self.breaks_off_after.pop(0) if self.breaks_off_after else len(body)
        self.wfile.write(body[:least])
        return None

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Mirror]]:
    """A mirror that is also the environment's proxy for every other name."""
    handler = type("Handler", (Mirror,), {"asked": [], "breaks_off_after": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_comes_through_the_proxy_of_the_environment(
    tmp_path: Path, mirror: type[Mirror]
) -> None:
    seen: list[tuple[int, int]] = []
    download(ADDRESS, tmp_path / "f", lambda *found: seen.append(found))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert mirror.asked == [(ADDRESS, None)]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_what_breaks_off_goes_on(tmp_path: Path, mirror: type[Mirror]) -> None:
    mirror.breaks_off_after[:] = [100_000, 50_000]
    download(ADDRESS, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [wanted for _, wanted in mirror.asked] == [None, "bytes=100000-", "bytes=150000-"]


def test_so_does_what_broke_off_yesterday(tmp_path: Path, mirror: type[Mirror]) -> None:
    (tmp_path / "f").write_bytes(CONTENT[:1000])
    download(ADDRESS, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert mirror.asked == [(ADDRESS, "bytes=1000-")]


def test_a_server_that_knows_no_ranges_begins_again(tmp_path: Path, mirror: type[Mirror]) -> None:
    mirror.knows_ranges = False
    (tmp_path / "f").write_bytes(b"x" * 1000)
    download(ADDRESS, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_what_is_longer_than_the_file_is_thrown_away(tmp_path: Path, mirror: type[Mirror]) -> None:
    (tmp_path / "f").write_bytes(CONTENT + b"more")
    download(ADDRESS, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_it_gives_up_where_nothing_comes(tmp_path: Path, mirror: type[Mirror]) -> None:
    mirror.breaks_off_after[:] = [0]
    with pytest.raises(CoreError, match=r"cannot be downloaded .* --archive FILE"):
        download(ADDRESS, tmp_path / "f")
    with pytest.raises(CoreError, match="Not Found"):
        download("http://release.example.net/missing", tmp_path / "g")


def test_ops_core_fetch_takes_a_mirror(
    tmp_path: Path, mirror: type[Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "whole").write_bytes(CONTENT)
    sha256 = sum_of(tmp_path / "whole")
    hosts = fleets.HOSTS.replace(
        'version = "26.10.10"', f'version = "26.10.10"\n    sha256.x86_64 = "{sha256}"'
    )
    folder = fleets.write(tmp_path / "fleet", hosts=hosts)
    words = ["core", "fetch", "--fleet", str(folder), "--mirror", "http://m.test/{version}/{file}"]
    mirror.breaks_off_after[:] = [1000, 0]
    assert "cannot be downloaded" in CliRunner().invoke(cli, words).stderr
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert cached(sha256)
    assert mirror.asked[-1] == ("http://m.test/26.10.10/Xray-linux-64.zip", "bytes=1000-")
