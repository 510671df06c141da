"""Section 7: addresses of members, (host, port) or None, on the wire."""

import socket

from wire import check, u8, u16

FAMILIES = {4: (socket.AF_INET, 4), 6: (socket.AF_INET6, 16)}


def read_address(reader):
    version = reader.u8()
    if version == 0:
        return None
    check(version in FAMILIES, 'no address')
    family, size = FAMILIES[version]
    host, port = socket.inet_ntop(family, reader.take(size)), reader.u16()
    check(port, 'no port')
    return host, port


def write_address(address):
    if address is None:
        return u8(0)
    host, port = address[0].split('%')[0], address[1]
    version = 6 if ':' in host else 4
    return u8(version) + socket.inet_pton(FAMILIES[version][0], host) + u16(port)


def network_of(address):
    """The IPv4 address, or the /64, of a handshake's other end."""
    host = address[0].split('%')[0]
    return socket.inet_pton(socket.AF_INET6, host)[:8] if ':' in host else host
