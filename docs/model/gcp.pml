/* gcp.pml: how GCP goes from one view to the next, for Spin
 *
 * Run it with tools/check-model. docs/protocol.md, section 5, has the protocol,
 * docs/design.md what of it is here, what is left out, and what was found.
 *
 * A step of the model is what one engine does with one input, up to the end: the
 * engine has no threads either. Between two steps anything may happen that the
 * configuration (the names in capitals below) allows.
 *
 * This file has the state of members and what may happen to them; the others, what
 * they do.
 *
 * Members are numbers 0 to N - 1, in the order in which they join; sets of them are
 * octets, a bit for each. An attempt or a view is  number * N + proposer,  so that
 * they compare as the protocol says, and 0 is none. */

#ifndef N
#define N 3                     /* processes */
#endif
#ifndef FOUNDERS
#define FOUNDERS 7              /* who is in the first view; the others join */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef PARTITIONS
#define PARTITIONS 1            /* cuts of the group in two, for good */
#endif
#ifndef PAIRS
#define PAIRS 0                 /* cuts between two members alone, for good */
#endif
#ifndef FALSE_SUSPICIONS
#define FALSE_SUSPICIONS 0      /* of members that are there, taken back later */
#endif
#ifndef MESSAGES
#define MESSAGES 1              /* multicast in all; at most 2 */
#endif
#ifndef LEAVES
#define LEAVES 0
#endif
#ifndef NUMBERS
#if N > 3
#define NUMBERS 9               /* attempts have numbers up to this one */
#else
#define NUMBERS 11              /* ... so that sets of views fit into 32 bits */
#endif
#endif
/* PLAIN: a view is primary by a quorum of the last primary view alone, and what is
 * held ready is proposed again by whoever holds it.
 * PATIENT: who is refused tries again only where it is its turn. */
#ifndef ROOM
#define ROOM 6                  /* messages on their way from one to another */
#endif

#define ID(number, who) ((number) * N + (who))
#define NUMBER(id) ((id) / N)
#define WHO(id) ((id) % N)
#define IDS ((NUMBERS + 1) * N)
#define BIT(x) (1 << (x))
#define HAS(set, x) (((set) >> (x)) & 1)

#define FIRST_VIEW ID (1, 0)

/* Sets of views: those from number 2 on. */
#define VIEW_BIT(id) (1 << ((id) - 2 * N))
#define UP_TO(id) ((id) < 2 * N -> 0 : (VIEW_BIT (id) - 1) | VIEW_BIT (id))

/* Ordered messages: up to two, each 1 or 2, the first in the lowest digit to the
 * base of 3. */
#define LENGTH(log) (((log) > 0) + ((log) > 2))
#define ITEM(log, n) ((n) == 0 -> (log) % 3 : (log) / 3)
#define PUT(log, item) ((log) == 0 -> (item) : (log) + 3 * (item))
#define IS_BY(item, who) ((item) > 0 && author[item] == (who))
#define COUNT_BY(log, who) \
    (IS_BY ((log) % 3, who) + IS_BY ((log) / 3, who))

/* states */
#define JOINING 0
#define MEMBER 1
#define ENDED 2                 /* left, or put out */
#define DEAD 3

/* phases of a coordinator */
#define NO_ATTEMPT 0
#define GATHER 1
#define FETCHING 2
#define PREPARING 3

/* messages */
#define SUBMIT 1                /* x: message */
#define ORDER 2                 /* x: message */
#define LEAVE 3
#define HERE 4
#define FLUSH 5
#define FLUSHED 6               /* x: ordered and not ordered, y: attempt of what is
                                 * held ready, z: that, h: greatest number seen,
                                 * w: candidates, and bit 7: leaving; lineage */
#define FETCH 7                 /* x: how many held, y: proposal wanted */
#define SHOWN 8                 /* x: ordered, y: proposal */
#define PREPARE 9               /* x: proposal, y: how many the receiver holds;
                                 * lineage */
#define PREPARED 10
#define COMMIT 11
#define REFUSED 12              /* h: greatest number seen */

/* Links: reliable and in order; of each pair one each way. */
chan link[N * (N - 1)] = [ROOM] of { byte, byte, byte, byte, byte, byte, byte,
    byte, byte, int };

#define LINK(from, to) link[(from) * (N - 1) + (to) - ((to) > (from))]

/* ---- a member ---- */

