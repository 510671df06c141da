#!/usr/bin/env python3
"""Counts what was tested, over several runs.

usage: count-tests.py NAME=FILE...

FILE is meson's testlog.json, or TAP. Each line of TAP counts as one test; a
program counts as one failed test on top where it crashed, ran out of time, or
ended with an error that none of its lines told. Prints the failed ones, those that
were skipped and why, a line for each run, and "N passed, N failed"; the exit status
says whether all passed.
"""

import json
import re
import sys

TAP = re.compile(r'^(?P<not>not )?ok\b\s*(?P<number>\d+)?(?P<rest>.*)$')
PLAN = re.compile(r'^1\.\.(\d+)')
SKIPPED = re.compile(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
GOOD = ('OK', 'EXPECTEDFAIL')


class Count:
    def __init__(self):
        self.passed = 0
        self.skipped = []
        self.failed = []

    def add(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.failed += other.failed


def count_tap(program, text):
    """The tests that a program told of, and how many it had announced."""
    count = Count()
    plan = None
    for line in text.splitlines():
        match = PLAN.match(line)
        if match:
            plan = int(match.group(1))
            continue
        match = TAP.match(line)
        if not match:
            continue
        rest = match.group('rest').strip(' -')
        if re.search(r'#\s*(skip|todo)', rest, re.I):
            count.skipped.append(f'{program}: {rest}')
        elif match.group('not'):
            count.failed.append(f'{program}: {rest}')
        else:
            count.passed += 1
    return count, plan


def count_program(test):
    """One entry of testlog.json."""
    name, result = test['name'], test['result']
    count, plan = count_tap(name, test.get('stdout') or '')
    told = count.passed + len(count.skipped) + len(count.failed)
    if told == 0:
        if result in GOOD:
            count.passed = 1
        elif result == 'SKIP':
            why = SKIPPED.search(test.get('stdout') or '')
            count.skipped.append(f'{name}: {why.group(1) if why else "it does not say why"}')
        else:
            count.failed.append(f'{name}: {result.lower()}')
    elif result not in GOOD + ('SKIP',) and not count.failed:
        count.failed.append(f'{name}: {result.lower()} after {told} tests')
    elif result in GOOD and plan is not None and told < plan:
        count.failed.append(f'{name}: told {told} of {plan} tests')
    return count


def count_file(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        text = file.read()
    total = Count()
    if path.endswith('.json'):
        tests = [json.loads(line) for line in text.splitlines() if line.strip()]
        for test in tests:
            total.add(count_program(test))
        if not tests:
            total.failed.append('no test was run')
    else:
        count, plan = count_tap('', text)
        told = count.passed + len(count.skipped) + len(count.failed)
        if plan is None or told != plan:
            count.failed.append(f'told {told} of {plan} tests')
        total.add(count)
    return total


def main(arguments):
    total = Count()
    for argument in arguments:
        name, _, path = argument.partition('=')
        count = Count()
        try:
            count = count_file(path)
        except (OSError, ValueError) as error:
            count.failed.append(f'no result: {error}')
        print(f'{name}: {count.passed} passed, {len(count.failed)} failed, '
              f'{len(count.skipped)} skipped')
        for failure in count.failed:
            print(f'  FAILED {failure}')
        for skipped in count.skipped:
            print(f'  SKIPPED {skipped}')
        total.add(count)
    print(f'{total.passed} passed, {len(total.failed)} failed')
    return 1 if total.failed or not total.passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
