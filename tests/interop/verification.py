"""The verification code and the fingerprint of two: docs/protocol.md, section 7.6."""

from primitives import derive, sha256
from wire import Malformed, Reader, u64
from x509 import labelled

COMMIT, REVEAL = 25, 26


def read(message):
    """(type, epoch number, 32 octets)"""
    reader = Reader(message)
    kind, epoch, octets = reader.u8(), reader.u64(), reader.take(32)
    reader.end()
    if kind not in (COMMIT, REVEAL):
        raise Malformed('no VERIFY message')
    return kind, epoch, octets


def commitment(epoch, member, number):
    return sha256(labelled('verification commitment', u64(epoch) + u64(member) + number))


def code(epoch, shares, numbers):
    """@epoch: its keys; @numbers: in the view's order."""
    secret = derive(epoch.prk, 'verification', b'', 32)
    octets = derive(secret, 'code', sha256(shares + b''.join(numbers)), 8)
    digits = f'{int.from_bytes(octets, "big") % 10 ** 9:09}'
    return ' '.join(digits[at:at + 3] for at in (0, 3, 6))


def fingerprint(*certificates):
    """Of two, DER."""
    digits = sha256(labelled('fingerprint', b''.join(
        sorted(sha256(certificate) for certificate in certificates)))).hex()
    return ' '.join(digits[at:at + 4] for at in range(0, 64, 4))
