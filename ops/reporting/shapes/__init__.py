"""The JSON of every report, shared by `ops --json` and the HTTP API.

Amounts are integers in bytes; moments are RFC 3339 in UTC. docs/python.md explains the fields.
"""
