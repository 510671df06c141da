#include "gstbravismessage.h"

static void
set_text (GstStructure *structure, const char *field, const char *text)
{
  if (text)
    gst_structure_set (structure, field, G_TYPE_STRING, text, NULL);
}

static void
set_members (GstStructure *structure, BravisEpoch *epoch)
{
  GValue members = G_VALUE_INIT;

  g_value_init (&members, GST_TYPE_ARRAY);
  for (guint i = 0; i < bravis_epoch_get_n_members (epoch); i++) {
    GValue name = G_VALUE_INIT;

    g_value_init (&name, G_TYPE_STRING);
    g_value_set_string (&name, bravis_epoch_get_card (epoch, i)->name);
    gst_value_array_append_and_take_value (&members, &name);
  }
  gst_structure_take_value (structure, "members", &members);
}

/* By kind: what the group's policy came to, whoever said it. */
static void
set_ciphers (GstStructure *structure, BravisEpoch *epoch)
{
  const BravisPolicy *policy = bravis_epoch_get_policy (epoch);

  for (guint kind = 0; kind < BRAVIS_N_KINDS; kind++)
    set_text (structure, bravis_kind_to_string (kind),
        bravis_cipher_to_string (policy->cipher[kind]));
}

static GstStructure *
new_epoch (const BravisEvent *event)
{
  GstStructure *structure = gst_structure_new ("bravis-epoch",
      "number", G_TYPE_UINT64, bravis_epoch_get_number (event->epoch),
      "milliseconds", G_TYPE_DOUBLE, event->milliseconds, NULL);

  set_text (structure, "cause", event->cause);
  set_members (structure, event->epoch);
  set_ciphers (structure, event->epoch);
  return structure;
}

static GstStructure *
new_named (const char *message, const BravisEvent *event)
{
  GstStructure *structure = gst_structure_new_empty (message);

  set_text (structure, "name", event->name);
  set_text (structure, "by", event->by);
  set_text (structure, "reason", event->reason);
  return structure;
}

GstStructure *
gst_bravis_message_new (const BravisEvent *event)
{
  GstStructure *structure;

  switch (event->type) {
    case BRAVIS_EVENT_EPOCH:
      return new_epoch (event);
    case BRAVIS_EVENT_VERIFICATION:
      return gst_structure_new ("bravis-verification",
          "number", G_TYPE_UINT64, bravis_epoch_get_number (event->epoch),
          "code", G_TYPE_STRING, event->code, NULL);
    case BRAVIS_EVENT_MEMBER_JOINED:
      return new_named ("bravis-member-joined", event);
    case BRAVIS_EVENT_MEMBER_LEFT:
      structure = new_named ("bravis-member-left", event);
      set_text (structure, "reason",
          bravis_leave_reason_to_string (event->leave_reason));
      return structure;
    case BRAVIS_EVENT_REFUSED:
      return new_named ("bravis-refused", event);
    case BRAVIS_EVENT_UNREACHABLE:
      return new_named ("bravis-unreachable", event);
    case BRAVIS_EVENT_ENDED:
      return new_named ("bravis-ended", event);
    case BRAVIS_EVENT_STREAM_ADDED:
    case BRAVIS_EVENT_STREAM_REMOVED:
    case BRAVIS_EVENT_VIEW:
    case BRAVIS_EVENT_MESSAGE:
    case BRAVIS_EVENT_COMMAND:
    case BRAVIS_EVENT_WRITABLE:
      break;
  }
  return NULL;
}

GstStructure *
gst_bravis_message_new_stream_epoch (const char *pad, BravisEpoch *epoch,
    guint64 frame)
{
  return gst_structure_new ("bravis-stream-epoch",
      "stream", G_TYPE_STRING, pad,
      "epoch", G_TYPE_UINT64, bravis_epoch_get_number (epoch),
      "frame", G_TYPE_UINT64, frame, NULL);
}

void
gst_bravis_message_post (GstElement *element, GstStructure *structure)
{
  if (!structure)
    return;
  gst_structure_set (structure, "time", G_TYPE_UINT64,
      (guint64) g_get_real_time (), NULL);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element), structure));
}