byte state[N];
byte view[N];
byte formed[N];                 /* last primary view known to have been installed */
int doubtful[N];                /* those after it that somebody may have installed */
byte log[N];                    /* held of what is ordered, and delivered */
byte submitted[N];              /* own, not known to be ordered */
bool frozen[N];
byte promised[N];               /* attempt followed */
byte highest[N];                /* number seen */
byte ready[N];                  /* proposal held ready */
byte ready_in[N];               /* ... in this attempt */
byte suspected[N];
byte gone[N];
byte held_flush[N * N];         /* attempts that are not their coordinator's turn */
byte candidates[N];
byte failed[N];                 /* of those: was there and is not any more */
byte answering[N];              /* of those: has echoed something */
byte blocked[N];                /* links whose next message is of a later view */
byte leavers[N];                /* who said so, as far as this one heard */
bool wants_to_leave[N];
bool said_leave[N];
bool told_out[N];

/* as coordinator; its attempt is what it promised last */
byte phase[N];
byte taking_part[N];
byte answered[N];               /* FLUSHED, or PREPARED */
byte leaving_reply[N];
byte source[N];
byte wanted[N];
byte wanted_held[N];
byte all_formed[N];             /* what those who answered know together */
int all_doubtful[N];
byte reply_log[N * N];
byte reply_submitted[N * N];
byte reply_ready[N * N];
byte reply_ready_in[N * N];

#define REPLY(who, whose) [(who) * N + (whose)]

/* ---- proposals: what is in PREPARE is never altered, so it is kept once ---- */

byte members[IDS];
byte acking[IDS];
byte dropped[IDS];
byte cut[IDS];
byte appended[IDS];
#ifdef PLAIN
byte was_formed[IDS];           /* what its proposer knew of */
#endif
byte left_view[IDS];            /* view that it follows */
bool primary[IDS];
bool apart[IDS];                /* ends the old view as another one that was held
                                 * ready does, without being that one */

/* ---- the world, and what is checked ---- */

byte cut_off[N];                /* who cannot be reached from here any more */
byte crashes_left = CRASHES;
byte partitions_left = PARTITIONS;
byte pairs_left = PAIRS;
byte false_left = FALSE_SUSPICIONS;
byte messages_left = MESSAGES;
byte leaves_left = LEAVES;
byte author[3];
byte installed_by[IDS];
byte newest_primary = FIRST_VIEW;

/* What is used within a step only. */
hidden byte i, f, j, k, n, kind, v, a, x, y, z, w, h, id, best, count, total;
hidden byte fm, todo;
hidden int db;
hidden byte in_vain, again, first_here, needed, turn;

/* What is to be done next within a step. */
#define NOTHING 0
#define START 1
#define GATHERED 2
#define PROPOSE_NEW 3
#define ADOPT 4
#define CHECK_ACKS 5
#define INSTALL 6
#define RUN 7

#include "gcp-print.pml"

/* ---- small things ---- */

#define IS_LOST(me, who) ((who) != (me) && HAS (suspected[me] | gone[me], who))
#define IS_LEAVING(me, who) \
    ((who) == (me) -> said_leave[me] : HAS (leavers[me], who))
#define IN_VIEW(me, who) HAS (members[view[me]], who)
#define HAS_LINK(me, who) (state[me] == JOINING || HAS (members[view[me]] \
    | candidates[me] | members[ready[me]], who))
#define IS_UP(who) (state[who] < ENDED)

inline say (to, type, from_view, attempt, vx, vy, vz, vw, vh, vf, vd)
{
  if
  :: IS_UP (to) && !HAS (cut_off[i], to) ->
    /* (ROOM is enough for what is on its way.) */
    assert (len (LINK (i, to)) < ROOM);
    LINK (i, to) ! type, from_view, attempt, vx, vy, vz, vw, vh, vf, vd
  :: else
  fi
}

inline empty_link (from, to)
{
  do
  :: len (LINK (from, to)) > 0 -> LINK (from, to) ? _, _, _, _, _, _, _, _, _, _
  :: else -> break
  od
}

inline forget_replies (me)
{
  for (k : 0 .. N - 1) {
    reply_log REPLY (me, k) = 0;
    reply_submitted REPLY (me, k) = 0;
    reply_ready REPLY (me, k) = 0;
    reply_ready_in REPLY (me, k) = 0
  }
  leaving_reply[me] = 0;
  answered[me] = 0
}

