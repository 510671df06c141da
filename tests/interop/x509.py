"""Section 2, names and certificates: who a member is, and who says so.

Lists of what was revoked are not looked at, and no certificate signed with RSA-PSS is
accepted. It works with python3-cryptography from 38 on."""

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from primitives import is_signature_key
from refusal import CERTIFICATE, EXPIRED, UNTRUSTED, require
from wire import Malformed, Reader, vector24

MOST_CERTIFICATES, MOST_OCTETS = 5, 12288
PEM = re.compile(b'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', re.DOTALL)
NAME = re.compile(rb'[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*')


def is_name(octets):
    return 3 <= len(octets) <= 128 and NAME.fullmatch(octets) is not None


class Certified(NamedTuple):
    """What a chain says of its first certificate."""
    name: bytes
    key: Any
    der: bytes


class Identity:
    """What one peer is given: its chain, its private key, and whom it trusts."""

    def __init__(self, certificates, key, trust):
        self.chain = b''.join(vector24(one.public_bytes(Encoding.DER))
                              for one in _load(certificates))
        self.key = load_pem_private_key(key, None)
        self.trust = _load(trust)
        self.name = certify(self.chain, self.trust).name


def _load(pem):
    return [x509.load_pem_x509_certificate(one) for one in PEM.findall(pem)]


def certify(chain, trust, at=None):
    """Checks a chain as on the wire, in the order of the document."""
    members = _read(chain)
    path = _end_with_authority(members, trust)
    for below, (one, issuer) in enumerate(zip(path, path[1:])):
        require(_may_issue(issuer, one, below), CERTIFICATE)
    require(path[-1] in trust, UNTRUSTED)
    for one, issuer in zip(path, path[1:]):
        require(_is_signed_by(one, issuer), UNTRUSTED)
        require(_is_strong(one, issuer), CERTIFICATE)
    at = at or datetime.now(timezone.utc)
    require(all(begin <= at <= end for begin, end in map(_validity, path)), EXPIRED)
    return _judge_end(path[0])


def _read(chain):
    require(0 < len(chain) <= MOST_OCTETS, CERTIFICATE)
    reader, members = Reader(chain), []
    try:
        while reader.left:
            members.append(_parse(reader.vector24()))
    except (Malformed, ValueError, UnsupportedAlgorithm, x509.InvalidVersion,
            x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        members.clear()
    require(0 < len(members) <= MOST_CERTIFICATES, CERTIFICATE)
    return members


def _parse(der):
    """All of it: so nothing that is looked at later raises."""
    certificate = x509.load_der_x509_certificate(der)
    _ = certificate.extensions, certificate.public_key(), certificate.signature_hash_algorithm
    return certificate


def _end_with_authority(members, trust):
    """From the member's own to the one that is trusted, if there is one."""
    for at, one in enumerate(members):
        if one in trust:
            return members[:at + 1]
    issuers = [one for one in trust if one.subject == members[-1].issuer]
    signers = [one for one in issuers if _is_signed_by(members[-1], one)]
    return members + (signers or issuers)[:1]


def _extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _may_issue(issuer, one, below):
    constraints = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    wanted = _extension(one, x509.AuthorityKeyIdentifier)
    given = _extension(issuer, x509.SubjectKeyIdentifier)
    return (one.issuer == issuer.subject and issuer.version is x509.Version.v3
            and constraints is not None and constraints.ca
            and (constraints.path_length is None or below <= constraints.path_length)
            and (usage is None or usage.key_cert_sign)
            and (wanted is None or given is None or wanted.key_identifier is None
                 or wanted.key_identifier == given.digest))


def _is_signed_by(one, issuer):
    try:
        issuer.public_key().verify(one.signature, one.tbs_certificate_bytes,
                                   *_scheme(issuer.public_key(), one))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        return False
    return True


def _scheme(key, certificate):
    """What verify of that kind of key takes behind the data."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ()
    algorithm = certificate.signature_hash_algorithm
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (ec.ECDSA(algorithm),)
    return padding.PKCS1v15(), algorithm


def _validity(certificate):
    """python3-cryptography before 42 tells times without their zone."""
    if hasattr(certificate, 'not_valid_before_utc'):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return tuple(time.replace(tzinfo=timezone.utc) for time in (
        certificate.not_valid_before, certificate.not_valid_after))


def _is_strong(one, issuer):
    algorithm, key = one.signature_hash_algorithm, issuer.public_key()
    return ((algorithm is None or algorithm.digest_size >= 32)
            and (not isinstance(key, rsa.RSAPublicKey) or key.key_size >= 2048))


def _judge_end(certificate):
    names = _extension(certificate, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    sip = [uri[4:].encode() for uri in uris if uri.lower().startswith('sip:')]
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    require(len(sip) == 1 and is_name(sip[0])
            and not (constraints and constraints.ca)
            and usage is not None and usage.digital_signature
            and is_signature_key(certificate.public_key()), CERTIFICATE)
    return Certified(sip[0], certificate.public_key(), certificate.public_bytes(Encoding.DER))
