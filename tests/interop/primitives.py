"""What everything is made of: docs/protocol.md, section 2."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from wire import Malformed, u16, vector

P = 2 ** 255 - 19
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823)
LOW_ORDER = {0, 1, P - 1, P, P + 1, *ORDER_8}


def sha256(octets):
    return hashlib.sha256(octets).digest()


def mac(key, octets):
    return hmac.digest(key, octets, 'sha256')


def extract(salt, octets):
    return mac(salt, octets)


def expand(secret, info, size):
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


def derive(secret, label, context, size):
    info = u16(size) + vector(1, b'BRAVIS 1.0 ' + label.encode()) + vector(2, context)
    return expand(secret, info, size)


def seal(key, nonce, associated, plaintext):
    return AESGCM(key).encrypt(nonce.to_bytes(12, 'big'), plaintext, associated)


def unseal(key, nonce, associated, ciphertext):
    """None: it is not authentic."""
    try:
        return AESGCM(key).decrypt(nonce.to_bytes(12, 'big'), ciphertext, associated)
    except (InvalidTag, ValueError):
        return None


def check_public(public):
    if int.from_bytes(public, 'little') % 2 ** 255 in LOW_ORDER:
        raise Malformed('an X25519 key of low order')
    return public


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def x25519(private, public):
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(check_public(public)))
