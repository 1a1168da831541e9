"""Measurements of `ops` beside other tools: ``python -m bench``.

Modules such as ``reading`` are measurements. The others prepare hosts, run programs and write
pages. Everything runs in network namespaces without a way out, and is removed at the end.
"""
