"""Long runs against a real server, to be started by hand: ``python -m tests.trials --help`` names them.

Each prints a line of JSON: what was tried, what came of it, and what the server held at the start and at the end.
"""
