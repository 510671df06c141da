"""Section 7.4: what streams the members say they have. Their descriptions are not read."""

from wire import check, u8, u16, vector16

STREAM, STREAM_END = 21, 22
KINDS, NUMBERS, MOST_STREAMS, MOST_DESCRIPTION = 4, 1024, 64, 8192


def write_stream(number, kind, description):
    return u8(STREAM) + u8(kind) + u16(number) + vector16(description)


class Streams:
    def __init__(self):
        self.own = {}                   # number -> (kind, description)
        self.others = {}                # (member, number) -> (kind, description)

    def take(self, member, reader):
        kind, number = reader.u8(), reader.u16()
        description = reader.vector16(MOST_DESCRIPTION)
        reader.end()
        check(kind < KINDS and number < NUMBERS and 0 not in description, 'no stream')
        before = self.others.get((member, number))
        mine = [one for one, _ in self.others if one == member]
        if before[0] == kind if before else len(mine) < MOST_STREAMS:
            self.others[member, number] = kind, description

    def end(self, member, reader):
        number = reader.u16()
        reader.end()
        self.others.pop((member, number), None)

    def keep(self, members):
        self.others = {key: one for key, one in self.others.items() if key[0] in members}
