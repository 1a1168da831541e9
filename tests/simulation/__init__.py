"""A simulation of a fleet that knows the truth, and holds every statement of certainty against it.

The real collector, the real ledger and the real code behind `ops usage` and `ops status` run on
simulated servers. Read the modules in this order:

* clock, waiting     one true time; the clocks of hosts and of the collector may differ from it
* disk, machine      a server: its core, runs, counters and kept readings; each byte is a Move
* inventory, world   the fleet of the operator, and which machine has which name
* line, collectors   the edges that are simulated: the line to a host, the death of a process
* told, books        what a ledger was told and shown; a ledger in memory
* truth              which bytes a figure must hold, and which it may hold: the definition
* oracle, judging    questions to the product, and the claims that each answer is held to
* events             what can happen: to machines, by the operator, to ledgers
* chance, unfolding  how a seed becomes a history; profiles say what happens how often
* history, shrinking a history is a list of plain events: run it, and shorten it while it fails
"""
