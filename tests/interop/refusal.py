"""Section 4.3: the codes with which something or somebody is refused."""

CERTIFICATE, UNTRUSTED, EXPIRED, REVOKED, WRONG_NAME = 3, 4, 5, 6, 7
SIGNATURE, PROTOCOL, DENIED, CONFERENCE = 9, 10, 11, 12
POLICY, STATE, LIMIT = 14, 16, 17


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def require(holds, code):
    if not holds:
        raise Refused(code)
