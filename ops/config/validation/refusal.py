"""What the core refused, and where that is."""

from typing import Any

from ops.config.core.trial import Bench, Verdict
from ops.config.lint import Hit
from ops.config.lint.core_errors import blame, redacted, with_tags


def refusal(bench: Bench, verdict: Verdict, data: dict[str, Any]) -> Hit:
    """Return what the core refused in *data*, where that is, and without a secret.

    An inbound or outbound without a tag gets one, and the core is asked once more.
    """
    message, asked = verdict.message, data
    if tagged := with_tags(message, data):
        again = bench.test([("again", tagged)])
        if not again.accepted:
            message, asked = again.message, tagged
    return Hit(blame(message, asked), redacted(verdict.message, data))
