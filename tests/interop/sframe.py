"""SFrame and RTP protected with it: docs/protocol.md, sections 9.1, 9.3 and 9.7."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from wire import Malformed, u16, u64

HASHES = {4: ('sha256', hashes.SHA256(), 16), 5: ('sha512', hashes.SHA512(), 32)}


def write_header(kid, counter):
    def part(value):
        if value < 8:
            return value, b''
        octets = value.to_bytes((value.bit_length() + 7) // 8, 'big')
        return 8 | (len(octets) - 1), octets
    (x, k), (y, c) = part(kid), part(counter)
    return bytes([x << 4 | y]) + k + c


def read_header(octets):
    """KID, counter and size of the header."""
    if not octets:
        raise Malformed('no SFrame header')
    at, values = 1, []
    for nibble in (octets[0] >> 4, octets[0] & 15):
        size = (nibble & 7) + 1 if nibble & 8 else 0
        values.append(int.from_bytes(octets[at:at + size], 'big') if size else nibble)
        at += size
    if at > len(octets) or octets[:at] != write_header(*values):
        raise Malformed('SFrame header')
    return *values, at


class Key:
    def __init__(self, suite, kid, base_key):
        name, algorithm, size = HASHES[suite]
        secret = hmac.digest(bytes(hashlib.new(name).digest_size), base_key, name)
        end = u64(kid) + u16(suite)
        self.kid = kid
        self.key = HKDFExpand(algorithm, size, b'SFrame 1.0 Secret key ' + end).derive(secret)
        self.salt = HKDFExpand(algorithm, 12, b'SFrame 1.0 Secret salt ' + end).derive(secret)

    def nonce(self, counter):
        return (int.from_bytes(self.salt, 'big') ^ counter).to_bytes(12, 'big')

    def protect(self, counter, plaintext, metadata=b''):
        header = write_header(self.kid, counter)
        return header + AESGCM(self.key).encrypt(self.nonce(counter), plaintext,
                                                 header + metadata)

    def open(self, frame, metadata=b''):
        kid, counter, at = read_header(frame)
        if kid != self.kid:
            raise Malformed('another KID')
        try:
            return AESGCM(self.key).decrypt(self.nonce(counter), frame[at:],
                                            frame[:at] + metadata)
        except InvalidTag as error:
            raise Malformed('forged') from error


def key_of(epoch, kid):
    return Key(epoch.cipher(kid), kid, epoch.base_key(kid))


def rtp_header_size(packet):
    if len(packet) < 12 or packet[0] >> 6 != 2 or packet[0] & 0x20:
        raise Malformed('RTP')
    size = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        size += 4 + 4 * int.from_bytes(packet[size + 2:size + 4], 'big')
    if size > len(packet):
        raise Malformed('RTP')
    return size


def protect_rtp(key, counter, packet):
    at = rtp_header_size(packet)
    return packet[:at] + key.protect(counter, packet[at:], packet[:at])


def open_rtp(epoch, packet):
    """The payload, and the KID it came under."""
    at = rtp_header_size(packet)
    kid = read_header(packet[at:])[0]
    return key_of(epoch, kid).open(packet[at:], packet[:at]), kid
