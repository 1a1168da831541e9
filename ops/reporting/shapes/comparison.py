"""The JSON of `ops compare`."""

from collections.abc import Sequence
from typing import Any

from ops.model import Fleet, NicCounters, Traffic
from ops.reporting.comparison import EXPECTED, METHOD, Comparison, Figures, difference
from ops.reporting.comparison.figures import keys_of, opening
from ops.reporting.shapes.values import failures, mb, moment, traffic_bytes


def comparison(
    fleet: Fleet, report: Comparison, keys: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the JSON of *report*; *keys* narrows the keys of each host, None means all."""
    return {
        "hosts": [_host(fleet, figures, keys) for figures in report.hosts],
        "failures": failures(report.failures),
        "expected": dict(EXPECTED),
    }


def _host(fleet: Fleet, figures: Figures, keys: Sequence[str] | None) -> dict[str, Any]:
    reading, exact, guess = figures.reading, figures.exact, figures.estimate
    count = len(opening(fleet, figures))
    inbounds = reading.inbounds if reading else {}
    return {
        "host": figures.host,
        **_pair(figures, exact, guess.total if guess else None),
        "counting_since": moment(reading.counting_since) if reading else None,
        "inbounds": {name: traffic_bytes(used) for name, used in sorted(inbounds.items())},
        "inbounds_difference_percent": difference(figures.inbounds.total, exact)
        if figures.inbounds
        else None,
        "network_card": _card(figures.card, exact) if figures.card else None,
        "keys": [
            {"key": key, **_pair(figures, figures.of(key), guess.of(key, count) if guess else None)}
            for key in keys_of(fleet, figures, keys)
        ],
    }


def _card(card: NicCounters, exact: Traffic | None) -> dict[str, Any]:
    return {
        "received_bytes": card.received,
        "sent_bytes": card.sent,
        "difference_percent": difference(card.received + card.sent, exact),
    }


def _pair(figures: Figures, exact: Traffic | None, guess: int | None) -> dict[str, Any]:
    """Return the exact figure, the estimate, and whether the API answered."""
    of = figures.estimate
    return {
        "api_available": figures.reading is not None,
        "exact": {
            "total_mb": mb(exact.total) if exact else None,
            "uplink_bytes": exact.uplink if exact else None,
            "downlink_bytes": exact.downlink if exact else None,
            "error": figures.error or None,
        },
        "estimate": {
            "total_mb": None if guess is None else mb(guess),
            "calculation_method": METHOD,
            "basis": of.basis if of else None,
            "connections": of.connections if of else None,
            "difference_percent": difference(guess, exact) if guess is not None else None,
        },
    }
