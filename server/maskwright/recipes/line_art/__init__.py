"""Regions inside the lines of a drawing: clicked, mapped, or all filled. No model takes part."""
