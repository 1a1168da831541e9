"""Make share links, QR codes and client configs for the apps of people.

The functions are pure: they use no template and no network.
"""

from ops.config.links.agreement import differences
from ops.config.links.client import client
from ops.config.links.share import Link, link, links

__all__ = ["Link", "client", "differences", "link", "links"]
