"""Runs the functions of a module whose names begin with test_, and says TAP."""

import sys
import traceback


class Skip(Exception):
    """Raised by a test that cannot be made here."""


def skip_without_cryptography():
    try:
        import cryptography  # pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        print('1..0 # SKIP python3-cryptography is not installed')
        sys.exit(0)


def run(suite, module, *arguments):
    tests = [(name, test) for name, test in module.items() if name.startswith('test_')]
    print(f'1..{len(tests)}')
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test(*arguments)
            print(f'ok {number} - /interop/{suite}/{name[5:]}', flush=True)
        except Skip as reason:
            print(f'ok {number} - /interop/{suite}/{name[5:]} # SKIP {reason}', flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - /interop/{suite}/{name[5:]}', flush=True)
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
    return failed != 0
