#include "verify-traffic.h"

#include "../gcp/gcp-wire.h"

#include <string.h>

#define HASH_SIZE 32            /* SHA-256 */

/* Hashes that are kept; what a sender saw before these is not compared. */
#define KEPT 65536

/* A message: the claim, filler, and the SHA-256 of both. */
typedef struct {
  guint64 number;               /* of the sender's, from 1 */
  guint64 view;                 /* its sender was in */
  guint64 number_in_view;       /* of the sender's, from 1 */
  guint64 seen;                 /* messages of the view delivered to the sender */
  guint64 history;              /* hash of these */
} Claim;

typedef struct {
  guint64 id;
  guint64 last;                 /* number of its last message; 0: none came yet */
} Sender;

struct _VerifyTraffic {
  GMutex lock;
  GArray *senders;              /* of Sender: the view's members */
  guint64 view;
  guint64 seen;                 /* in this view */
  guint64 histories[KEPT];      /* after @seen messages: at @seen % KEPT */
  guint64 made, made_in_view;
  guint64 n_checked;
};

VerifyTraffic *
verify_traffic_new (void)
{
  VerifyTraffic *traffic = g_new0 (VerifyTraffic, 1);

  g_mutex_init (&traffic->lock);
  traffic->senders = g_array_new (FALSE, FALSE, sizeof (Sender));
  return traffic;
}

void
verify_traffic_free (VerifyTraffic *traffic)
{
  g_array_unref (traffic->senders);
  g_mutex_clear (&traffic->lock);
  g_free (traffic);
}

/* --- messages --- */

static void
hash (const guint8 *data, gsize size, guint8 digest[HASH_SIZE])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = HASH_SIZE;

  g_checksum_update (checksum, data, size);
  g_checksum_get_digest (checksum, digest, &length);
}

/* Differs from message to message, so that parts of others' would be noticed. */
static void
write_filler (GcpWriter *writer, guint64 seed, gsize size)
{
  for (gsize i = 0; i < size; i++) {
    seed = seed * G_GUINT64_CONSTANT (6364136223846793005) + 1442695040888963407;
    gcp_write_u8 (writer, seed >> 56);
  }
}

static GBytes *
write_message (const Claim *claim, gsize size)
{
  g_auto (GcpWriter) writer = { NULL };
  guint8 digest[HASH_SIZE];

  gcp_writer_init (&writer);
  gcp_write_u64 (&writer, claim->number);
  gcp_write_u64 (&writer, claim->view);
  gcp_write_u64 (&writer, claim->number_in_view);
  gcp_write_u64 (&writer, claim->seen);
  gcp_write_u64 (&writer, claim->history);
  write_filler (&writer, claim->number, MAX (size, VERIFY_MIN_SIZE)
      - writer.array->len - HASH_SIZE);
  hash (writer.array->data, writer.array->len, digest);
  gcp_write_bytes (&writer, digest, HASH_SIZE);
  return gcp_writer_finish (&writer);
}

static gboolean
read_message (GBytes *message, Claim *claim, guint8 digest[HASH_SIZE])
{
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);
  GcpReader reader;

  if (size < VERIFY_MIN_SIZE)
    return FALSE;
  hash (data, size - HASH_SIZE, digest);
  gcp_reader_init (&reader, data, size);
  claim->number = gcp_read_u64 (&reader);
  claim->view = gcp_read_u64 (&reader);
  claim->number_in_view = gcp_read_u64 (&reader);
  claim->seen = gcp_read_u64 (&reader);
  claim->history = gcp_read_u64 (&reader);
  return memcmp (data + size - HASH_SIZE, digest, HASH_SIZE) == 0;
}

GBytes *
verify_traffic_make (VerifyTraffic *traffic, gsize size)
{
  Claim claim;

  g_mutex_lock (&traffic->lock);
  claim = (Claim) {
    .number = ++traffic->made,
    .view = traffic->view,
    .number_in_view = ++traffic->made_in_view,
    .seen = traffic->seen,
    .history = traffic->histories[traffic->seen % KEPT],
  };
  g_mutex_unlock (&traffic->lock);
  return write_message (&claim, size);
}

/* --- views --- */

static Sender *
find_sender (VerifyTraffic *traffic, guint64 id)
{
  for (guint i = 0; i < traffic->senders->len; i++) {
    Sender *sender = &g_array_index (traffic->senders, Sender, i);

    if (sender->id == id)
      return sender;
  }
  return NULL;
}

