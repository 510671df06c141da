"""Reads what `gdppay ! filesink` wrote: frames with their boundaries and times.

The GStreamer Data Protocol 1.0 puts a header of 62 octets before each buffer,
caps and event: type at 4 (1: buffer, 2: caps, 64 and up: event), length of what
follows at 6, timestamp in ns at 10.
"""

import re
import struct
from dataclasses import dataclass

HEADER = 62
BUFFER = 1
EVENT = 64
NO_TIME = 0xFFFFFFFFFFFFFFFF


@dataclass
class Frame:
    data: bytes
    pts: int | None             # ns


@dataclass
class Recording:
    frames: list[Frame]
    stream_id: str | None       # of the stream-start event
    whole: bool                 # no half packet at the end


def read(path):
    with open(path, 'rb') as file:
        return parse(file.read())


def parse(data):
    frames, stream_id, at = [], None, 0
    while at + HEADER <= len(data):
        kind, length, pts = struct.unpack_from('>HIQ', data, at + 4)
        start, at = at + HEADER, at + HEADER + length
        if at > len(data):
            break
        payload = data[start:at]
        if kind == BUFFER:
            frames.append(Frame(payload, None if pts == NO_TIME else pts))
        elif kind > EVENT and payload.startswith(b'GstEventStreamStart'):
            found = re.search(rb'stream-id=\(string\)("(?:[^"\\]|\\.)*"|[^,;]+)', payload)
            if found:
                stream_id = found.group(1).decode().strip('"').replace('\\', '')
    return Recording(frames, stream_id, at == len(data))


def write(frames):
    """The inverse, for tests: frames as gdppay would write them."""
    return b''.join(
        struct.pack('>BBBBHIQ', 1, 0, 1, 0, BUFFER, len(frame.data),
                    NO_TIME if frame.pts is None else frame.pts).ljust(HEADER, b'\0')
        + frame.data for frame in frames)