inline give_up_attempt (me)
{
  phase[me] = NO_ATTEMPT;
  taking_part[me] = 0;
  source[me] = 0;
  wanted[me] = 0;
  wanted_held[me] = 0;
  all_formed[me] = 0;
  all_doubtful[me] = 0;
  forget_replies (me)
}

/* @me is no process any more: nothing of it tells two states apart. */
inline wipe (me)
{
  give_up_attempt (me);
  view[me] = 0; formed[me] = 0; doubtful[me] = 0; log[me] = 0; submitted[me] = 0;
  frozen[me] = 0; promised[me] = 0; highest[me] = 0; ready[me] = 0;
  ready_in[me] = 0; suspected[me] = 0; gone[me] = 0; candidates[me] = 0;
  failed[me] = 0; answering[me] = 0; blocked[me] = 0; leavers[me] = 0;
  wants_to_leave[me] = 0; said_leave[me] = 0; told_out[me] = 0;
  for (k : 0 .. N - 1) {
    held_flush REPLY (me, k) = 0;
    if
    :: k != me -> empty_link (k, me)
    :: else
    fi
  }
}

inline end (me)
{
  /* Nobody is put out who is there and did not leave. */
  assert (wants_to_leave[me]);
  printf ("%c:   ends\n", NAME (me));
  state[me] = ENDED;
  wipe (me)
}

/* Takes what @log_of_other has from its item number @from on. */
inline extend_log (me, log_of_other, from)
{
  for (k : 0 .. 1) {
    if
    :: k >= from && k < LENGTH (log_of_other) && k == LENGTH (log[me]) ->
      log[me] = PUT (log[me], ITEM (log_of_other, k));
      if
      :: submitted[me] % 3 == ITEM (log_of_other, k) ->
        submitted[me] = submitted[me] / 3
      :: else
      fi
    :: else
    fi
  }
}

inline find_turn (me, who)
{
  turn = IN_VIEW (me, who);
  for (k : 0 .. N - 1) {
    if
    :: k < who && IN_VIEW (me, k) && !IS_LOST (me, k) && !IS_LEAVING (me, k) ->
      turn = false
    :: else
    fi
  }
}

/* best = the coordinator, N if nobody is left */
inline find_coordinator (me)
{
  best = N;
  for (k : 0 .. N - 1) {
    if
    :: best == N && IN_VIEW (me, k) && !IS_LOST (me, k) && !IS_LEAVING (me, k) ->
      best = k
    :: else
    fi
  }
  for (k : 0 .. N - 1) {
    if
    :: best == N && IN_VIEW (me, k) && !IS_LOST (me, k) -> best = k
    :: else
    fi
  }
}

#include "gcp-install.pml"
#include "gcp-coordinator.pml"
#include "gcp-member.pml"

/* ---- the world ---- */

#define CAN_TAKE(from, to) len (LINK (from, to)) > 0 && !HAS (blocked[to], from)

#define CAN_SUSPECT(me, who) state[me] == MEMBER && !HAS (suspected[me], who) \
    && HAS (members[view[me]] | members[ready[me]], who) \
    && (!IS_UP (who) || HAS (cut_off[me], who))

#define CAN_SUSPECT_FALSELY(me, who) false_left > 0 && state[me] == MEMBER \
    && IN_VIEW (me, who) && !HAS (suspected[me], who) && IS_UP (who) \
    && !HAS (cut_off[me], who)

#define CAN_TRUST_AGAIN(me, who) FALSE_SUSPICIONS > 0 && state[me] == MEMBER \
    && HAS (suspected[me], who) && IS_UP (who) && !HAS (cut_off[me], who)

#define CAN_ANSWER(me, who) state[me] == MEMBER \
    && HAS (candidates[me] & ~failed[me] & ~answering[me], who) \
    && IS_UP (who) && !HAS (cut_off[me], who) && phase[me] == NO_ATTEMPT \
    && (members[view[me]] & ~(suspected[me] | gone[me] | leavers[me]) \
        & (BIT (me) - 1)) == 0

#define CAN_BE_TOLD(me, who) state[me] == MEMBER && state[who] == MEMBER \
    && IN_VIEW (me, who) && view[who] > view[me] && !IN_VIEW (who, me) \
    && !HAS (cut_off[me], who) \
    && (!HAS (gone[me], who) \
        || (primary[view[who]] && wants_to_leave[me] && !told_out[me]))

