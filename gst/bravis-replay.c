#include "bravis-replay.h"

#define WORD_BITS 64

/* A ring of words, one more than the window needs: so the newest word can be
 * begun anew without touching a counter that is still inside. */
struct _BravisReplay {
  guint64 newest;
  guint64 window;
  guint n_words;
  gboolean any;                 /* @newest was really seen */
  guint64 words[];
};

BravisReplay *
bravis_replay_new (guint window)
{
  guint n_words;
  BravisReplay *replay;

  window = CLAMP (window, 1, BRAVIS_REPLAY_MAX_WINDOW);
  n_words = (window + WORD_BITS - 1) / WORD_BITS + 1;
  replay = g_malloc0 (sizeof *replay + n_words * sizeof (guint64));
  replay->n_words = n_words;
  replay->window = (guint64) (n_words - 1) * WORD_BITS;
  return replay;
}

void
bravis_replay_free (BravisReplay *replay)
{
  g_free (replay);
}

BravisDrop
bravis_replay_check (const BravisReplay *replay, guint64 counter)
{
  if (!replay->any || counter > replay->newest)
    return BRAVIS_DROP_NONE;
  if (replay->newest - counter >= replay->window)
    return BRAVIS_DROP_TOO_OLD;
  return replay->words[counter / WORD_BITS % replay->n_words]
      >> (counter % WORD_BITS) & 1 ? BRAVIS_DROP_REPLAYED : BRAVIS_DROP_NONE;
}

void
bravis_replay_commit (BravisReplay *replay, guint64 counter)
{
  guint64 word = counter / WORD_BITS;
  guint64 steps, i;

  if (!replay->any || counter > replay->newest) {
    steps = replay->any ? word - replay->newest / WORD_BITS : 0;
    for (i = 0; i < MIN (steps, replay->n_words); i++)
      replay->words[(word - i) % replay->n_words] = 0;
    replay->newest = counter;
    replay->any = TRUE;
  }
  replay->words[word % replay->n_words] |=
      G_GUINT64_CONSTANT (1) << (counter % WORD_BITS);
}
