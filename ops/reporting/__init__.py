"""Figures for people and programs, made of readings and of the ledger."""
