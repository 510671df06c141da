"""Key schedule and SFrame (RFC 9605) a second time, from the documents alone, so
that a fault of the C code is not repeated by its checker.

docs/protocol.md has the key schedule ("Epochs and keys") and the shape of media
datagrams ("Media"); keymgmt/bravis-keylog.h the key log.
"""

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# RFC 9605 section 8.1: octets of key and base key, hash of each cipher suite
SUITES = {4: (16, hashes.SHA256), 5: (32, hashes.SHA512)}


def hmac_digest(key, data, algorithm=hashes.SHA256):
    mac = hmac.HMAC(key, algorithm())
    mac.update(data)
    return mac.finalize()


def hkdf_expand(secret, info, size, algorithm=hashes.SHA256):
    out, block = b'', b''
    for counter in range(1, 256):
        block = hmac_digest(secret, block + info + bytes([counter]), algorithm)
        out += block
        if len(out) >= size:
            return out[:size]
    raise ValueError('more than HKDF can give')


def expand_label(secret, label, context, size):
    label = b'BRAVIS 1.0 ' + label.encode()
    info = (struct.pack('>HB', size, len(label)) + label
            + struct.pack('>H', len(context)) + context)
    return hkdf_expand(secret, info, size)


@dataclass(frozen=True)
class Kid:
    epoch: int
    sender: int
    kind: int
    stream: int

    @classmethod
    def unpack(cls, value):
        return cls(value >> 20, value >> 12 & 0xFF, value >> 10 & 3, value & 0x3FF)

    def pack(self):
        return self.epoch << 20 | self.sender << 12 | self.kind << 10 | self.stream


@dataclass(frozen=True)
class Header:
    kid: int
    counter: int
    size: int


def read_header(data):
    """RFC 9605 section 4.3; None for what is none."""
    if not data:
        return None
    config, at, values = data[0], 1, []
    for shift in (4, 0):
        bits = config >> shift & 0xF
        if bits & 8:
            size = (bits & 7) + 1
            if at + size > len(data):
                return None
            values.append(int.from_bytes(data[at:at + size], 'big'))
            at += size
        else:
            values.append(bits & 7)
    return Header(values[0], values[1], at)


