"""Why a source cannot be had, in words."""

from __future__ import annotations

import socket
import urllib.error

import pytest

from maskwright.models.install import transports


def hidden(error: BaseException, *above: type[Exception]) -> BaseException:
    """The error as libraries raise it again, each as its own."""
    for kind in above:
        try:
            try:
                raise error
            except BaseException as cause:
                raise kind(str(cause)) from cause
        except kind as raised:
            error = raised
    return error


@pytest.mark.parametrize("above", [(), (OSError,), (RuntimeError, OSError), (ValueError, RuntimeError, OSError)])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "internet"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "internet"),
        (ConnectionRefusedError(111, "Connection refused"), "refuses"),
        (TimeoutError("timed out"), "does not answer"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "internet"),
    ],
)
def test_why_a_source_is_out_of_reach_is_told_in_words(error: BaseException, words: str, above: tuple) -> None:
    text = transports._brief(hidden(error, *above))
    assert words in text
    assert "Errno" not in text
