"""A host that answers anything at all, against everything that reads hosts.

Each case is a number: its answers are made from it, and a failure names it. Fakes stand where the
wire would be, because a real host cannot be made to send all this; what is behind them is real.
"""