def write_header(kid, counter):
    config, tail = 0, b''
    for shift, value in ((4, kid), (0, counter)):
        if value < 8:
            config |= value << shift
        else:
            octets = value.to_bytes((value.bit_length() + 7) // 8, 'big')
            config |= (8 | len(octets) - 1) << shift
            tail += octets
    return bytes([config]) + tail


class SFrameKey:
    """One KID's key (RFC 9605 section 4.4.2)."""

    def __init__(self, suite, kid, base_key):
        context = struct.pack('>QH', kid, suite)
        key_size, algorithm = SUITES[suite]
        secret = hmac_digest(b'\0' * algorithm.digest_size, base_key, algorithm)
        self.key = AESGCM(hkdf_expand(secret, b'SFrame 1.0 Secret key ' + context,
                                      key_size, algorithm))
        self.salt = hkdf_expand(secret, b'SFrame 1.0 Secret salt ' + context, 12, algorithm)

    def nonce(self, counter):
        return bytes(a ^ b for a, b in zip(self.salt, counter.to_bytes(12, 'big')))

    def seal(self, counter, aad, plaintext):
        return self.key.encrypt(self.nonce(counter), plaintext, aad)

    def open(self, counter, aad, ciphertext):
        try:
            return self.key.decrypt(self.nonce(counter), ciphertext, aad)
        except InvalidTag:
            return None


@dataclass(frozen=True)
class EpochKeys:
    """What a member knew of one epoch: enough for each of its media keys."""
    number: int
    media_prk: bytes
    suites: tuple               # of each kind

    members: tuple = ()         # names, in the order of the view

    @classmethod
    def from_secret(cls, number, secret, context, suites, members=()):
        """@context: SHA-256 of the epoch's context, as the key log has it."""
        prk = expand_label(secret, 'epoch', context, 32)
        return cls(number, expand_label(prk, 'media', b'', 32), tuple(suites),
                   tuple(members))

    def key(self, kid):
        """The SFrame key for @kid, which may claim to be of another epoch."""
        suite = self.suites[Kid.unpack(kid).kind]
        base = expand_label(self.media_prk, 'base key', struct.pack('>Q', kid),
                            SUITES[suite][0])
        return SFrameKey(suite, kid, base)


def read_keylog(path):
    """The epochs that a peer came to know (keymgmt/bravis-keylog.h)."""
    epochs = []
    with open(path, encoding='utf-8') as file:
        for line in file:
            parts = line.split()
            if len(parts) != 10 or parts[0] != 'EPOCH':
                raise ValueError(f'{path}: no line of a key log: {parts[:1]}')
            number, secret, context = int(parts[4]), parts[6], parts[7]
            suites = parts[8].removeprefix('suites=').split(',')
            members = parts[9].removeprefix('members=').split(',')
            epochs.append(EpochKeys.from_secret(
                number, bytes.fromhex(secret), bytes.fromhex(context),
                map(int, suites), members))
    return epochs


class KeyRing:
    """All keys that one or several members ever had."""

    def __init__(self, epochs=()):
        self.epochs = {}
        self.cache = {}
        for epoch in epochs:
            self.add(epoch)

    def add(self, epoch):
        self.epochs.setdefault(epoch.number, []).append(epoch)

    def update(self, other):
        for epochs in other.epochs.values():
            for epoch in epochs:
                self.add(epoch)

    def candidates(self, kid, any_epoch):
        """Keys to try for @kid: of its own epoch, or of each epoch known."""
        if (kid, any_epoch) not in self.cache:
            if any_epoch:
                epochs = [e for known in self.epochs.values() for e in known]
            else:
                epochs = self.epochs.get(Kid.unpack(kid).epoch, [])
            self.cache[kid, any_epoch] = [epoch.key(kid) for epoch in epochs]
        return self.cache[kid, any_epoch]

    def open(self, protected, any_epoch=False):
        """The plaintext of an SFrame ciphertext, or None."""
        for key in self.candidates(protected.header.kid, any_epoch):
            for metadata in protected.metadata:
                plaintext = key.open(protected.header.counter,
                                     protected.header_octets + metadata,
                                     protected.ciphertext)
                if plaintext is not None:
                    return plaintext
        return None


@dataclass(frozen=True)
class Protected:
    """The SFrame ciphertext in one media datagram."""
    header: Header
    header_octets: bytes
    ciphertext: bytes
    metadata: tuple             # what may be bound to it besides its header

    @property
    def epoch(self):
        return Kid.unpack(self.header.kid).epoch

    @property
    def sender(self):
        return Kid.unpack(self.header.kid).sender


RTCP = 194


def protected_part(datagram):
    """The SFrame ciphertext of a media datagram; None for other datagrams."""
    if not datagram:
        return None
    if 128 <= datagram[0] <= 191:
        start = rtp_header_size(datagram)
        metadata = (b'', datagram[:start] if start else b'')
    elif datagram[0] == RTCP:
        start, metadata = 1, (b'', datagram[:1])
    else:
        return None
    header = read_header(datagram[start:]) if start else None
    if header is None:
        return None
    body = start + header.size
    return Protected(header, datagram[start:body], datagram[body:], metadata)


def rtp_header_size(packet):
    """RFC 3550 section 5.1; 0 where it does not fit."""
    if len(packet) < 12:
        return 0
    size = 12 + 4 * (packet[0] & 0xF)
    if packet[0] & 0x10:
        if len(packet) < size + 4:
            return 0
        size += 4 + 4 * int.from_bytes(packet[size + 2:size + 4], 'big')
    return size if size <= len(packet) else 0
