"""Fleets of Xray servers kept in git."""
