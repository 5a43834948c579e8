"""A real browser that opens pages of other origins beside a running server."""
