"""Section 1: integers and vectors, and a reader that never goes beyond the end."""


class Malformed(Exception):
    """What came is not as the document has it, and is dropped whole."""


def _integer(size):
    return lambda value: value.to_bytes(size, 'big')


u8, u16, u24, u32, u64 = map(_integer, (1, 2, 3, 4, 8))


def vector8(octets):
    return u8(len(octets)) + octets


def vector16(octets):
    return u16(len(octets)) + octets


def vector24(octets):
    return u24(len(octets)) + octets


def check(holds, what):
    """A condition on what came from the network."""
    if not holds:
        raise Malformed(what)


class Reader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    @property
    def left(self):
        return len(self.octets) - self.at

    def take(self, size):
        check(size <= self.left, 'octets are missing')
        self.at += size
        return self.octets[self.at - size:self.at]

    def _integer(self, size):
        return int.from_bytes(self.take(size), 'big')

    def u8(self):
        return self._integer(1)

    def u16(self):
        return self._integer(2)

    def u24(self):
        return self._integer(3)

    def u32(self):
        return self._integer(4)

    def u64(self):
        return self._integer(8)

    def vector8(self, most=0xff):
        return self._vector(self.u8(), most)

    def vector16(self, most=0xffff):
        return self._vector(self.u16(), most)

    def vector24(self, most=0xffffff):
        return self._vector(self.u24(), most)

    def _vector(self, size, most):
        check(size <= most, 'a vector is too long')
        return self.take(size)

    def boolean(self):
        value = self.u8()
        check(value <= 1, 'neither 0 nor 1')
        return bool(value)

    def read(self):
        """What was read so far."""
        return self.octets[:self.at]

    def rest(self, most=None):
        check(most is None or self.left <= most, 'too long')
        return self.take(self.left)

    def end(self):
        check(not self.left, 'octets are left over')
