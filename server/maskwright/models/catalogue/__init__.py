"""Every checkpoint that Maskwright knows, and the words and labels that models speak. Light."""

from .entries import Absent, Catalogue, Commercial, Content, Entry, ModelFile, Pickle, Precision, Role, Source
from .loading import USER_FILE, built_in, first_problem, load, own_entry, parse, user_file

__all__ = [
    "USER_FILE",
    "Absent",
    "Catalogue",
    "Commercial",
    "Content",
    "Entry",
    "ModelFile",
    "Pickle",
    "Precision",
    "Role",
    "Source",
    "built_in",
    "first_problem",
    "load",
    "own_entry",
    "parse",
    "user_file",
]
