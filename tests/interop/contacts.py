"""Section 7.3: whom a peer knows, where they are, and the sealed links with them."""

from address import read_address, write_address
from link import SealedLink
from refusal import LIMIT, STATE, require
from wire import Malformed, check, u8, u64

CONTACTS = 20
MOST_CONTACTS, MOST_FORGOTTEN, MOST_TOLD = 384, 65536, 128
KEPT, KEPT_AFTER_FAILURE = 30, 3600     # s


class Contact:
    def __init__(self, card, address, link):
        self.card, self.address, self.link = card, address, link
        self.until = None               # when it is forgotten


class Contacts:
    def __init__(self, card, private):
        self._card, self._private = card, private
        self._contacts, self._forgotten = {}, {}

    @property
    def cards(self):
        return {member: one.card for member, one in self._contacts.items()}

    @property
    def addresses(self):
        return {member: one.address for member, one in self._contacts.items()}

    def card(self, member):
        contact = self._contacts.get(member)
        return contact and contact.card

    def is_known(self, member):
        return member in self._contacts or member in self._forgotten

    def is_full(self):
        return len(self._contacts) >= MOST_CONTACTS

    def learn(self, card, address=None):
        """@card is verified. A known member's address stays."""
        known = self._contacts.get(card.member)
        if known:
            require(known.card.digest == card.digest, STATE)
            known.address, known.until = known.address or address, None
            return
        require(card.member not in self._forgotten and card.member != self._card.member, STATE)
        require(not self.is_full(), LIMIT)
        self._contacts[card.member] = Contact(
            card, address, SealedLink(self._card, self._private, card))

    def depart(self, member, now, failed):
        if member in self._contacts:
            self._contacts[member].until = now + (KEPT_AFTER_FAILURE if failed else KEPT)

    def tick(self, now):
        for member, contact in list(self._contacts.items()):
            if contact.until is not None and now >= contact.until:
                del self._contacts[member]
                self._forgotten[member] = True
        while len(self._forgotten) > MOST_FORGOTTEN:
            del self._forgotten[next(iter(self._forgotten))]

    # --- sealed datagrams ---

    def open(self, datagram, address):
        """(member, plaintext)"""
        member = int.from_bytes(datagram[1:9], 'big')
        check(member in self._contacts, 'of a stranger')
        contact = self._contacts[member]
        plaintext, newest = contact.link.open(datagram)
        if newest:
            contact.address = address
        return member, plaintext

    def seal(self, member, plaintext):
        """(datagram, address)"""
        contact = self._contacts.get(member)
        if contact is None or contact.address is None:
            raise Malformed('nobody knows where it is')
        return contact.link.seal(plaintext), contact.address

    # --- CONTACTS ---

    def write(self, view, members):
        known = [(member, self._contacts[member].address) for member in members
                 if member in self._contacts and self._contacts[member].address]
        return u8(CONTACTS) + u64(view) + u8(len(known)) + b''.join(
            u64(member) + write_address(address) for member, address in known)

    def take(self, reader):
        """The number of the view that they are told for."""
        view, count = reader.u64(), reader.u8()
        check(count <= MOST_TOLD, 'too many')
        told = [(reader.u64(), read_address(reader)) for _ in range(count)]
        reader.end()
        for member, address in told:
            contact = self._contacts.get(member)
            if contact:
                contact.address = contact.address or address
        return view
