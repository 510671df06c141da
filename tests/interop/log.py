"""Section 7.9: the membership log, a file of signed lines that tell of each other."""

from base64 import b64decode, b64encode
from urllib.parse import quote

from primitives import is_signed, sha256, sign
from wire import Malformed, check

FIRST_HASH = '0' * 64
LABEL = 'membership log'


class MembershipLog:
    def __init__(self, identity, write):
        """@write: takes each line."""
        self._identity, self._write = identity, write
        self._number, self._hash = 0, FIRST_HASH

    def _enter(self, time, kind, *parts):
        body = ' '.join((str(self._number), self._hash, str(time), kind, *parts)).encode()
        signature = sign(self._identity.key, LABEL, body)
        self._number, self._hash = self._number + 1, sha256(body).hex()
        self._write(body.decode() + '\t' + b64encode(signature).decode() + '\n')

    def start(self, time, conference):
        self._enter(time, 'START', quote(conference, safe=''), self._identity.name.decode(),
                    b64encode(self._identity.chain).decode())

    def view(self, time, number, primary, names):
        self._enter(time, 'VIEW', str(number), 'primary' if primary else 'part',
                    ','.join(names))

    def joined(self, time, name):
        self._enter(time, 'JOINED', name)

    def left(self, time, name, why):
        self._enter(time, 'LEFT', name, why)

    def epoch(self, time, epoch, cause, cards):
        self._enter(time, 'EPOCH', str(epoch.number), str(epoch.view), cause,
                    epoch.confirmation.hex(),
                    ','.join(f'{card.name.decode()}/{card.digest.hex()}' for card in cards))

    def end(self, time, reason):
        self._enter(time, 'END', quote(reason, safe=''))


def check_log(text, key):
    """Malformed: a line was taken out, changed, or is not signed by that key."""
    before = FIRST_HASH
    for number, line in enumerate(text.encode().split(b'\n')[:-1]):
        body, _, signature = line.partition(b'\t')
        check(body.split(b' ')[:2] == [str(number).encode(), before.encode()], 'a line is missing')
        try:
            signed = is_signed(key, LABEL, body, b64decode(signature, validate=True))
        except ValueError:
            raise Malformed('no base64') from None
        check(signed, 'a line was changed')
        before = sha256(body).hex()
