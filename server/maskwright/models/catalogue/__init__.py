"""Every checkpoint that Maskwright knows, and the words and labels that models speak. Light."""

from .loading import built_in, first_problem, load, own_entry, parse, user_file

__all__ = ["built_in", "first_problem", "load", "own_entry", "parse", "user_file"]
