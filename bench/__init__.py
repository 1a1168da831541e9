"""The README's measurements, beside the tools people would use instead: ``python -m bench``.

A module a measurement (``reading``), which says what is run; the others make the world it runs
in. Everything runs in namespaces of its own: nothing of it leaves, and nothing of it stays.
"""
