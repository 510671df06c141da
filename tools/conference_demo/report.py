"""report.json and the table."""

import json

from . import checks


def short(name):
    return name.split('@')[0]


def make(conference, comparisons, proofs, opened_after, opened_before, verdict):
    members = []
    for name in conference.members:
        mine = [c for c in comparisons if c.member == name]
        members.append({
            'name': name,
            'frames_sent': sum(len(s.frames) for s in conference.sent if s.sender == name),
            'frames_expected': sum(c.expected for c in mine),
            'frames_received': sum(c.received for c in mine),
            'frames_identical': sum(c.identical for c in mine),
            'streams': [{'sender': c.sender, 'stream': c.stream, 'expected': c.expected,
                         'received': c.received, 'identical': c.identical,
                         'lost': len(c.lost), 'altered': c.altered} for c in mine]})
    plaintext = next((p for p in proofs if p.name == 'plaintext'), None)
    return {
        'passed': verdict,
        'members': members,
        'key_changes': [
            {'epoch': e.number, 'cause': e.cause,
             'milliseconds': round(checks.change_milliseconds(e), 3),
             'members': list(e.members),
             'verification_code': next(iter(e.codes.values()), None)}
            for e in (conference.epochs[n] for n in sorted(conference.epochs))],
        'plaintext_found': not plaintext.passed if plaintext else None,
        'after_leave_opened': sum(opened_after.values()),
        'before_join_opened': sum(opened_before.values()),
        'refused': [{'name': r.name, 'at': r.at, 'by': r.by, 'reason': r.reason}
                    for r in conference.refusals],
        'datagrams': len(conference.datagrams),
        'proofs': [{'name': p.name, 'passed': p.passed, 'detail': p.detail} for p in proofs]}


def write(report, path):
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(report, file, indent=2)
        file.write('\n')


def table(rows, right=()):
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [str(cell).rjust(width) if i in right else str(cell).ljust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append('  ' + '  '.join(cells).rstrip())
    lines.insert(1, '  ' + '  '.join('-' * width for width in widths))
    return '\n'.join(lines)


def show(report):
    yield table([('member', 'sent', 'expected', 'received', 'identical')]
                + [(short(m['name']), m['frames_sent'], m['frames_expected'],
                    m['frames_received'], m['frames_identical'])
                   for m in report['members']], right=(1, 2, 3, 4))
    yield table([('key', 'cause', 'ms', 'members')]
                + [(k['epoch'], k['cause'], f'{k["milliseconds"]:.1f}',
                    ' '.join(map(short, k['members']))) for k in report['key_changes']],
                right=(0, 2))
    yield table([('proof', '', '')]
                + [(p['name'], 'passed' if p['passed'] else 'FAILED', p['detail'])
                   for p in report['proofs']])
