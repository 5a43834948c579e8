"""Processes that own a device: start, watch, restart, stop when idle."""
