"""Configs for tests: good ones of ours, and the one that this product was first described by."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ops.config.lint import Around, version_of
from ops.config.render import placeholders, render
from ops.fleet import inventory
from tests import fleets

OWN = "8.8.4.4"
"""An address that is in no list of private ones."""

FIRST = """{
  // as it was first described: the API's inbound has no routing rule
  "stats": {},
  "api": {"tag": "api", "services": ["StatsService"]},
  "policy": {"levels": {"0": {"statsUserUplink": true, "statsUserDownlink": true}}},
  "inbounds": [
    {"tag": "in", "port": 443, "protocol": "vless", "settings": {
      "clients": [{"id": "b831381d-6324-4d53-ad4f-8cda48b30811", "email": "u1@example.com"}],
      "decryption": "none"}},
    {"tag": "api", "listen": "127.0.0.1", "port": 10085, "protocol": "dokodemo-door",
     "settings": {"address": "127.0.0.1"}}
  ],
  "outbounds": [{"tag": "direct", "protocol": "freedom"}]
}
"""


def rendered(
    folder: Path, api: Literal["socket", "inbound"] = "socket", version: str = "26.10.10"
) -> dict[str, Any]:
    """Return the config of a host with every kind of inbound."""
    hosts = fleets.HOSTS.replace("198.51.100.7", OWN).replace("26.10.10", version)
    fleet = inventory.load(fleets.write(folder, hosts=hosts))
    host = replace(fleet.host("ams1"), api=api)
    config: dict[str, Any] = json.loads(render(fleet, host, placeholders(fleet)))
    return config


def ours(version: str = "26.10.10", **more: Any) -> Around:
    """Return what is known around a host of ours."""
    known = Around(
        version=version_of(version), ours=True, live=True, data_files=True, addresses=(OWN,)
    )
    return replace(known, **more)
