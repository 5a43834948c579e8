"""Compositions of model roles. Import what you need: ``run`` needs numpy, ``presets`` does not."""
