"""Observations become entries of the ledger."""
