"""Element messages as gst-launch-1.0 -m prints them.

  Got message #12 from element "in" (element): bravis-epoch, number=(guint64)2,
  cause=(string)join, members=(string)< alice@example.org, bob@example.org >;
"""

import re
import time
from dataclasses import dataclass, field

LINE = re.compile(r'^Got message #\d+ from element "(?P<element>[^"]*)" '
                  r'\(element\): (?P<name>bravis-[a-z-]+)(?P<rest>.*)$')


@dataclass
class Message:
    element: str
    name: str
    fields: dict = field(default_factory=dict)
    seen: float = 0.0           # wall clock, when its line was read

    def get(self, key):
        """A field that may be absent, or whose name is taken here ("name")."""
        return self.fields.get(key)

    def __getattr__(self, key):
        try:
            return self.fields[key.replace('_', '-')]
        except KeyError:
            raise AttributeError(f'{self.name} has no field {key}') from None


class _Scanner:
    """The serialised form of a GstStructure's fields."""

    TOKEN = re.compile(r'\s*([<>{}\[\],;=]|\([a-zA-Z][^)]*\)|"(?:[^"\\]|\\.)*"|'
                       r'(?:\\.|[^\s<>{}\[\],;=()"])+)')

    def __init__(self, text):
        self.tokens = self.TOKEN.findall(text)
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ''

    def next(self):
        token = self.peek()
        self.at += 1
        return token

    def value(self, kind=''):
        token = self.next()
        if token.startswith('('):
            return self.value(token[1:-1])
        if token in ('<', '{', '['):
            values = []
            while self.peek() not in ('>', '}', ']', ''):
                if self.peek() == ',':
                    self.next()
                else:
                    values.append(self.value(kind))
            self.next()
            return values
        if token.startswith('"'):
            token = token[1:-1]
        return convert(re.sub(r'\\(\d{3}|.)', unescape, token), kind)

    def fields(self):
        fields = {}
        while self.peek() not in ('', ';'):
            if self.peek() == ',':
                self.next()
                continue
            key = self.next()
            if self.next() != '=':
                break
            fields[key] = self.value()
        return fields


def unescape(match):
    code = match.group(1)
    return chr(int(code, 8)) if len(code) == 3 else code


def convert(text, kind):
    try:
        if kind in ('int', 'uint', 'gint', 'guint', 'int64', 'uint64', 'gint64', 'guint64'):
            return int(text)
        if kind in ('double', 'float', 'gdouble'):
            return float(text)
    except ValueError:
        return text
    if kind in ('boolean', 'bool', 'gboolean'):
        return text.lower() in ('true', '1', 'yes')
    return None if text == 'NULL' else text


def parse(line, now=None):
    """The message of a line, or None for any other line."""
    match = LINE.match(line)
    if not match:
        return None
    return Message(match.group('element'), match.group('name'),
                   _Scanner(match.group('rest')).fields(),
                   time.time() if now is None else now)
