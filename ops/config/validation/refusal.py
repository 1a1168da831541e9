"""Turn the core's refusal of a config into a finding with a place."""

from typing import Any

from ops.config.core.trial import Bench, Verdict
from ops.config.lint import Hit
from ops.config.lint.core_errors import blame, redacted, with_tags


def refusal(bench: Bench, verdict: Verdict, data: dict[str, Any]) -> Hit:
    """Return the core's message about *data*, and the place that it means, without a secret.

    If the message names an inbound or outbound without a tag, each gets a tag for a second test.
    """
    message, asked = verdict.message, data
    if tagged := with_tags(message, data):
        again = bench.test([("again", tagged)])
        if not again.accepted:
            message, asked = again.message, tagged
    return Hit(blame(message, asked), redacted(verdict.message, data))
