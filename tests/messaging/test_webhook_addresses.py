"""marquee.messaging.url_safety: the URLs that an endpoint may have, and the addresses that may be called."""

import socket

import pytest

from marquee.messaging import url_safety

pytestmark = pytest.mark.usefixtures("sockets_off")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com/in", (True, "hooks.example.com", 443, "/in")),
        ("https://HOOKS.Example.com", (True, "hooks.example.com", 443, "/")),
        ("https://hooks.example.com:8443/a/b?c=d&e", (True, "hooks.example.com", 8443, "/a/b?c=d&e")),
        ("https://xn--bcher-kva.example.com/", (True, "xn--bcher-kva.example.com", 443, "/")),
        ("https://93.184.216.34/in", (True, "93.184.216.34", 443, "/in")),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/in", (True, "2606:2800:220:1:248:1893:25c8:1946", 443, "/in")),
        ("https://_service.example.com/%41", (True, "_service.example.com", 443, "/%41")),
    ],
)
def test_public_https_url_is_accepted(url, target):
    found = url_safety.target(url)

    assert (found.is_secure, found.host, found.port, found.path) == target


REFUSED = [
    "http://hooks.example.com/in",
    "ftp://hooks.example.com/in",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "//hooks.example.com/in",
    "hooks.example.com",
    "https://",
    "https:///in",
    "https://user@hooks.example.com/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com/#fragment",
    "https://127.0.0.1#@hooks.example.com/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:8080/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:5432/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:443x/",
    "https://hooks.example.com /in",
    "https://hooks.example.com/in\r\nHost: other",
    "https://hooks.example.com/\0",
    "https://hooks.example.com/ä",
    "https://bücher.example.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://hooks..example.com/",
    "https://-hooks.example.com/",
    "https://hooks.example.com./",
    "https://localhost/",
    "https://localhost./",
    "https://foo.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://1.2.3.0x10/",
    "https://1.2.3/",
    "https://1.2.3.256/",
    "https://1.2.3.4.5/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.168.1.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://[::1/",
    "https://[nonsense]/",
    "https://[v1.x]/",
    "https://hooks.example.com/" + "a" * 2000,
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 130 + "com/",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_unsafe_url_is_refused(url):
    with pytest.raises(url_safety.NotAllowed):
        url_safety.target(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9999/in", "http://localhost:3000/", "https://[::1]:8443/"])
def test_private_url_is_accepted_in_development_only(url):
    assert url_safety.target(url, allow_private=True)
    with pytest.raises(url_safety.NotAllowed):
        url_safety.target(url)


@pytest.mark.parametrize("url", ["http://user@127.0.0.1/", "http://127.1/", "ftp://127.0.0.1/", "http://127.0.0.1:0/"])
def test_malformed_url_is_refused_in_development_too(url):
    with pytest.raises(url_safety.NotAllowed):
        url_safety.target(url, allow_private=True)


PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:2800:220:1:248:1893:25c8:1946",
    "2a00:1450:400a:800::200e",
    "::ffff:8.8.8.8",
]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "64:ff9b::127.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:2800:220:1:248:1893:25c8:1946%1",
    "fec0::1",
    "ff02::1",
    "not an address",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_recognized(address):
    assert url_safety.is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_and_reserved_addresses_are_not_public(address):
    assert not url_safety.is_public(address)


def ipv4_addresses(*texts):
    return [url_safety.Address(socket.AF_INET, (text, 443)) for text in texts]


def test_host_name_with_one_private_address_is_refused():
    url_safety.check(ipv4_addresses("8.8.8.8", "1.1.1.1"))
    with pytest.raises(url_safety.NotAllowed):
        url_safety.check(ipv4_addresses("8.8.8.8", "127.0.0.1"))


def test_host_name_without_addresses_raises_not_resolved():
    with pytest.raises(url_safety.NotResolved):
        url_safety.check([])


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://hooks.example.com/", "hooks.example.com"),
        ("https://hooks.example.com:443/", "hooks.example.com"),
        ("https://hooks.example.com:8443/", "hooks.example.com:8443"),
        ("https://[2606:2800:220:1::1]:8443/", "[2606:2800:220:1::1]:8443"),
    ],
)
def test_authority_omits_the_default_port(url, authority):
    assert url_safety.target(url).authority == authority
