"""No way of writing a private address makes it look public."""

from ipaddress import ip_network

import pytest

from api.public_addresses import may_be_reached


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="end of the loopback range"),
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("10.1.2.3", id="private 10"),
        pytest.param("172.31.255.255", id="private 172"),
        pytest.param("192.168.0.1", id="private 192"),
        pytest.param("100.100.100.200", id="carrier, metadata of one cloud"),
        pytest.param("169.254.169.254", id="metadata of most clouds"),
        pytest.param("192.0.0.192", id="metadata of another cloud"),
        pytest.param("168.63.129.16", id="host agent of another cloud"),
        pytest.param("198.19.0.1", id="benchmarks"),
        pytest.param("192.0.2.1", id="documentation 1"),
        pytest.param("198.51.100.1", id="documentation 2"),
        pytest.param("203.0.113.1", id="documentation 3"),
        pytest.param("192.88.99.1", id="6to4 relay"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="unspecified, IPv6"),
        pytest.param("::1", id="loopback, IPv6"),
        pytest.param("fe80::1%1", id="link-local with its zone"),
        pytest.param("fd00:ec2::254", id="metadata, IPv6"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="multicast, IPv6"),
        pytest.param("2001:db8::1", id="documentation, IPv6"),
        pytest.param("3fff::1", id="documentation, newer"),
        pytest.param("::ffff:127.0.0.1", id="mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", id="mapped metadata in hexadecimal"),
        pytest.param("::127.0.0.1", id="compatible loopback"),
        pytest.param("::ffff:0:127.0.0.1", id="translated loopback"),
        pytest.param("64:ff9b::10.0.0.1", id="NAT64 of a private address"),
        pytest.param("64:ff9b:1::8.8.8.8", id="NAT64 of a site's own"),
        pytest.param("2002:7f00:1::", id="6to4 of loopback"),
        pytest.param("2001:0:7f00:1::", id="Teredo"),
        pytest.param("2606:4700::5efe:10.0.0.1", id="ISATAP in a public network"),
        pytest.param("2606:4700::200:5efe:8.8.8.8", id="ISATAP, globally unique"),
        pytest.param("5f00::1", id="segment routing"),
        pytest.param("localhost", id="not numeric"),
        pytest.param("0x7f.1", id="what only a resolver understands"),
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not may_be_reached(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ],
)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_be_reached(address)


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("10.0.0.0/8", "64:ff9b::10.1.2.3"),
        ("fd12:3456::/32", "fd12:3456::7"),
    ],
)
def test_an_allowed_network_may_be_reached_in_each_form(network: str, address: str) -> None:
    assert not may_be_reached(address)
    assert may_be_reached(address, [ip_network(network)])


def test_allowing_one_network_allows_no_other() -> None:
    allowed = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert not may_be_reached("192.168.0.1", allowed)
    assert not may_be_reached("::1", allowed)
