"""Processes whose elements talk: each line of gst-launch-1.0 -m is read as it
comes, and who waits for something to happen is woken."""

import os
import signal
import subprocess
import threading
import time

from . import messages


class Failure(Exception):
    """The story cannot go on."""


class Stage:
    """All processes of a run, and the condition that they wake."""

    def __init__(self):
        self.changed = threading.Condition()
        self.processes = []
        self.listeners = []

    def start(self, name, line, variables, log):
        process = Process(self, name, line, variables, log)
        self.processes.append(process)
        return process

    def wait(self, what, condition, seconds):
        """Until @condition () is true; a process that died meanwhile, or no end of
        waiting, is a Failure."""
        end = time.monotonic() + seconds
        with self.changed:
            while not condition():
                for process in self.processes:
                    if process.died():
                        raise Failure(f'{process.name} ended while waiting for {what}: '
                                      f'{process.last_words()}')
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(f'waited {seconds:.0f} s in vain for {what}')
                self.changed.wait(min(left, 0.2))

    def close(self):
        for process in self.processes:
            process.kill()


class Process:
    def __init__(self, stage, name, line, variables, log):
        self.stage = stage
        self.name = name
        self.log_path = log
        self.messages = []
        self.ended_at = None
        self.may_end = False
        self.log = open(log, 'w', encoding='utf-8', errors='replace')
        self.popen = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            text=True, errors='replace', env={**os.environ, **variables},
            start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.popen.stdout:
            now = time.time()
            message = messages.parse(line, now)
            self.log.write(f'{now:.6f} {line}')
            self.log.flush()
            if message:
                with self.stage.changed:
                    self.messages.append(message)
                    for listener in self.stage.listeners:
                        listener(self, message)
                    self.stage.changed.notify_all()
        self.popen.wait()
        with self.stage.changed:
            self.ended_at = time.time()
            self.stage.changed.notify_all()

    def of(self, name):
        return [m for m in self.messages if m.name == name]

    def died(self):
        return self.ended_at is not None and not self.may_end

    def last_words(self):
        try:
            with open(self.log_path, encoding='utf-8', errors='replace') as file:
                lines = [line.strip() for line in file if 'ERROR' in line or 'rror:' in line]
        except OSError:
            lines = []
        return (lines or [f'status {self.popen.poll()}'])[0] + f' (see {self.log_path})'

    def interrupt(self):
        """What Ctrl-C does: gst-launch-1.0 -e ends the streams and then itself."""
        self.may_end = True
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)

    def kill(self):
        self.may_end = True
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.reader.join(2)
        self.log.close()