void
verify_traffic_take_view (VerifyTraffic *traffic, guint64 number,
    const guint64 *members, guint n_members)
{
  g_autoptr (GArray) senders = g_array_new (FALSE, FALSE, sizeof (Sender));

  g_mutex_lock (&traffic->lock);
  for (guint i = 0; i < n_members; i++) {
    Sender *known = find_sender (traffic, members[i]);
    Sender sender = { members[i], known ? known->last : 0 };

    g_array_append_val (senders, sender);
  }
  g_array_unref (traffic->senders);
  traffic->senders = g_steal_pointer (&senders);
  traffic->view = number;
  traffic->seen = 0;
  traffic->histories[0] = 0;
  traffic->made_in_view = 0;
  g_mutex_unlock (&traffic->lock);
}

/* --- checks --- */

static char *
check_number (VerifyTraffic *traffic, const Sender *sender, const Claim *claim)
{
  /* The first message of a sender, after it or this member came: what it sent
   * before the view is not this member's to know. */
  if (sender->last == 0 && (claim->view != traffic->view
          || claim->number_in_view == 1))
    return NULL;
  if (sender->last == 0)
    return g_strdup_printf ("lost: message %" G_GUINT64_FORMAT " of member %"
        G_GINT64_MODIFIER "x is the first that came", claim->number_in_view,
        sender->id);
  if (claim->number <= sender->last)
    return g_strdup_printf ("repeated: message %" G_GUINT64_FORMAT
        " of member %" G_GINT64_MODIFIER "x came after %" G_GUINT64_FORMAT,
        claim->number, sender->id, sender->last);
  if (claim->number > sender->last + 1)
    return g_strdup_printf ("lost: %" G_GUINT64_FORMAT " messages of member %"
        G_GINT64_MODIFIER "x before %" G_GUINT64_FORMAT,
        claim->number - sender->last - 1, sender->id, claim->number);
  return NULL;
}

static char *
check_history (VerifyTraffic *traffic, const Sender *sender,
    const Claim *claim)
{
  if (claim->view != traffic->view || claim->seen + KEPT <= traffic->seen)
    return NULL;
  if (claim->seen <= traffic->seen
      && claim->history == traffic->histories[claim->seen % KEPT])
    return NULL;
  return g_strdup_printf ("disorder: in view %" G_GUINT64_FORMAT ", member %"
      G_GINT64_MODIFIER "x had other messages among the first %"
      G_GUINT64_FORMAT, claim->view, sender->id, claim->seen);
}

/* The hash of a history is that of the one before it, the sender, and what it
 * sent. */
static void
add_to_history (VerifyTraffic *traffic, guint64 sender,
    const guint8 digest[HASH_SIZE])
{
  guint64 link[2] = { traffic->histories[traffic->seen % KEPT], sender };
  guint8 all[sizeof link + HASH_SIZE];
  guint8 result[HASH_SIZE];

  memcpy (all, link, sizeof link);
  memcpy (all + sizeof link, digest, HASH_SIZE);
  hash (all, sizeof all, result);
  traffic->seen++;
  memcpy (&traffic->histories[traffic->seen % KEPT], result, 8);
}

static char *
check_with_lock (VerifyTraffic *traffic, guint64 id, GBytes *message)
{
  Sender *sender = find_sender (traffic, id);
  guint8 digest[HASH_SIZE] = { 0 };
  char *fault;
  Claim claim;

  traffic->n_checked++;
  if (!sender)
    return g_strdup_printf ("disorder: a message of member %"
        G_GINT64_MODIFIER "x, who is not in the view", id);
  if (!read_message (message, &claim, digest)) {
    add_to_history (traffic, id, digest);
    return g_strdup_printf ("corrupt: a message of member %"
        G_GINT64_MODIFIER "x", id);
  }
  fault = check_number (traffic, sender, &claim);
  if (!fault)
    fault = check_history (traffic, sender, &claim);
  sender->last = claim.number;
  add_to_history (traffic, id, digest);
  return fault;
}

char *
verify_traffic_check (VerifyTraffic *traffic, guint64 sender, GBytes *message)
{
  char *fault;

  g_mutex_lock (&traffic->lock);
  fault = check_with_lock (traffic, sender, message);
  g_mutex_unlock (&traffic->lock);
  return fault;
}

guint64
verify_traffic_get_n_checked (VerifyTraffic *traffic)
{
  guint64 n;

  g_mutex_lock (&traffic->lock);
  n = traffic->n_checked;
  g_mutex_unlock (&traffic->lock);
  return n;
}
