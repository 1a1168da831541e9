"""Reads counters from hosts: over ssh, by gRPC, many hosts at once."""
