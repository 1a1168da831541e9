"""Figures for people and programs, made of readings and of the ledger.

A report is asked for with a :class:`~ops.reporting.selection.Selection` of hosts and keys:

* ``live``: the counters of the running cores, and their rates
* ``usage``: usage from the ledger, with the certainty of each figure
* ``status``: whether usage is being collected
* ``billing``: the network cards in the hoster's months
* ``comparison``: exact counters beside other figures of the same bytes
* ``resets``: marks, and the usage between them
* ``hosts``: reachability, version and age of the cores
* ``access``: the inbounds that each key opens
* ``changes``: the effect of a commit, and the drift of servers

``shapes`` turns reports into JSON, and ``spans`` reads times as people write them.
"""
