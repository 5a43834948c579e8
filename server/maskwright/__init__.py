"""The Maskwright server and its command line."""
