"""The Maskwright server and its command line."""

from .privacy import keep_to_ourselves

keep_to_ourselves()
