"""The client, written once: what the command line and both editor plug-ins need to talk to the server.

Runs on Python 3.8 and later, inside the editors too: standard library and the protocol only.
"""
