"""Recipes that users keep, as TOML files: reading, writing, and the folder of the saved ones."""
