"""Who takes part: certificates, configuration files, and the gst-launch line of
each peer."""

import os
import shlex
import socket
import subprocess

DOMAIN = 'example.org'
CONFERENCE = 'bravis-demo-conference'
NAMES = ('alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi',
         'ivan', 'judy', 'kim', 'liam', 'mona', 'nina', 'oscar', 'peggy')

# Who is not let in, and words of which one must say why.
INTRUDERS = {'mallory': ('trust',),
             'trudy': ('expired', 'not valid at this time'),
             'rhea': ('revoked',)}
EXPIRED = ('--valid-from=2020-01-01', '--days=30')

# One machine has to carry them all. From MANY members on each decodes only the first
# one's picture, and not every one; beyond SPEAKERS, members only listen.
MANY = 5
SPEAKERS = 6

THUMBNAIL = (160, 90)


class SetupError(Exception):
    pass


def identity(name):
    return f'{name}@{DOMAIN}'


def free_ports(count):
    """UDP ports nobody has on the loopback now; held together, so all differ."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for held in sockets:
            held.bind(('127.0.0.1', 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()


class Authority:
    """A certification authority, by the project's own command."""

    def __init__(self, bravis, directory, name):
        self.bravis = bravis
        self.directory = directory
        self.run('init', '--name', name)

    @property
    def certificate(self):
        return os.path.join(self.directory, 'ca.pem')

    @property
    def crl(self):
        return os.path.join(self.directory, 'crl.pem')

    def run(self, command, *arguments):
        line = [self.bravis, 'ca', command, '--dir', self.directory, *arguments]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise SetupError(f'{shlex.join(line)}: {done.stderr.strip()}')
        return done.stdout

    def issue(self, peer, *options):
        self.run('issue', '--out', peer.path(peer.name), *options, peer.identity)

    def revoke(self, peer):
        self.run('revoke', peer.identity)


class Peer:
    def __init__(self, name, port, directory, sends=True):
        self.name = name
        self.sends = sends
        self.identity = identity(name)
        self.port = port
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    @property
    def config(self):
        return self.path(self.name + '.conf')

    @property
    def keylog(self):
        return self.path('keys.log')

    def write_config(self, trust, crl, peers, invite=()):
        lines = ['[identity]', f'certificate={self.name}.pem', f'key={self.name}-key.pem',
                 f'trust={os.path.relpath(trust, self.directory)}',
                 f'crl={os.path.relpath(crl, self.directory)}',
                 '', '[group]', f'conference={CONFERENCE}', f'listen=127.0.0.1:{self.port}']
        if invite:
            lines.append('invite=' + ';'.join(peer.identity for peer in invite))
        lines += ['', '[peers]']
        lines += [f'{peer.identity}=127.0.0.1:{peer.port}' for peer in peers if peer is not self]
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')

    def sent(self, stream):
        return self.path(f'sent-{stream}.gdp')

    def received(self, stream):
        return self.path(f'received-{stream}.gdp')

    def thumbnails(self, stream):
        return self.path(f'seen-{stream}')

    def launch_line(self, clip, live, others):
        """gst-launch-1.0 and its arguments. @live: the video is decoded and encoded
        again, with key units only where one is asked for. @others: how many send to
        it."""
        return ['gst-launch-1.0', '-m', '-e',
                *(self.sending(clip, live) if self.sends else ()), *self.receiving(others)]

    def sending(self, clip, live):
        config = f'config={self.config}'
        encoder = ('avdec_h264 ! identity sync=true ! x264enc tune=zerolatency '
                   'speed-preset=ultrafast bitrate=1000 threads=1 key-int-max=100000 '
                   'option-string=scenecut=0 ! h264parse config-interval=-1')
        pace = '' if live else '! identity sync=true'
        # Little is read ahead, as from a camera, so that a peer that leaves has soon
        # sent what it recorded. The first queue keeps the demuxer from reading the
        # file by itself, in large pieces.
        ahead = 'queue max-size-time=100000000'
        return words(f'''
            bravisgroupsink name=out {config}
            filesrc blocksize=2048 location={clip} ! queue max-size-bytes=2048 ! matroskademux name=clip
            clip.video_0 ! {ahead} ! h264parse config-interval=-1
              ! {encoder + ' !' if live else ''}
              video/x-h264,stream-format=byte-stream,alignment=au {pace} ! tee name=v
            v. ! queue ! gdppay ! filesink async=false location={self.sent('video_0')}
            v. ! queue ! out.video_0
            clip.audio_0 ! {ahead} ! opusparse ! identity sync=true ! tee name=a
            a. ! queue ! gdppay ! filesink async=false location={self.sent('audio_0')}
            a. ! queue ! out.audio_0''')

    def receiving(self, others):
        line = words(f'bravisgroupsrc name=in config={self.config}')
        wait = 'max-size-buffers=0 max-size-bytes=0 max-size-time=0'
        record = 'gdppay ! filesink sync=false async=false location='
        for number in range(others):
            video, audio = f'video_{number}', f'audio_{number}'
            line += words(f'in.{audio} ! queue {wait} ! {record}{self.received(audio)}')
            if others >= MANY and number > 0:
                line += words(f'in.{video} ! queue {wait} ! {record}{self.received(video)}')
                continue
            os.makedirs(self.thumbnails(video), exist_ok=True)
            fewer = '! videorate drop-only=true max-rate=5' if others >= MANY else ''
            line += words(f'''
                in.{video} ! tee name=v{number}
                v{number}. ! queue {wait} ! {record}{self.received(video)}
                v{number}. ! queue {wait} ! h264parse ! avdec_h264 max-threads=1 {fewer}
                  ! videoscale ! videoconvert
                  ! video/x-raw,format=RGB,width={THUMBNAIL[0]},height={THUMBNAIL[1]}
                  ! pngenc compression-level=1
                  ! multifilesink sync=false async=false
                    location={self.thumbnails(video)}/%05d.png''')
        return line


def repeat_clip(clip, times, path):
    """The clip, several times over, without encoding it anew."""
    hold = 'queue max-size-buffers=0 max-size-bytes=0 max-size-time=0'
    line = words(f'''gst-launch-1.0 -q matroskamux name=mux ! filesink location={path}
                     concat name=video ! mux.video_0 concat name=audio ! mux.audio_0''')
    for number in range(times):
        line += words(f'''filesrc location={clip} ! matroskademux name=clip{number}
                          clip{number}.video_0 ! {hold} ! h264parse ! video.
                          clip{number}.audio_0 ! {hold} ! opusparse ! audio.''')
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise SetupError(f'cannot repeat {clip}: {done.stderr.strip()}')


def words(text):
    return text.split()


def shell_line(variables, line):
    """What a person can paste into a terminal."""
    return ' '.join([f'{k}={shlex.quote(v)}' for k, v in variables.items()]
                    + [shlex.quote(word) if word != '!' else '!' for word in line])
