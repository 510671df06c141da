"""Section 5.4: what a member multicasts, and the messages of its view in their order."""

from links import Links
from messages import ORDER, RECEIPT, STABLE, SUBMIT
from orders import Acknowledgement, Ordered, Orders
from pieces import AHEAD, LATER, MORE, OMITTED, SAFE, Assembler, Rows, read_piece
from wire import check, u8, u64


class Multicast(Links):
    """@host, beside what links ask for: deliver(sender, message, safe)"""

    def __init__(self, own, host):
        super().__init__(own, host)
        self.stopped = False            # for a change of the view
        self.rows, self.assembler = Rows(), Assembler()
        self.handlers = {ORDER: self._on_order, STABLE: self._on_stable}
        self.begin_view()

    def begin_view(self):
        self.orders, self._receipt = Orders(), Acknowledgement()
        self.own_ordered = 0

    def multicast(self, message, safe=False, ahead=True):
        self.rows.add(message, safe, ahead)

    def say_what_is_due(self):
        sequencer = self.members[0]
        while (piece := self.rows.submit()) is not None:
            self.say(sequencer, SUBMIT, u8(piece.flags) + piece.payload)
        if self._receipt.is_due(self.now):
            self.say(sequencer, RECEIPT, u64(self.orders.held))

    def _on_order(self, member, message):
        sequence, sender, piece = self.read_ordered(message.body, OMITTED)
        if member == self.members[0] and not self.stopped:
            self.hold(sequence, sender, piece)
            self.deliver()

    def read_ordered(self, body, omitted=0):
        sequence, place = body.u64(), body.u8()
        check(place < len(self.members), 'of no member')
        sender = self.members[place]
        piece = read_piece(body, SAFE | MORE | AHEAD | LATER | omitted)
        check(sender == self.own or not piece.flags & OMITTED, 'without its payload')
        return sequence, sender, piece

    def hold(self, sequence, sender, piece):
        if sequence != self.orders.held + 1:
            return
        if sender == self.own:
            piece = self.rows.take_ordered()
            self.own_ordered += 1
        self.orders.hold(Ordered(sender, piece))
        self._receipt.note(piece, self.now, piece.flags & SAFE)

    def _on_stable(self, member, message):
        sequence = message.body.u64()
        message.body.end()
        if member == self.members[0] and not self.stopped:
            self.orders.stable = max(self.orders.stable, min(sequence, self.orders.held))
            self.deliver()

    def deliver(self, all_up_to=None):
        for ordered in self.orders.deliverable(all_up_to):
            self.put(*ordered)
        self.orders.forget()

    def put(self, sender, piece):
        if sender == self.own:
            self.rows.note_delivered(piece)
        message = self.assembler.add(sender, piece)
        if message is not None:
            self.host.deliver(sender, message, bool(piece.flags & SAFE))
