"""Integers and vectors, bounded: docs/protocol.md, section 1."""


class Malformed(Exception):
    """Octets are missing or left over, or a value is out of its range."""


class Reader:
    def __init__(self, octets):
        self.octets = bytes(octets)
        self.at = 0

    def take(self, size):
        if size > len(self.octets) - self.at:
            raise Malformed(f'{size} octets expected at {self.at} of {len(self.octets)}')
        self.at += size
        return self.octets[self.at - size:self.at]

    def uint(self, size):
        return int.from_bytes(self.take(size), 'big')

    def u8(self):
        return self.uint(1)

    def u16(self):
        return self.uint(2)

    def u32(self):
        return self.uint(4)

    def u64(self):
        return self.uint(8)

    def boolean(self):
        value = self.u8()
        if value > 1:
            raise Malformed(f'{value} is no boolean')
        return bool(value)

    def vector(self, width):
        """@width: octets of the length."""
        return self.take(self.uint(width))

    def rest(self):
        return self.take(len(self.octets) - self.at)

    def more(self):
        return self.at < len(self.octets)

    def end(self):
        if self.more():
            raise Malformed(f'{len(self.octets) - self.at} octets left over')


def u8(value):
    return value.to_bytes(1, 'big')


def u16(value):
    return value.to_bytes(2, 'big')


def u24(value):
    return value.to_bytes(3, 'big')


def u32(value):
    return value.to_bytes(4, 'big')


def u64(value):
    return value.to_bytes(8, 'big')


def vector(width, octets):
    return len(octets).to_bytes(width, 'big') + octets
