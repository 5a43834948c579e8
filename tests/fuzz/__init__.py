"""Fuzzing: inputs that nobody meant, against everything that reads what others made.

``test_short.py`` runs each target for a few seconds, the same way each time. ``python -m tests.fuzz TARGET --count N``
runs one for long, guided by coverage where atheris is installed (the extra ``fuzz``).
"""
