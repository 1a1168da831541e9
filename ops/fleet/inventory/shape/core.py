"""The pinned Xray core in hosts.toml."""

from typing import Literal

from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import Sha256, Url, Version


class CoreTable(Table):
    """``[core]``: the Xray program that all hosts run. `ops core pin VERSION` writes it."""

    version: Version
    """The release of Xray, without the leading ``v``.

    Example: version = "26.10.10"
    """
    fetch: Literal["push", "pull"] = "push"
    """The way of the core to the hosts. ``push``: this machine downloads it, verifies it and sends
    it. ``pull``: each host downloads and verifies it.

    Example: fetch = "pull"
    """
    url: Url = "https://github.com/XTLS/Xray-core/releases/download/v{version}/{file}"
    """The address of the release. ``{version}`` and ``{file}`` are replaced.

    Example: url = "https://mirror.example.net/xray/v{version}/{file}"
    """
    sha256: dict[Literal["x86_64", "aarch64", "armv7l"], Sha256] = {}
    """The SHA-256 of the release's zip for each architecture (``uname -m``). A rollout to a host
    needs the sum for its architecture.

    Example:
    sha256 = { x86_64 = "0000000000000000000000000000000000000000000000000000000000000000" }
    """
