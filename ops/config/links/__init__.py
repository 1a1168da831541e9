"""What people's apps are given: share links, QR codes, and a config for an Xray client.

Pure; knows neither templates nor the network.
"""

from ops.config.links.agreement import differences
from ops.config.links.client import client
from ops.config.links.share import Link, link, links

__all__ = ["Link", "client", "differences", "link", "links"]
