"""The contact sheet: what each peer saw right before and right after each key
change. A row for each peer, a column for each change, in each cell a line for
each member whose picture the peer had."""

import os

import cairo

from .report import short

MARGIN, GAP, LABEL, HEAD = 16, 8, 90, 44
PAPER, INK, PALE = (1, 1, 1), (0.1, 0.1, 0.12), (0.86, 0.87, 0.9)
ACCENT = (0.75, 0.2, 0.15)


def pictures_of(directory):
    """(when, path) of each thumbnail, in order."""
    found = []
    for entry in os.scandir(directory):
        if entry.name.endswith('.png') and entry.stat().st_size:
            found.append((entry.stat().st_mtime, entry.path))
    return sorted(found)


def around(pictures, since, time, until):
    """The last picture before @time and the first one after it; not those of an
    earlier or a later key."""
    before = [path for when, path in pictures if since < when <= time]
    after = [path for when, path in pictures if time < when <= until]
    return (before[-1] if before else None), (after[0] if after else None)


def draw(path, members, changes, seen, size):
    """@changes: checks.Epoch of each change shown; @seen: {member: [(sender,
    pictures)]}; @size: of a thumbnail."""
    scale = 1.0 if len(members) <= 4 else 0.6
    width, height = (int(side * scale) for side in size)
    rows = {m: max(1, len(seen.get(m, ()))) for m in members}
    cell = 2 * width + 2 + 3 * GAP + 44
    total_width = 2 * MARGIN + LABEL + len(changes) * cell
    total_height = 2 * MARGIN + HEAD + sum(
        rows[m] * (height + GAP) + 2 * GAP for m in members)
    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, total_width, total_height)
    context = cairo.Context(surface)
    context.set_source_rgb(*PAPER)
    context.paint()

    for column, epoch in enumerate(changes):
        x = MARGIN + LABEL + column * cell
        text(context, x + 44, MARGIN + 14, f'key {epoch.number}: {epoch.cause}', 13, bold=True)
        text(context, x + 44, MARGIN + 32, 'before', 11)
        text(context, x + 44 + width + 2, MARGIN + 32, 'after', 11)

    y = MARGIN + HEAD
    for member in members:
        band = rows[member] * (height + GAP) + 2 * GAP
        context.set_source_rgb(*PALE)
        context.rectangle(MARGIN, y - 2, total_width - 2 * MARGIN, 1)
        context.fill()
        text(context, MARGIN, y + 20, short(member), 15, bold=True)
        text(context, MARGIN, y + 36, 'sees', 11)
        for column, epoch in enumerate(changes):
            x = MARGIN + LABEL + column * cell
            times = [time_of(changes[i], member) if 0 <= i < len(changes) else None
                     for i in (column - 1, column, column + 1)]
            draw_cell(context, x, y + GAP, times, seen.get(member, ()), (width, height),
                      scale)
        y += band
    surface.write_to_png(path)


def time_of(epoch, member):
    return epoch.times.get(member) or max(epoch.times.values())


def draw_cell(context, x, y, times, streams, size, scale):
    width, height = size
    since, time, until = times
    for sender, pictures in streams:
        text(context, x, y + height / 2, short(sender)[:7], 11)
        for side, path in enumerate(around(
                pictures, since or 0, time, until or float('inf'))):
            left = x + 44 + side * (width + 2)
            if path:
                thumbnail(context, left, y, path, scale)
            else:
                context.set_source_rgb(*PALE)
                context.rectangle(left, y, width, height)
                context.fill()
                text(context, left + width / 2 - 12, y + height / 2 + 4, 'none', 11)
        context.set_source_rgb(*ACCENT)
        context.rectangle(x + 44 + width, y - 2, 2, height + 4)
        context.fill()
        y += height + GAP


def thumbnail(context, x, y, path, scale):
    image = cairo.ImageSurface.create_from_png(path)
    context.save()
    context.translate(x, y)
    context.scale(scale, scale)
    context.set_source_surface(image, 0, 0)
    context.paint()
    context.restore()


def text(context, x, y, words, size, bold=False):
    context.set_source_rgb(*INK)
    context.select_font_face('sans-serif', cairo.FONT_SLANT_NORMAL,
                             cairo.FONT_WEIGHT_BOLD if bold else cairo.FONT_WEIGHT_NORMAL)
    context.set_font_size(size)
    context.move_to(x, y)
    context.show_text(words)
