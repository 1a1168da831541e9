"""Entries of the ledger become usage with its certainty."""
