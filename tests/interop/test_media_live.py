"""Frames pass between a peer made by docs/protocol.md and the group elements in a
gst-launch line: usage: test_media_live.py BRAVIS NET_PEER PLUGIN_DIRECTORY"""

import os
import shutil
import sys
import tempfile

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
import sframe
from meeting import Meeting, full, net_peer
from wire import u8, u16, u32

VIDEO, AUDIO = 0, 1
WHOLE = 0xc0            # first and last piece of a frame
SSRC, PAYLOAD_TYPE = 0x01020304, 97
FRAME = b'a frame of paul'
DESCRIPTION = (b'bravis-stream 1\nform=frames\nssrc=%d\npayload=%d\nclock-rate=48000\n'
               b'generation=0\nmedia=audio/x-opus\n' % (SSRC, PAYLOAD_TYPE))


def gst_launch(config, log):
    """Sends video, and writes the audio that comes to @log."""
    return ['gst-launch-1.0', '-q', 'bravisgroupsink', 'name=out', f'config={config}',
            'bravisgroupsrc', 'name=in', f'config={config}',
            *('videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=20/1 '
              '! x264enc tune=zerolatency key-int-max=5 ! h264parse ! out.video_0').split(),
            *f'in.audio_0 ! filesink location={log} buffer-mode=unbuffered sync=false '
             'async=false'.split()]


def opened(paul):
    """(payload, KID) of the packets that came and can be opened."""
    for datagram in paul.media:
        try:
            yield sframe.open_rtp(paul.epoch, datagram)
        except (sframe.Malformed, KeyError):        # of an epoch before
            pass


class Sender:
    """paul's stream."""

    def __init__(self, meeting):
        self.paul = meeting.paul
        self.paul.announce(AUDIO, 0, DESCRIPTION)
        self.sequence = 0
        self.key = None

    def tick(self):
        epoch, paul = self.paul.epoch, self.paul
        if self.key is None or self.key.kid >> 20 != epoch.number:
            self.key = sframe.key_of(epoch, epoch.kid(paul.card.member, AUDIO, 0))
            self.counter = 0
        self.sequence += 1
        packet = (u8(0x80) + u8(0x80 | PAYLOAD_TYPE) + u16(self.sequence)
                  + u32(960 * self.sequence) + u32(SSRC) + u8(WHOLE) + FRAME)
        guarded = sframe.protect_rtp(self.key, self.counter, packet)
        self.counter += 1
        for member in epoch.members:
            if member != paul.card.member and paul.addresses.get(member):
                paul.socket.sendto(guarded, paul.addresses[member])


def follow(meeting):
    alice, dora = meeting.peers['alice'], meeting.peers['dora']
    paul = meeting.paul
    alice.command('invite', full('dora'))
    alice.command('invite', full('paul'))
    meeting.wait('all three to have one key',
                 lambda: paul.epoch and len(paul.epoch.members) == 3)
    meeting.wait('a frame of dora', lambda: any(opened(paul)))
    payload, kid = next(opened(paul))
    assert kid >> 10 & 3 == VIDEO and payload[0] & 0x08 == 0
    sender = Sender(meeting)
    meeting.wait('dora to write what paul sends',
                 lambda: FRAME in dora.read('.log').encode('utf-8', 'replace'), sender.tick)
    paul.leave()
    meeting.wait('paul to be out', lambda: paul.over)


def test_frames_pass_both_ways(bravis, program, plugin):
    if not shutil.which('gst-launch-1.0'):
        raise tap.Skip('gst-launch-1.0 is not installed')
    with tempfile.TemporaryDirectory() as directory:
        environment = dict(os.environ, GST_PLUGIN_PATH=plugin,
                           GST_REGISTRY=os.path.join(directory, 'registry.bin'))
        meeting = Meeting(bravis, directory, {'alice': net_peer(program, 1),
                                              'dora': gst_launch}, environment)
        try:
            follow(meeting)
        finally:
            meeting.close()


if __name__ == '__main__':
    sys.exit(tap.run('media', globals(), *sys.argv[1:]))
