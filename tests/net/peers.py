"""Peers: their certificates, their processes, and what they log."""

import collections
import os
import signal
import subprocess
import time

NAMES = ('alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan')
PORT = 5000
CONFERENCE = 'tests'


class Failure(Exception):
    """Something is not as it must be."""


def identity(name):
    return f'{name}@example.org'


def now():
    """µs of the clock that all logs have."""
    return time.monotonic_ns() // 1000


class Authority:
    """Certificates for all NAMES, made once for all scenarios of a run."""

    def __init__(self, bravis, directory):
        self.bravis = bravis
        self.directory = os.path.join(directory, 'ca')
        self.issued = os.path.join(directory, 'certificates')
        os.makedirs(self.issued)
        self.run('init', '--name', 'tests')
        for name in NAMES:
            self.run('issue', '--out', self.path(name), identity(name))

    def path(self, name):
        return os.path.join(self.issued, name)

    def run(self, command, *arguments):
        done = subprocess.run([self.bravis, 'ca', command, '--dir', self.directory,
                               *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failure(f'bravis ca {command}: {done.stderr.strip()}')

    def config(self, host, hosts, ipv6):
        """The configuration of the peer on @host."""
        def at(other):
            return f'[{other.ipv6}]:{PORT}' if ipv6 else f'{other.ipv4}:{PORT}'
        return '\n'.join([
            '[identity]', f'certificate={self.path(host.name)}.pem',
            f'key={self.path(host.name)}-key.pem', f'trust={self.directory}/ca.pem',
            '[group]', f'conference={CONFERENCE}', f'listen={at(host)}', '[peers]',
            *(f'{identity(other.name)}={at(other)}' for other in hosts if other is not host)
        ]) + '\n'


class Tail:
    """The whole lines of a file that grows."""

    def __init__(self, path):
        self.path = path
        self.file = None
        self.rest = ''

    def lines(self):
        if not self.file:
            if not os.path.exists(self.path):
                return []
            self.file = open(self.path, encoding='utf-8')
        *lines, self.rest = (self.rest + self.file.read()).split('\n')
        return [line.split(' ') for line in lines]

    def close(self):
        if self.file:
            self.file.close()


class View:
    def __init__(self, at, number, primary, members):
        self.at = at
        self.number = number
        self.primary = primary
        self.members = members


class Peer:
    """One process; one log. Times are µs."""

    def __init__(self, host, number, directory, config):
        self.host = host
        self.name = host.name
        self.number = number
        self.base = os.path.join(directory, f'{number}-{host.name}')
        self.log_path = self.base + '.log'
        with open(self.base + '.conf', 'w', encoding='utf-8') as file:
            file.write(config)
        self.log = Tail(self.log_path)
        self.out = Tail(self.base + '.out')
        self.popen = None
        self.dead = False       # killed
        self.id = None
        self.views = []
        self.sent = {}          # message -> when
        self.last_sent = None
        self.delivered = {}     # message -> when
        self.came = collections.Counter()       # number of the sender -> messages
        self.said = []          # without when
        self.ended = None

    def start(self, net_peer):
        with open(self.base + '.out', 'w', encoding='utf-8') as out:
            self.popen = subprocess.Popen(
                self.host.inside(net_peer, self.base + '.conf', self.log_path,
                                 str(self.number)),
                stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)

    def command(self, *words):
        try:
            self.popen.stdin.write(' '.join(map(str, words)) + '\n')
            self.popen.stdin.flush()
        except OSError:
            pass        # look () says that it ended

    def send_signal(self, number):
        self.popen.send_signal(number)

    @property
    def view(self):
        return self.views[-1] if self.views else None

    def look(self):
        """Takes in what the process wrote since."""
        status = self.popen.poll()
        for line in self.log.lines():
            self.take(int(line[0]), line[1], line[2:])
        for line in self.out.lines():
            self.said.append(' '.join(line[1:]))
            if line[1:2] == ['ended']:
                self.ended = ' '.join(line[2:])
        if status is not None and not self.dead and not self.ended:
            raise Failure(f'{self.name} ended with status {status}: {self.base}.out')

    def take(self, at, event, words):
        if event == 'delivered':
            message = int(words[1])
            self.delivered[message] = at
            self.came[message >> 32] += 1
        elif event == 'sent':
            self.last_sent = int(words[0])
            self.sent[self.last_sent] = at
        elif event == 'refused':
            del self.sent[int(words[0])]
            self.last_sent = max(self.sent, default=None)
        elif event == 'view':
            self.views.append(View(at, int(words[0]), words[1] == 'primary', words[2:]))
        elif event == 'process':
            self.id = words[0]

    def memory(self):
        """The most that the process has had at a time, KiB."""
        with open(f'/proc/{self.popen.pid}/status', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmHWM'))

    def count_said(self, text):
        return self.said.count(text)

    def has_all_of(self, sender):
        """Whether everything that @sender sent, since this peer is there, came."""
        last = sender.last_sent
        if last is None or last in self.delivered:
            return True
        came_back = sender.delivered.get(last)
        return came_back is not None and self.views and came_back < self.views[0].at

    def end(self):
        """Has it leave and quit."""
        if self.popen.poll() is None and not self.dead:
            self.send_signal(signal.SIGCONT)
            self.command('quit')

    def wait(self, seconds):
        """The status of the process; None: it is still there."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if self.popen:
            if self.popen.poll() is None:
                self.popen.kill()
            self.popen.wait()
            try:
                self.popen.stdin.close()
            except OSError:
                pass
        self.log.close()
        self.out.close()
