"""Slows down those who guess tokens, by address. Pure bookkeeping: time is passed in."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

GUESSES = 5  # that an address has at first
REFILL_S = 10.0  # after which it has one more
MAX_ADDRESSES = 4096  # that are remembered


class Throttle:
    """After ``GUESSES`` wrong tokens an address has to wait, whatever it shows. Right ones cost nothing."""

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # guesses, and when they were counted

    def must_wait(self, address: str, now: float) -> bool:
        return self._guesses(_network(address), now) > GUESSES - 1

    def wrong(self, address: str, now: float) -> None:
        """Count a wrong token."""
        network = _network(address)
        self._spent[network] = self._guesses(network, now) + 1, now
        self._spent.move_to_end(network)
        if len(self._spent) > MAX_ADDRESSES:
            self._spent.popitem(last=False)

    def _guesses(self, network: str, now: float) -> float:
        count, since = self._spent.get(network, (0.0, now))
        return max(0.0, count - (now - since) / REFILL_S)


def _network(address: str) -> str:
    """The address, or of IPv6 the /64 network, all of which one computer can have."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((int(found), 64), strict=False))
