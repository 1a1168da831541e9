"""Prints tables, JSON and CSV."""
