"""The ``maskwright`` command. Everything goes through the server over the real protocol."""


def main() -> None:
    """Entry point. The server's own start is kept free of the command line's imports."""
    import sys

    if sys.argv[1:2] == ["serve"] and "--help" not in sys.argv:
        from .serve import main as serve

        sys.exit(serve(sys.argv[2:]))
    from .app import app

    app()
