"""Names, chains and signatures: docs/protocol.md, section 2. Lists of revoked
certificates are not looked at."""

import datetime
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from wire import Malformed, Reader, vector

NAME = re.compile(r'[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*')
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


class Refused(Exception):
    """The word is one of the table in section 4.3."""

    def __init__(self, word, why=''):
        super().__init__(f'{word}: {why}')
        self.word = word


def labelled(label, octets):
    return b'BRAVIS 1.0 ' + label.encode() + b'\0' + octets


def verify(public, label, octets, signature):
    octets = labelled(label, octets)
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, octets)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, octets, ec.ECDSA(hashes.SHA256()))
        else:
            public.verify(signature, octets, PSS, hashes.SHA256())
    except InvalidSignature as error:
        raise Refused('SIGNATURE', label) from error


def name_of(certificate):
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise Refused('CERTIFICATE', 'no name') from error
    uris = [uri[4:] for uri in names.get_values_for_type(x509.UniformResourceIdentifier)
            if uri.startswith('sip:')]
    if len(uris) != 1 or not NAME.fullmatch(uris[0]) or not 3 <= len(uris[0]) <= 128:
        raise Refused('CERTIFICATE', f'names: {uris}')
    return uris[0]


def is_issued_by(certificate, issuer):
    key = issuer.public_key()
    if certificate.issuer != issuer.subject:
        return False
    octets, signature = certificate.tbs_certificate_bytes, certificate.signature
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, octets)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, octets, ec.ECDSA(certificate.signature_hash_algorithm))
        else:
            key.verify(signature, octets, padding.PKCS1v15(),
                       certificate.signature_hash_algorithm)
    except InvalidSignature:
        return False
    return True


def check_authority(certificate, below):
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound as error:
        raise Refused('CERTIFICATE', 'an issuer is no authority') from error
    if not basic.ca or (basic.path_length is not None and below > basic.path_length):
        raise Refused('CERTIFICATE', 'an issuer may not issue this')
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        raise Refused('CERTIFICATE', 'an issuer may not sign certificates')


def check_own(certificate):
    """The key usage of a member's certificate, and the kind of its key."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise Refused('CERTIFICATE', 'no key usage') from error
    kinds = (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)
    if not usage.digital_signature or not isinstance(certificate.public_key(), kinds):
        raise Refused('CERTIFICATE', 'a key that may not sign')


class Identity:
    """One's own chain and key, and who is trusted."""

    def __init__(self, certificates, key, trusted):
        """PEM, all three."""
        self.certificates = x509_all(certificates)
        self.key = serialization.load_pem_private_key(key, None)
        self.trusted = x509_all(trusted)
        self.name = name_of(self.certificates[0])

    @property
    def chain(self):
        return b''.join(vector(3, certificate.public_bytes(serialization.Encoding.DER))
                        for certificate in self.certificates
                        if certificate not in self.trusted)

    def sign(self, label, octets):
        octets = labelled(label, octets)
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(octets)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(octets, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(octets, PSS, hashes.SHA256())

    def verify_chain(self, octets, now=None):
        """Gives the name and the public key. @now: seconds since 1970."""
        at = (datetime.datetime.utcnow() if now is None
              else datetime.datetime.utcfromtimestamp(now))
        path = self.find_path(read_chain(octets))
        for certificate in reversed(path):
            if not certificate.not_valid_before <= at <= certificate.not_valid_after:
                raise Refused('EXPIRED', certificate.subject.rfc4514_string())
        check_own(path[0])
        return name_of(path[0]), path[0].public_key()

    def find_path(self, certificates):
        for below, certificate in enumerate(certificates):
            if certificate in self.trusted:
                return certificates[:below + 1]
            for root in self.trusted:
                if is_issued_by(certificate, root):
                    check_authority(root, below)
                    return certificates[:below + 1] + [root]
            if below + 1 < len(certificates):
                if not is_issued_by(certificate, certificates[below + 1]):
                    raise Refused('CERTIFICATE', 'no chain')
                check_authority(certificates[below + 1], below)
        raise Refused('UNTRUSTED')


def x509_all(pem):
    end = b'-----END CERTIFICATE-----\n'
    return [x509.load_pem_x509_certificate(part + end)
            for part in pem.split(end) if b'BEGIN CERTIFICATE' in part]


def read_chain(octets):
    reader = Reader(octets)
    certificates = []
    try:
        while reader.more():
            certificates.append(x509.load_der_x509_certificate(reader.vector(3)))
    except (Malformed, ValueError) as error:
        raise Refused('CERTIFICATE', 'encoding') from error
    if not 1 <= len(certificates) <= 5 or len(octets) > 12288:
        raise Refused('CERTIFICATE', 'a chain too long, or empty')
    return certificates
