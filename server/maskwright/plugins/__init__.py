"""Building and installing the editor plug-ins."""
