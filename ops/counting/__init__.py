"""Read the counters of many hosts at once, by gRPC over ssh, and collect them for a ledger."""
