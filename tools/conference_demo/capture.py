"""The recording of all datagrams of the run, by tcpdump on the loopback."""

import os
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass

import dpkt


@dataclass(frozen=True, slots=True)
class Datagram:
    time: float                 # wall clock, s
    source: tuple               # (address, port)
    destination: tuple
    data: bytes


class CaptureError(Exception):
    pass


class Capture:
    """Records the UDP datagrams to or from @ports on the loopback to @path."""

    def __init__(self, path, ports, log):
        program = shutil.which('tcpdump', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
        if not program:
            raise CaptureError('tcpdump is missing')
        command = [program, '-i', 'lo', '-n', '-p', '-U', '-s', '0', '-B', '32768',
                   '-w', path, '-Z', 'root',
                   'udp and (' + ' or '.join(f'port {port}' for port in ports) + ')']
        if os.geteuid() != 0:
            command.insert(0, 'sudo')
        self.path = path
        self.log = open(log, 'w+', encoding='utf-8')
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if 'listening on' in line:
                return
        raise CaptureError('tcpdump does not record: ' + ''.join(said).strip())

    def stop(self):
        """Ends the recording; returns how many datagrams the system dropped."""
        if self.process.poll() is None:
            if os.geteuid() == 0:
                self.process.send_signal(signal.SIGINT)
            else:
                subprocess.run(['sudo', 'kill', '-INT', str(self.process.pid)], check=False)
        said = self.process.stderr.read()
        self.process.wait()
        self.log.write(said)
        self.log.close()
        dropped = re.findall(r'(\d+) packets? dropped', said)
        return sum(map(int, dropped)) if dropped else None


def read(path):
    """All UDP datagrams of a recording, in its order. What goes over the loopback
    is recorded once."""
    # What goes to several members is held once.
    datagrams, same = [], {}
    with open(path, 'rb') as file:
        for time, frame in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)):
                continue
            udp = ip.data
            if not isinstance(udp, dpkt.udp.UDP):
                continue
            family = socket.AF_INET if isinstance(ip, dpkt.ip.IP) else socket.AF_INET6
            source = socket.inet_ntop(family, ip.src), udp.sport
            destination = socket.inet_ntop(family, ip.dst), udp.dport
            data = bytes(udp.data)
            datagrams.append(Datagram(
                float(time), same.setdefault(source, source),
                same.setdefault(destination, destination), same.setdefault(data, data)))
    return datagrams
