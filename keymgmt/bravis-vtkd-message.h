/* bravis-vtkd-message.h: the messages of VTKD, as they go through the group
 *
 * Integers are big-endian, vectors as in gcp-wire.h. All that can be checked
 * without knowing the group's state is checked in reading.
 *
 * VTKD_SHARE, agreed: what a member knows
 *   u8 1 | u64 view number | u8 knows (0 or 1) | u64 highest epoch number |
 *   u64 token version | policy | share
 *   knows = 0: a newcomer; its version is 0, its epoch number at most 2^32 - 1
 *
 * VTKD_KEYS, safe: the key change
 *   u8 2 | u64 view number | u64 token version | u64 epoch number | policy |
 *   share (the holder's next) | 32 octets SHA-256 of the epoch's context |
 *   32 octets confirmation value of the epoch | u8 number of copies |
 *   that many times 48 octets copy (bravis-pair.h), for each member of the view
 *   but the holder, in the view's order
 *   The header is what stands before the copies.
 *
 * VTKD_REFRESH, agreed: asks for a key change
 *   u8 3 | u64 view number
 *
 * VTKD_OVERDUE, agreed: has waited too long for what a member owes
 *   u8 4 | u64 view number | u8 what (0 its VTKD_SHARE, 1 the holder's VTKD_KEYS) |
 *   u64 which: the member's id, or the token version
 */
#pragma once

#include "bravis-pair.h"
#include "bravis-policy.h"

G_BEGIN_DECLS

/* Group messages from 1 to BRAVIS_VTKD_LAST are VTKD's. */
typedef enum {
  BRAVIS_VTKD_SHARE = 1,
  BRAVIS_VTKD_KEYS = 2,
  BRAVIS_VTKD_REFRESH = 3,
  BRAVIS_VTKD_OVERDUE = 4,
  BRAVIS_VTKD_LAST = 15
} BravisVtkdMessageType;

typedef struct {
  guint64 view;
  gboolean knows;
  guint64 epoch;
  guint64 version;
  BravisPolicy policy;
  BravisShare *share;           /* owned */
} BravisVtkdShare;

typedef struct {
  guint64 view;
  guint64 version;
  guint64 epoch;
  BravisPolicy policy;
  BravisShare *share;           /* owned */
  guint8 context[BRAVIS_HASH_SIZE];
  guint8 confirmation[BRAVIS_HASH_SIZE];
  guint n_copies;
  const guint8 *copies;         /* borrowed from the message; not for writing */
  guint8 digest[BRAVIS_HASH_SIZE];      /* SHA-256 of the header */
} BravisVtkdKeys;

typedef enum {
  BRAVIS_VTKD_OWED_SHARE = 0,
  BRAVIS_VTKD_OWED_KEYS = 1
} BravisVtkdOwed;

typedef struct {
  guint64 view;
  BravisVtkdOwed owed;
  guint64 which;                /* member id, or token version */
} BravisVtkdOverdue;

GBytes *bravis_vtkd_share_write (const BravisVtkdShare *message);
gboolean bravis_vtkd_share_read (BravisVtkdShare *message, GBytes *bytes);
void bravis_vtkd_share_clear (BravisVtkdShare *message);

/* Writes the header and sets @message->digest; the caller appends the copies. */
void bravis_vtkd_keys_write_header (BravisVtkdKeys *message, GcpWriter *writer);
gboolean bravis_vtkd_keys_read (BravisVtkdKeys *message, GBytes *bytes);
void bravis_vtkd_keys_clear (BravisVtkdKeys *message);

GBytes *bravis_vtkd_refresh_write (guint64 view);
gboolean bravis_vtkd_refresh_read (guint64 *view, GBytes *bytes);

GBytes *bravis_vtkd_overdue_write (const BravisVtkdOverdue *message);
gboolean bravis_vtkd_overdue_read (BravisVtkdOverdue *message, GBytes *bytes);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisVtkdShare, bravis_vtkd_share_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisVtkdKeys, bravis_vtkd_keys_clear)

G_END_DECLS
