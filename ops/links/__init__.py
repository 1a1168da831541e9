"""What people's apps are given: share links, QR codes, and a config for an Xray client.

Pure; knows neither templates nor the network.
"""

from ops.links.agreement import differences
from ops.links.client import client
from ops.links.share import Link, link, links

__all__ = ["Link", "client", "differences", "link", "links"]
