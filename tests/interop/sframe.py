"""Sections 9.1 to 9.3: SFrame (RFC 9605) of frames and of RTP payloads. Without Puzzle."""

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from primitives import expand, extract, is_same, mac
from wire import Malformed, Reader, check, u8, u16, u64

EXTENSION, PADDING = 0x10, 0x20


class CounterWithMac:
    """AES-CTR and HMAC, as RFC 9605 section 4.5.1 puts them together."""

    def __init__(self, key, size):
        self._key, self._mac_key, self._size = key[:-32], key[-32:], size

    def _counter_mode(self, nonce, octets):
        cipher = Cipher(algorithms.AES(self._key), modes.CTR(nonce + bytes(4))).encryptor()
        return cipher.update(octets) + cipher.finalize()

    def _tag(self, nonce, ciphertext, associated):
        return mac(self._mac_key, u64(len(associated)) + u64(len(ciphertext)) + u64(self._size)
                   + nonce + associated + ciphertext)[:self._size]

    def encrypt(self, nonce, plaintext, associated):
        ciphertext = self._counter_mode(nonce, plaintext)
        return ciphertext + self._tag(nonce, ciphertext, associated)

    def decrypt(self, nonce, octets, associated):
        ciphertext, tag = octets[:-self._size], octets[-self._size:]
        if not is_same(tag, self._tag(nonce, ciphertext, associated)):
            raise InvalidTag
        return self._counter_mode(nonce, ciphertext)


class Suite(NamedTuple):
    number: int
    hash: str
    key: int
    tag: int
    aead: object


def _with_mac(size):
    return lambda key: CounterWithMac(key, size)


SUITES = {
    1: Suite(1, 'sha256', 48, 10, _with_mac(10)), 2: Suite(2, 'sha256', 48, 8, _with_mac(8)),
    3: Suite(3, 'sha256', 48, 4, _with_mac(4)), 4: Suite(4, 'sha256', 16, 16, AESGCM),
    5: Suite(5, 'sha512', 32, 16, AESGCM), 241: Suite(0xf001, 'sha256', 32, 16, ChaCha20Poly1305)}


class Key:
    """What frames of one KID are protected with."""

    def __init__(self, cipher, base_key, kid):
        self.kid, self.suite = kid, SUITES[cipher]
        secret = extract(b'', base_key, self.suite.hash)
        info = u64(kid) + u16(self.suite.number)
        self.key = expand(secret, b'SFrame 1.0 Secret key ' + info, self.suite.key,
                          self.suite.hash)
        self.salt = expand(secret, b'SFrame 1.0 Secret salt ' + info, 12, self.suite.hash)
        self._aead = self.suite.aead(self.key)

    def nonce(self, counter):
        return (int.from_bytes(self.salt, 'big') ^ counter).to_bytes(12, 'big')

    def seal(self, counter, plaintext, associated):
        return self._aead.encrypt(self.nonce(counter), plaintext, associated)

    def open(self, counter, ciphertext, associated):
        check(len(ciphertext) >= self.suite.tag, 'too short for its tag')
        try:
            return self._aead.decrypt(self.nonce(counter), ciphertext, associated)
        except InvalidTag:
            raise Malformed('forged') from None


def key_of(epoch, kid):
    return Key(epoch.cipher(kid), epoch.base_key(kid), kid)


def write_header(kid, counter):
    def field(value):
        if value < 8:
            return value, b''
        octets = value.to_bytes((value.bit_length() + 7) // 8, 'big')
        return 8 | len(octets) - 1, octets
    (kid, kid_octets), (counter, counter_octets) = field(kid), field(counter)
    return u8(kid << 4 | counter) + kid_octets + counter_octets


def read_header(reader):
    """(KID, counter), in their shortest form alone."""
    config = reader.u8()

    def field(nibble):
        if nibble < 8:
            return nibble
        octets = reader.take(nibble - 7)
        value = int.from_bytes(octets, 'big')
        check(octets[0] and value >= 8, 'not the shortest form')
        return value
    return field(config >> 4), field(config & 15)


def protect(key, counter, plaintext, metadata=b''):
    header = write_header(key.kid, counter)
    return header + key.seal(counter, plaintext, header + metadata)


def unprotect(find_key, frame, metadata=b''):
    """(plaintext, KID, counter). @find_key: KID -> Key"""
    reader = Reader(frame)
    kid, counter = read_header(reader)
    header = reader.read()
    return find_key(kid).open(counter, reader.rest(), header + metadata), kid, counter


def rtp_header(packet):
    """The octets of it before the payload."""
    reader = Reader(packet)
    first = reader.u8()
    check(first >> 6 == 2 and not first & PADDING, 'no RTP, or padded')
    reader.take(11 + 4 * (first & 15))
    if first & EXTENSION:
        reader.u16()
        reader.take(4 * reader.u16())
    return reader.read()


def protect_rtp(key, counter, packet):
    """Its header authenticated."""
    header = rtp_header(packet)
    return header + protect(key, counter, packet[len(header):], header)


def open_rtp(epoch, packet):
    """(payload, KID). KeyError: it is not of this epoch."""
    header = rtp_header(packet)
    payload, kid, _ = unprotect(lambda kid: key_of(epoch, kid), packet[len(header):], header)
    return payload, kid
