"""Datagrams beside those of the peers: what the network does to them.

    traffic.py echo                         answers what comes
    traffic.py ping ADDRESS COUNT           one at a time, 20 ms apart
    traffic.py send ADDRESS KBITS SECONDS   like a video's
    traffic.py count                        those that came from send

echo and count say "ready" first. What ping and count found out is JSON on the
standard output; count says it when it gets SIGTERM.
"""

import json
import signal
import socket
import sys
import time

ECHO = 7000
SINK = 7001
SIZE = 1200
TIMEOUT = 1.0


def listen(port):
    listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(('::', port))
    print('ready', flush=True)
    return listener


def open_to(address):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM)


def echo():
    listener = listen(ECHO)
    while True:
        data, sender = listener.recvfrom(2048)
        listener.sendto(data, sender)


def ping_once(sender, address, number):
    began = time.monotonic()
    data = b'%d' % number
    try:
        sender.sendto(data, (address, ECHO))
        while sender.recv(2048) != data:
            pass
    except OSError:             # no answer, or nobody there
        return None
    return (time.monotonic() - began) * 1000


def ping(address, count):
    sender = open_to(address)
    sender.settimeout(TIMEOUT)
    times = []
    for number in range(int(count)):
        times.append(ping_once(sender, address, number))
        time.sleep(0.02)
    print(json.dumps({'ms': [ms for ms in times if ms is not None],
                      'lost': times.count(None)}))


def send(address, kbits, seconds):
    sender = open_to(address)
    interval = SIZE * 8 / (float(kbits) * 1000)
    began = time.monotonic()
    for number in range(1, int(float(seconds) / interval) + 1):
        try:
            sender.sendto(b'%08d' % number + bytes(SIZE - 8), (address, SINK))
        except OSError:         # lost before it left
            pass
        time.sleep(max(0.0, began + number * interval - time.monotonic()))


def count():
    numbers = set()

    def tell(*_):
        print(json.dumps({'came': len(numbers), 'sent': max(numbers, default=0)}), flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, tell)
    listener = listen(SINK)
    while True:
        data = listener.recv(2048)
        if len(data) == SIZE:
            numbers.add(int(data[:8]))


if __name__ == '__main__':
    {'echo': echo, 'ping': ping, 'send': send, 'count': count}[sys.argv[1]](*sys.argv[2:])
