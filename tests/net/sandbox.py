"""A place of one's own for namespaces, processes and mounts, that leaves nothing
behind however it ends.

The program starts itself again as the first process of new namespaces. When that
ends, in whatever way, the kernel ends all other processes there, and with the last
of them go the network namespaces and all that is in them. Nothing outside is
altered, so several runs don't get into each other's way.
"""

import os
import shutil
import signal
import subprocess
import sys

COMMANDS = ('ip', 'tc', 'nft', 'nsenter', 'unshare', 'mount')
INSIDE = '--inside-sandbox'
SBIN = '/usr/sbin:/sbin'


def unshare_line():
    line = ['unshare', '--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child']
    return line if os.geteuid() == 0 else [*line, '--user', '--map-root-user']


def why_not():
    """What is missing for a sandbox; None: nothing."""
    os.environ['PATH'] += os.pathsep + SBIN
    missing = [command for command in COMMANDS if not shutil.which(command)]
    if missing:
        return f'no {", ".join(missing)} here (tools/packages)'
    done = subprocess.run([*unshare_line(), 'mount', '-t', 'tmpfs', 'run', '/run'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        return f'no namespaces: {done.stderr.strip() or done.returncode}'
    return None


def enter():
    """Does not return: runs this program again, inside."""
    os.execvp('unshare', [*unshare_line(), sys.executable, *sys.argv, INSIDE])


def is_inside():
    return INSIDE in sys.argv


def furnish():
    """Inside: /run/netns of this sandbox's own, and an end when one is asked for: the
    first process of a namespace gets no signals but those that it wants."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _: os._exit(128 + which))
    sys.argv.remove(INSIDE)
    subprocess.run(['mount', '-t', 'tmpfs', 'run', '/run'], check=True)
    os.mkdir('/run/netns')
