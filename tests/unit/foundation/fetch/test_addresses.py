import pytest

from handrail.foundation.fetch.addresses import networks, why_dangerous

DANGEROUS = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "100.127.255.255", "168.63.129.16", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
    "2a00:1450::5efe:a00:1", "2a00:1450::200:5efe:7f00:1",
    "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "", "1.2.3.4.5",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "193.0.0.1",
          "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:800::200e", "::ffff:8.8.8.8"]  # fmt: skip


@pytest.mark.parametrize("address", DANGEROUS)
def test_refused(address: str) -> None:
    assert why_dangerous(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_plainly_public(address: str) -> None:
    assert why_dangerous(address) is None


def test_a_named_network_is_allowed_only_in_its_plain_form() -> None:
    allowed = networks(["10.1.0.0/16", "fd12::/16"])
    assert why_dangerous("10.1.2.3", allowed) is None
    assert why_dangerous("::ffff:10.1.2.3", allowed) is None
    assert why_dangerous("fd12::1", allowed) is None
    assert why_dangerous("10.2.0.1", allowed)
    assert why_dangerous("64:ff9b::a01:203", allowed)
    assert why_dangerous("2002:a01:203::", allowed)


def test_a_network_with_host_bits_is_a_mistake_and_not_widened() -> None:
    with pytest.raises(ValueError, match="host bits"):
        networks(["10.1.2.3/8"])
