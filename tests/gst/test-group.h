/* test-group.h: peers that share epochs, without a session
 *
 * Real epochs and cards; a key change is a function call.
 */
#pragma once

#include "../../gst/bravis-epoch-source.h"

G_BEGIN_DECLS

#define TEST_GROUP_MAX 6

typedef struct {
  char *name;                   /* "peer0@example.org" ... */
  GcpMemberId id;
  GPtrArray *epochs;            /* all it ever had; the last one is the present */
  guint serial;
  guint n_asked;                /* for an epoch */
} TestPeer;

typedef struct {
  TestPeer peers[TEST_GROUP_MAX];
  guint n;
  guint64 epoch;                /* number of the present one */
  BravisPolicy policy;          /* of the next one */
  guint64 key_packets;          /* that a key may protect; 0: no limit */
  gpointer own_cards[TEST_GROUP_MAX];
} TestGroup;

/* @n peers, all of which are in epoch 1. */
TestGroup *test_group_new (guint n);
void test_group_free (TestGroup *group);

/* A key change: the next epoch is that of the peers in @members, a bit each. */
void test_group_change_key (TestGroup *group, guint members);

BravisEpoch *test_group_epoch (TestGroup *group, guint peer);   /* borrowed */
BravisEpochSource test_group_source (TestGroup *group, guint peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestGroup, test_group_free)

G_END_DECLS
