"""What masks are worth, route by route, beside version 0.1.0 and rembg: ``python -m tests.quality`` measures it all and
writes it into ``docs/quality.md``."""
