"""How often one client may ask: a bucket for each, which every request takes from and time fills again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

# Clients remembered; past it the one that has been quiet the longest starts anew. About 200 bytes each.
CLIENTS_MAX = 10_000
# Whoever has one address of IPv6 has, as a rule, all of its network.
_IPV6_HOST_BITS = 64


class Limits:
    """One bucket a client: ``burst`` requests at once, filled again by ``rate_per_s``; a rate of 0 limits nothing."""

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        clients_max: int = CLIENTS_MAX,
    ) -> None:
        """Begin with full buckets; ``clock`` tells seconds."""
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._clients_max = clients_max
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Take one request from the client's bucket and return 0; or, when it is empty, seconds until it has one."""
        if not self._rate_per_s:
            return 0.0
        now = self._clock()
        left, at = self._left.pop(client, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate_per_s)
        allowed = left >= 1.0
        self._left[client] = (left - 1.0 if allowed else left, now)
        if len(self._left) > self._clients_max:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate_per_s

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._left)


def client_of(address: str) -> str:
    """Return what stands for a client by its address: all of an IPv6 network is one client."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(IPv6Address(int(ip) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS))