#define CAN_SEND(me) \
    messages_left > 0 && state[me] == MEMBER && !frozen[me] && !wants_to_leave[me]

#define CAN_LEAVE(me) \
    leaves_left > 0 && state[me] == MEMBER && !wants_to_leave[me]

#define CAN_CRASH(who) crashes_left > 0 && IS_UP (who)

#if N > 3
#define ANY(can, set) \
    if :: can (0) -> set = 0 :: can (1) -> set = 1 \
    :: can (2) -> set = 2 :: can (3) -> set = 3 fi
#define ANY_PAIR(can, one, other) \
    if :: can (0, 1) -> one = 0; other = 1 :: can (0, 2) -> one = 0; other = 2 \
    :: can (1, 0) -> one = 1; other = 0 :: can (1, 2) -> one = 1; other = 2 \
    :: can (2, 0) -> one = 2; other = 0 :: can (2, 1) -> one = 2; other = 1 \
    :: can (0, 3) -> one = 0; other = 3 :: can (1, 3) -> one = 1; other = 3 \
    :: can (2, 3) -> one = 2; other = 3 :: can (3, 0) -> one = 3; other = 0 \
    :: can (3, 1) -> one = 3; other = 1 :: can (3, 2) -> one = 3; other = 2 fi
#else
#define ANY(can, set) \
    if :: can (0) -> set = 0 :: can (1) -> set = 1 :: can (2) -> set = 2 fi
#define ANY_PAIR(can, one, other) \
    if :: can (0, 1) -> one = 0; other = 1 :: can (0, 2) -> one = 0; other = 2 \
    :: can (1, 0) -> one = 1; other = 0 :: can (1, 2) -> one = 1; other = 2 \
    :: can (2, 0) -> one = 2; other = 0 :: can (2, 1) -> one = 2; other = 1 fi
#endif

/* An answer that does not come, where nothing else is going to happen. */
#define IS_LATE(me) (phase[me] != NO_ATTEMPT)

inline be_late ()
{
  for (j : 0 .. N - 1) {
    if
    :: j != i && IS_WAITED_FOR (i, j) -> gone[i] = gone[i] | BIT (j)
    :: else
    fi
  }
}

inline check_end ()
{
  for (j : 0 .. N - 1) {
    /* Nobody is left waiting where nothing happens any more. */
    assert (state[j] != MEMBER || (!frozen[j] && !wants_to_leave[j]));
    /* In the end all members of a view are there, in it, and reach one another
     * (but for two that are cut off from each other alone: what is for all goes
     * over the first, and those two need no more). */
    for (k : 0 .. N - 1) {
      assert (state[j] != MEMBER || !HAS (members[view[j]], k)
          || (view[k] == view[j] && (PAIRS > 0 || !HAS (cut_off[j], k))));
      /* In the end members that reach one another are in one view, where nobody
       * was suspected falsely or missed by some alone, or was new. */
      assert (PAIRS + FALSE_SUSPICIONS > 0 || FOUNDERS + 1 < BIT (N)
          || state[j] != MEMBER || state[k] != MEMBER || HAS (cut_off[j], k)
          || view[k] == view[j])
    }
  }
}

inline part (one_side)
{
  for (j : 0 .. N - 1) {
    for (k : 0 .. N - 1) {
      if
      :: HAS (one_side, j) != HAS (one_side, k) ->
        cut_off[j] = cut_off[j] | BIT (k)
      :: else
      fi
    }
  }
}

