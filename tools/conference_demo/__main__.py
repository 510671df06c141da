"""usage: tools/demo [--clip FILE] [--members N] [--out DIR]

Holds a confidential conference of several gst-launch-1.0 processes over UDP on
this machine and proves what it promises: nothing lost, nothing readable."""

import argparse
import os
import shutil
import signal
import subprocess
import sys

from . import capture, peers, report
from .processes import Failure
from .story import Speaker, Story, complain

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
MARK = '.bravis-demo'


def options():
    parser = argparse.ArgumentParser(
        prog='tools/demo', description=' '.join(__doc__.split('\n\n')[1].split()))
    parser.add_argument('--clip', metavar='FILE', default=os.path.join(
        SOURCE, 'tests', 'media', 'big-buck-bunny-12s.mkv'),
        help='a Matroska file with H.264 video and Opus audio (default: the one in tests/media)')
    parser.add_argument('--members', metavar='N', type=int, default=3,
                        help='how many take part, 2 to 16 (default: 3); beyond six they '
                             'only listen, and the clip is repeated')
    parser.add_argument('--out', metavar='DIR', default=os.path.join(SOURCE, 'build', 'demo'),
                        help='where everything goes (default: build/demo)')
    parser.add_argument('--build', default=os.path.join(SOURCE, 'build', 'plain'),
                        help=argparse.SUPPRESS)
    parser.add_argument('--preload', help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not 2 <= chosen.members <= len(peers.NAMES):
        parser.error(f'--members: {chosen.members} is not between 2 and {len(peers.NAMES)}')
    if not os.path.isfile(chosen.clip):
        parser.error(f'--clip: there is no file {chosen.clip}')
    chosen.clip = os.path.abspath(chosen.clip)
    chosen.out = os.path.abspath(chosen.out)
    for name in ('clip', 'out'):
        if any(c.isspace() for c in getattr(chosen, name)):
            parser.error(f'--{name}: gst-launch-1.0 lines take no blanks in '
                         f'{getattr(chosen, name)!r}')
    return chosen


def check_clip(chosen):
    """The clip must be what the pipelines take apart."""
    done = subprocess.run(
        ['gst-launch-1.0', '-q', 'filesrc', 'location=' + chosen.clip, '!', 'matroskademux',
         'name=d', 'd.video_0', '!', 'queue', '!', 'video/x-h264', '!', 'fakesink',
         'num-buffers=1', 'd.audio_0', '!', 'queue', '!', 'audio/x-opus', '!', 'fakesink'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise peers.SetupError(f'{chosen.clip} is no Matroska file with H.264 video and Opus '
                               'audio')


def empty_directory(path):
    """Makes @path new. What is there is removed only where an earlier run made it."""
    if os.path.isdir(path) and os.listdir(path):
        if not os.path.exists(os.path.join(path, MARK)):
            raise peers.SetupError(f'{path} is not empty and not from an earlier run')
        shutil.rmtree(path)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, MARK), 'w', encoding='utf-8'):
        pass


def find_built(chosen):
    chosen.bravis = os.path.join(chosen.build, 'tools', 'bravis')
    chosen.variables = {
        'GST_PLUGIN_PATH': os.path.join(chosen.build, 'gst'),
        'GST_REGISTRY': os.path.join(chosen.out, 'registry.bin')}
    if chosen.preload:
        chosen.variables['LD_PRELOAD'] = chosen.preload
    done = subprocess.run(['gst-inspect-1.0', 'bravisgroupsink'], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, **chosen.variables})
    if done.returncode:
        raise peers.SetupError('GStreamer does not find the built plugin: '
                               + (done.stdout + done.stderr).strip())


def run(chosen, say):
    say(f'preparing {chosen.members} members in {chosen.out}')
    empty_directory(chosen.out)
    find_built(chosen)
    check_clip(chosen)
    story = Story(chosen, say)
    failure, lost = None, None
    try:
        story.prepare()
        story.record()
        story.play()
    except Failure as error:
        failure = error
        complain(str(error))
    finally:
        story.stage.close()
        if story.recording:
            lost = story.recording.stop()
    if not story.over_at:
        return 1
    say('checking')
    conference = story.gather(lost)
    comparisons, proofs, after, before = story.prove(conference)
    verdict = failure is None and all(p.passed for p in proofs)
    result = report.make(conference, comparisons, proofs, after, before, verdict)
    if failure:
        result['failure'] = str(failure)
    report.write(result, story.path('report.json'))
    story.draw(conference)
    for part in report.show(result):
        print('\n' + part)
    print(f'\n{story.path("report.json")}\n{story.path("frames.png")}')
    for proof in proofs:
        if not proof.passed:
            complain(f'FAILED: {proof.name}: {proof.detail}')
    print('passed' if verdict else 'FAILED')
    return 0 if verdict else 1


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(options(), Speaker())
    except (peers.SetupError, capture.CaptureError, OSError) as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        complain('interrupted')
        return 130


if __name__ == '__main__':
    sys.exit(main())
