"""Section 2: hashes, keys, AEAD and signatures, each under a label of its own."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wire import Malformed, check, u8, u16, vector8, vector16

LABEL = b'BRAVIS 1.0 '
CURVES = ('secp256r1', 'secp384r1', 'secp521r1')
P = 2**255 - 19
LOW_ORDER = {0, 1, P - 1, P, P + 1} | {
    int.from_bytes(bytes.fromhex(point), 'little') for point in (
        'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
        '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157')}

draw = os.urandom
is_same = hmac.compare_digest


def sha256(octets):
    return hashlib.sha256(octets).digest()


def labelled_hash(label, octets):
    return sha256(LABEL + label.encode() + u8(0) + octets)


def mac(key, octets):
    return hmac.digest(key, octets, 'sha256')


def extract(salt, secret, algorithm='sha256'):
    return hmac.digest(salt, secret, algorithm)


def expand(secret, info, size, algorithm='sha256'):
    made, block, count = b'', b'', 0
    while len(made) < size:
        count += 1
        block = hmac.digest(secret, block + info + u8(count), algorithm)
        made += block
    return made[:size]


def derive(secret, label, context, size):
    label = label if isinstance(label, bytes) else label.encode()
    return expand(secret, u16(size) + vector8(LABEL + label) + vector16(context), size)


def seal(key, nonce, plaintext, associated=None):
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key, nonce, ciphertext, associated=None):
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError):
        raise Malformed('not authentic') from None


def is_low_order(public):
    return int.from_bytes(public, 'little') % 2**255 in LOW_ORDER


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw)


def agree(private, public):
    check(not is_low_order(public), 'a key of low order')
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(public))


def is_signature_key(key):
    """Whether a public key is of one of the kinds that members may have."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in CURVES
    return isinstance(key, ed25519.Ed25519PublicKey)


def _scheme(key):
    """What sign and verify of that kind of key take behind the data."""
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
    if isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)):
        return (ec.ECDSA(hashes.SHA256()),)
    return ()


def sign(key, label, data):
    return key.sign(LABEL + label.encode() + u8(0) + data, *_scheme(key))


def is_signed(key, label, data, signature):
    try:
        key.verify(signature, LABEL + label.encode() + u8(0) + data, *_scheme(key))
    except (InvalidSignature, ValueError):
        return False
    return True