init {
  d_step {
    members[FIRST_VIEW] = FOUNDERS;
    acking[FIRST_VIEW] = FOUNDERS;
    primary[FIRST_VIEW] = true;
    installed_by[FIRST_VIEW] = FOUNDERS;
    for (j : 0 .. N - 1) {
      if
      :: HAS (FOUNDERS, j) ->
        state[j] = MEMBER;
        view[j] = FIRST_VIEW;
        formed[j] = FIRST_VIEW;
        highest[j] = 1;
        candidates[j] = (BIT (N) - 1) & ~FOUNDERS
      :: else
      fi
    }
  }
  do
  :: atomic {
    ANY_PAIR (CAN_TAKE, f, i);
    d_step { todo = NOTHING; take_message (); finish_step () }
  }
  :: atomic {
    ANY_PAIR (CAN_SUSPECT, i, f);
    d_step {
      todo = NOTHING;
      printf ("%c: suspects %c\n", NAME (i), NAME (f));
      suspected[i] = suspected[i] | BIT (f);
      empty_link (f, i);
      finish_step ()
    }
  }
#if FALSE_SUSPICIONS > 0
  :: atomic {
    ANY_PAIR (CAN_SUSPECT_FALSELY, i, f);
    d_step {
      todo = NOTHING;
      printf ("%c: suspects %c, which is there\n", NAME (i), NAME (f));
      false_left--;
      suspected[i] = suspected[i] | BIT (f);
      finish_step ()
    }
  }
  :: atomic {
    ANY_PAIR (CAN_TRUST_AGAIN, i, f);
    d_step {
      printf ("%c: hears %c again\n", NAME (i), NAME (f));
      todo = NOTHING;
      suspected[i] = suspected[i] & ~BIT (f);
      finish_step ()
    }
  }
#endif
  :: atomic {
    ANY_PAIR (CAN_BE_TOLD, i, f);
    d_step {
      todo = NOTHING;
      printf ("%c: is told by %c that it is out\n", NAME (i), NAME (f));
      gone[i] = gone[i] | BIT (f);
      told_out[i] = told_out[i] || (primary[view[f]] && wants_to_leave[i]);
      finish_step ()
    }
  }
  :: atomic {
    ANY_PAIR (CAN_ANSWER, i, f);
    d_step {
      todo = NOTHING;
      printf ("%c: is answered by the candidate %c\n", NAME (i), NAME (f));
      answering[i] = answering[i] | BIT (f);
      finish_step ()
    }
  }
  :: atomic {
    ANY (CAN_SEND, i);
    d_step {
      todo = NOTHING;
      n = MESSAGES - messages_left + 1;
      messages_left--;
      printf ("%c: multicasts message %d\n", NAME (i), n);
      author[n] = i;
      submitted[i] = PUT (submitted[i], n);
      if
      :: SEQUENCER (i) == i -> order (n)
      :: else -> say (SEQUENCER (i), SUBMIT, view[i], 0, n, 0, 0, 0, 0, 0, 0)
      fi;
      finish_step ()
    }
  }
#if LEAVES > 0
  :: atomic {
    ANY (CAN_LEAVE, i);
    d_step {
      todo = NOTHING;
      printf ("%c: leaves\n", NAME (i));
      leaves_left--;
      wants_to_leave[i] = true;
      finish_step ()
    }
  }
#endif
  :: atomic {
    ANY (CAN_CRASH, f);
    d_step {
      printf ("%c crashes\n", NAME (f));
      crashes_left--;
      state[f] = DEAD;
      wipe (f);
      f = 0
    }
  }
  :: atomic {
    partitions_left > 0;
    if
    :: f = 1 :: f = 2 :: f = 3
#if N > 3
    :: f = 4 :: f = 5 :: f = 6 :: f = 7
#endif
    fi;
    d_step {
      printf ("the group is cut: ");
      print_set (f);
      printf (" from the others\n");
      partitions_left--;
      part (f);
      f = 0
    }
  }
#if PAIRS > 0
  :: atomic {
    pairs_left > 0;
    if
    :: i = 0; f = 1 :: i = 0; f = 2 :: i = 1; f = 2
#if N > 3
    :: i = 0; f = 3 :: i = 1; f = 3 :: i = 2; f = 3
#endif
    fi;
    d_step {
      printf ("%c and %c are cut off from each other\n", NAME (i), NAME (f));
      pairs_left--;
      cut_off[i] = cut_off[i] | BIT (f);
      cut_off[f] = cut_off[f] | BIT (i)
    }
  }
#endif
  /* Faults that do not happen any more: only now can there be an end. */
  :: d_step {
    (crashes_left + partitions_left + pairs_left + false_left + messages_left
        + leaves_left > 0) ->
    crashes_left = 0; partitions_left = 0; pairs_left = 0; false_left = 0;
    messages_left = 0; leaves_left = 0
  }
  :: timeout ->
    d_step {
      needed = false;
      for (k : 0 .. N - 1) {
        needed = needed || IS_LATE (k)
      }
      if
      :: !needed -> check_end ()
      :: else
      fi
    };
    if
    :: needed -> atomic {
      ANY (IS_LATE, i);
      d_step {
      todo = NOTHING;
      printf ("%c: waits no longer\n", NAME (i));
      be_late ();
      finish_step ()
    }
    }
    :: else -> break
    fi
  od
}
