"""Hosts in network namespaces, each on a port of one bridge.

     alice                       hub
    [eth0] --veth-- [alice] --bridge-- [bob] --veth-- [eth0] bob

With a delay, each host has one veth pair more, and net-delay carries frames
between the two: what the host sends arrives that much later.

All that passes the bridge passes a table of nftables there, by names of ports:
what is cut and what is lost is decided in it. Rates are the token buckets of both
ends of a host's veth pair.

Needs a mount namespace and /run/netns of its own (sandbox.py), with which all of
this goes away.
"""

import os
import subprocess

NETNS = '/run/netns'


class NetworkError(Exception):
    """A command that makes the network failed."""


def run(line, text=''):
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().replace('\n', '; ')
        raise NetworkError(f'{" ".join(line)}: {said or done.returncode}')
    return done.stdout


class Host:
    def __init__(self, network, name, number):
        self.name = name
        self.namespace = f'{network}.{name}'
        self.ipv4 = f'10.77.0.{number}'
        self.ipv6 = f'fd77::{number:x}'

    def count_datagrams(self):
        """UDP datagrams that a process here has taken so far, and that were dropped as
        it did not in time."""
        names, values = (line.split()[1:] for line in run(
            self.inside('grep', '^Udp:', '/proc/net/snmp')).splitlines())
        counts = dict(zip(names, map(int, values)))
        return counts['InDatagrams'], counts['RcvbufErrors']

    def inside(self, *line):
        """The command @line, to run on this host."""
        return ['nsenter', f'--net={NETNS}/{self.namespace}', *line]


class Network:
    def __init__(self, name, names, net_delay, delay=0):
        """@names: of the hosts. @delay: ms, from each host to each other."""
        self.name = name
        self.hub = f'{name}.hub'
        self.hosts = {host: Host(name, host, i + 1) for i, host in enumerate(names)}
        self.lost = 0
        self.cuts = set()
        self.relay = None
        try:
            self.build(delay > 0)
            self.apply()
            if delay > 0:
                self.start_relay(net_delay, delay)
        except BaseException:
            self.close()
            raise

    def build(self, delayed):
        hosts = self.hosts.values()
        run(['ip', '-batch', '-'],
            ''.join(f'netns add {space}\n'
                    for space in [self.hub, *(host.namespace for host in hosts)]))
        # The bridge's ports have no business of their own on the wire.
        run(self.in_hub('sh', '-c',
                        'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'))
        lines = ['link add bridge type bridge mcast_snooping 0',
                 'link set bridge up']
        for host in hosts:
            near = f'{host.name}.h' if delayed else host.name
            lines += [f'link add {near} type veth peer name eth0 netns {host.namespace}',
                      f'link set {near} up']
            if delayed:
                lines += [f'link add {host.name} type veth peer name {host.name}.b',
                          f'link set {host.name}.b up']
            lines += [f'link set {host.name} master bridge up']
        run(['ip', '-n', self.hub, '-batch', '-'], '\n'.join(lines))
        for host in hosts:
            run(['ip', '-n', host.namespace, '-batch', '-'],
                'link set lo up\n'
                f'address add {host.ipv4}/24 dev eth0\n'
                f'address add {host.ipv6}/64 dev eth0 nodad\n'
                'link set eth0 up\n')

    def start_relay(self, net_delay, delay):
        pairs = [f'{name}.h:{name}.b' for name in self.hosts]
        self.relay = subprocess.Popen(
            self.in_hub(net_delay, str(delay), *pairs), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True)
        if self.relay.stdout.readline() != 'ready\n':
            raise NetworkError('net-delay does not run')

    def in_hub(self, *line):
        return ['nsenter', f'--net={NETNS}/{self.hub}', *line]

    def apply(self):
        """Makes the table say what is cut and lost, at one moment."""
        cuts = ''.join(f'    iifname "{a}" oifname "{b}" drop\n'
                       for a, b in sorted(self.cuts))
        run(self.in_hub('nft', '-f', '-'), f'''
table bridge faults
delete table bridge faults
table bridge faults {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
{cuts}
    meta l4proto udp numgen random mod 1000 < {round(self.lost * 10)} drop
  }}
}}
''')

    def lose(self, percent):
        """Of all datagrams, at random."""
        self.lost = percent
        self.apply()

    def cut(self, side, other, one_way=False):
        """Nothing of @side (names) gets to @other, nor back unless @one_way."""
        self.cuts |= {(a, b) for a in side for b in other}
        if not one_way:
            self.cuts |= {(b, a) for a in side for b in other}
        self.apply()

    def heal(self):
        self.cuts.clear()
        self.apply()

    def limit_rate(self, name, kilobits):
        """What the host sends and gets, each, kbit/s, with room for 100 ms."""
        bucket = ['root', 'tbf', 'rate', f'{kilobits}kbit', 'burst', '4k', 'latency', '100ms']
        near = f'{name}.h' if self.relay else name
        run(self.in_hub('tc', 'qdisc', 'replace', 'dev', near, *bucket))
        run(self.hosts[name].inside('tc', 'qdisc', 'replace', 'dev', 'eth0', *bucket))

    def close(self):
        if self.relay:
            self.relay.kill()
            self.relay.wait()
            self.relay.stdout.close()
        for space in [self.hub, *(host.namespace for host in self.hosts.values())]:
            if os.path.exists(f'{NETNS}/{space}'):
                run(['ip', 'netns', 'delete', space])
