"""Uploaded pixels by content digest, in shared memory."""
