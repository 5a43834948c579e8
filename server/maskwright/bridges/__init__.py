"""Doors for other programs: an HTTP endpoint in the shape of rembg's, and an MCP server. Both are clients."""
