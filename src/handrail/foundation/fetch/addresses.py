"""Which network addresses an outgoing request must never reach. Pure: no sockets.

The rule is "only what is plainly public". `ipaddress.is_private` and `is_global` each miss some dangerous ranges
(transition forms, shared space, multicast), so the ranges are named here as well. Ranges: IANA special-purpose
address registries (RFC 6890 and its updates).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_REFUSED_4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(text), why)
    for text, why in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared address space"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's own service address"),
        ("169.254.0.0/16", "link-local, where clouds keep credentials"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "special purpose"),
        ("192.52.193.0/24", "special purpose"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "special purpose"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
    )
)

_PUBLIC_6 = IPv6Network("2000::/3")
_REFUSED_6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(text), why)
    for text, why in (
        ("::/128", "this host"),
        ("::1/128", "loopback"),
        ("::/96", "an IPv4 address inside an IPv6 one"),
        ("64:ff9b::/96", "NAT64, an IPv4 address inside an IPv6 one"),
        ("64:ff9b:1::/48", "local NAT64, an IPv4 address inside an IPv6 one"),
        ("100::/64", "discard only"),
        ("2001::/23", "protocol assignments (Teredo, benchmarking, ORCHID)"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4, an IPv4 address inside an IPv6 one"),
        ("2620:4f:8000::/48", "special purpose"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks written as `10.1.0.0/16`; raises ValueError for one that is not a network."""
    return tuple(ip_network(text) for text in texts)


def why_dangerous(text: str, allowed: Sequence[Network] = ()) -> str | None:
    """Return why the address `text` must not be reached, or None when it is plainly public or in `allowed`.

    `text` is the numeric form that name resolution returned (never what the user wrote: `127.1` and `0x7f.1` become
    addresses only there). An address inside another form (mapped) is judged as the inner one; all other
    transition forms are refused, in `allowed` or not.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "not a numeric address"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address.version == network.version and address in network for network in allowed):
        return None
    return _refused_4(address) if isinstance(address, IPv4Address) else _refused_6(address)


def _refused_4(address: IPv4Address) -> str | None:
    for network, why in _REFUSED_4:
        if address in network:
            return why
    return None if address.is_global and not address.is_multicast else "not public"


def _refused_6(address: IPv6Address) -> str | None:
    for network, why in _REFUSED_6:
        if address in network:
            return why
    if int(address) >> 32 & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE):
        return "ISATAP, an IPv4 address inside an IPv6 one"
    return None if address in _PUBLIC_6 and address.is_global else "not public"
