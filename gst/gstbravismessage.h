/* gstbravismessage.h: what happens in the group, as element messages
 *
 * Names and fields, each with "time" (guint64, µs since 1970):
 *
 *   bravis-epoch          number (guint64), cause (string), milliseconds (double,
 *                         since its view), members (array of strings), and by the
 *                         policy's kinds, video, audio, whiteboard, signalling, the
 *                         cipher of each ("aes-128-gcm")
 *   bravis-verification   number (guint64, of the epoch), code (string): digits that
 *                         are the same at all its members, for people to compare
 *   bravis-member-joined  name
 *   bravis-member-left    name, reason ("left", "failed", "put-out")
 *   bravis-refused        name (if known), by (who refused; not there: this peer),
 *                         reason
 *   bravis-unreachable    name: invited, does not answer yet
 *   bravis-ended          reason: this peer is in the conference no more
 *   bravis-stream-epoch   of bravisgroupsink: stream (the pad's name), epoch
 *                         (guint64), frame (guint64): from that frame of the pad on,
 *                         the first being 0, the stream is protected under epoch
 */
#pragma once

#include "../keymgmt/bravis-session-media.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* NULL for events that no message is made of. */
GstStructure *gst_bravis_message_new (const BravisEvent *event);
GstStructure *gst_bravis_message_new_stream_epoch (const char *pad,
    BravisEpoch *epoch, guint64 frame);

/* Takes @structure; NULL does nothing. */
void gst_bravis_message_post (GstElement *element, GstStructure *structure);

G_END_DECLS
