/* test-media.h: pipelines that send and receive, for tests of the group
 * elements
 *
 * Everything waits for what it expects, and fails after 20 s.
 */
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define H264                                                                   \
  "video/x-h264, stream-format=(string)byte-stream, alignment="                \
  "(string)au, width=(int)640, height=(int)360, framerate=(fraction)25/1"
#define OPUS                                                                   \
  "audio/x-opus, rate=(int)48000, channels=(int)1, "                           \
  "channel-mapping-family=(int)0, streamheader=(buffer)<4f707573, 00ff>"

/* A peer that sends: an appsrc for each pad of a bravisgroupsink. */
typedef struct {
  GstElement *pipeline, *sink;
  GstElement *source[3];
  guint n_sources;
  GPtrArray *sent[3]; /* of GBytes */
  guint frames[3];
  gint key_unit_requests; /* atomic */
} Sender;

/* A peer that receives: an appsink for each pad of a bravisgroupsrc. */
typedef struct {
  char *name;
  GstElement *sink;
  gboolean removed;
} Branch;

typedef struct {
  GstElement *pipeline, *source;
  GMutex lock;
  GCond cond;
  GPtrArray *branches;  /* of Branch */
  const char *unlinked; /* a pad that is left alone */
} Receiver;

Sender *sender_new_with (GType type, const char *property, gpointer value);
guint sender_add (Sender *sender, const char *pad_name, const char *caps_text);
void sender_play (Sender *sender);
void sender_send (Sender *sender, guint source, gsize size);
guint64 get_stat (GstElement *element, const char *name);
void wait_stat (GstElement *element, const char *name, guint64 at_least);
void sender_free (Sender *sender);
Receiver *receiver_new_with (GType type, const char *property, gpointer value);
void receiver_play (Receiver *receiver);
Branch *wait_branch (Receiver *receiver, const char *name);
void wait_removed (Receiver *receiver, Branch *branch);
GstSample *branch_pull (Branch *branch);
void assert_frame (GstSample *sample, GBytes *expected);
void assert_frames (Branch *branch, Sender *sender, guint source, guint first);
void assert_eos (Branch *branch);
void receiver_free (Receiver *receiver);
GstMessage *wait_message (GstElement *pipeline, GstMessageType type);
GstMessage *wait_element_message (GstElement *pipeline, const char *name);
void wait_key_unit_requests (Sender *sender, gint at_least);

G_END_DECLS
