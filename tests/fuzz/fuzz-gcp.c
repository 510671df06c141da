/* A member of the group that says anything.
 *
 * The first octet says whether the engine is in a view (even) or joins (odd). The
 * rest is a list of acts: u8 what | u16 size | bytes. 0: a datagram of the
 * member, 1: of a stranger, 2: a message of the member in its link, 3: a message
 * whose view and attempt are the present ones (what follows its type is given),
 * 4: time passes, 5: the engine multicasts, 6: the member is lost and comes back
 * as the coordinator of another part. Whatever comes, the engine is in a
 * view with itself, or has ended, and its deadline lies ahead. */
#include "../gcp/gcp-puppet.h"

#define MOST_ACTS 64

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
say_of_present_view (GcpPuppet *puppet, const guint8 *data, gsize size)
{
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) bytes = NULL;
  gsize n;
  const guint8 *out;

  if (size < 1)
    return;
  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, data[0] % GCP_N_MESSAGES);
  gcp_write_u64 (&writer, puppet->view.number);
  gcp_write_u64 (&writer, puppet->view.proposer);
  if (data[0] % GCP_N_MESSAGES >= GCP_MESSAGE_FLUSH) {
    gcp_write_u64 (&writer, puppet->view.number + 1 + (data[0] >> 6));
    gcp_write_u64 (&writer, data[0] & 32 ? GCP_PUPPET_ENGINE
        : GCP_PUPPET_MEMBER);
  }
  gcp_write_bytes (&writer, data + 1, size - 1);
  bytes = gcp_writer_finish (&writer);
  out = g_bytes_get_data (bytes, &n);
  gcp_puppet_say_bytes (puppet, out, n);
}

static void
act (GcpPuppet *puppet, guint8 what, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) message = NULL;

  switch (what % 7) {
    case 0:
      gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER, data, size);
      break;
    case 1:
      gcp_puppet_throw (puppet, GCP_PUPPET_STRANGER, data, size);
      break;
    case 2:
      gcp_puppet_say_bytes (puppet, data, size);
      break;
    case 3:
      say_of_present_view (puppet, data, size);
      break;
    case 4:
      gcp_puppet_run (puppet, size * 1000);
      break;
    case 5:
      message = g_bytes_new (data, size);
      gcp_engine_multicast (puppet->engine, message, GCP_SAFE, puppet->now,
          NULL);
      gcp_puppet_run (puppet, 1000);
      break;
    case 6:
      gcp_puppet_come_back (puppet);
      break;
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GcpPuppet) puppet = NULL;
  gboolean joins;
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  joins = gcp_read_u8 (&reader) & 1;
  puppet = joins ? gcp_puppet_new_with_joiner () : gcp_puppet_new ();
  for (guint i = 0; i < MOST_ACTS && gcp_reader_left (&reader) > 3; i++) {
    guint8 what = gcp_read_u8 (&reader);
    gsize n = gcp_read_u16 (&reader) % 1500;
    const guint8 *span;

    n = MIN (n, gcp_reader_left (&reader));
    span = gcp_read_span (&reader, n);
    act (puppet, what, span, n);
  }
  gcp_puppet_run (puppet, 20000);
  g_assert_true (puppet->ended || (joins && puppet->n_views == 0)
      || gcp_view_contains (gcp_engine_get_view (puppet->engine),
          GCP_PUPPET_ENGINE));
  g_assert_cmpint (gcp_engine_deadline (puppet->engine), >, puppet->now);
  return 0;
}
