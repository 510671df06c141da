/* gcp.pml: how GCP goes from one view to the next, for Spin
 *
 * Run it with tools/check-model. docs/protocol.md, section 5, has the protocol,
 * docs/design.md what of it is here, what is left out, and what was found.
 *
 * A step of the model is what one engine does with one input, up to the end: the
 * engine has no threads either. Between two steps anything may happen that the
 * configuration (the names in capitals below) allows.
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

/* ---- what is printed when a trail is replayed ---- */

#define NAME(who) (65 + (who))

inline print_set (set)
{
  for (j : 0 .. N - 1) {
    if
    :: HAS (set, j) -> printf ("%c", NAME (j))
    :: else
    fi
  }
}

inline print_kind ()
{
  if
  :: kind == SUBMIT -> printf ("SUBMIT")
  :: kind == ORDER -> printf ("ORDER")
  :: kind == LEAVE -> printf ("LEAVE")
  :: kind == HERE -> printf ("HERE")
  :: kind == FLUSH -> printf ("FLUSH")
  :: kind == FLUSHED -> printf ("FLUSHED")
  :: kind == FETCH -> printf ("FETCH")
  :: kind == SHOWN -> printf ("SHOWN")
  :: kind == PREPARE -> printf ("PREPARE")
  :: kind == PREPARED -> printf ("PREPARED")
  :: kind == COMMIT -> printf ("COMMIT")
  :: kind == REFUSED -> printf ("REFUSED")
  fi;
  printf (" of view %d%c", NUMBER (v), NAME (WHO (v)));
  if
  :: a > 0 -> printf (", attempt %d%c", NUMBER (a), NAME (WHO (a)))
  :: else
  fi
}

inline print_view ()
{
  printf ("view %d%c {", NUMBER (id), NAME (WHO (id)));
  print_set (members[id]);
  printf ("}");
  if
  :: primary[id] -> printf (" primary")
  :: else -> printf (" not primary")
  fi
}

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
  assert (PAIRS + FALSE_SUSPICIONS > 0 || FOUNDERS + 1 < BIT (N)
      || wants_to_leave[me]);
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

/* ---- primary views ---- */

/* needed = @here has a majority of @voters, or half and the first */
inline find_quorum (voters, here)
{
  count = 0;
  total = 0;
  first_here = false;
  for (k : 0 .. N - 1) {
    if
    :: HAS (voters, k) ->
      first_here = first_here || (total == 0 && HAS (here, k));
      total++;
      count = count + HAS (here, k)
    :: else
    fi
  }
  needed = 2 * count > total || (2 * count == total && first_here)
}

/* One lineage takes over what another knows. */
inline merge_lineage (mine, my_doubtful, its, its_doubtful)
{
  if
  :: its > mine -> mine = its
  :: else
  fi;
  my_doubtful = (my_doubtful | its_doubtful) & ~UP_TO (mine)
}

/* turn = those who take part in i's attempt, with @newcomers, are quorum enough
 * for a primary view; or for the one proposed before, @again (0: a new one) */
inline find_primary (again, newcomers)
{
  find_quorum (members[all_formed[i]], taking_part[i]);
  turn = needed && (again == 0 || all_formed[i] < again);
#ifndef PLAIN
  for (n : 2 * N .. IDS - 1) {
    if
    :: (all_doubtful[i] & VIEW_BIT (n)) && n != again ->
      find_quorum (members[n], taking_part[i] | newcomers);
      turn = (turn && (again == 0 || n < again)
          && (needed || (acking[n] & ~taking_part[i]) == 0))
    :: else
    fi
  }
#endif
}

/* ---- installing ---- */

/* Everything that GCP promises of views is looked at here. */
inline check_install ()
{
  if
  :: state[i] == MEMBER ->
    /* Agreement: whoever goes to a view comes to it from the same one. */
    assert (left_view[id] == view[i] && id > view[i]);
    /* Virtual synchrony: whoever goes from one view to another has delivered the
     * same messages in the same order in between. */
    assert (log[i] == cut[id]);
    for (k : 0 .. 1) {
      if
      :: (ITEM (appended[id], k) > 0
          && submitted[i] % 3 == ITEM (appended[id], k)) ->
        submitted[i] = submitted[i] / 3
      :: else
      fi
    }
    /* A message is delivered in the view it was sent in, by its sender too. */
    assert (submitted[i] == 0);
    /* Agreement: two that leave a view by different ways are not each in the view
     * that the other goes to. */
    for (k : 1 .. IDS - 1) {
      assert (k == id || left_view[k] != view[i]
          || (installed_by[k] & members[id]) == 0
          || ((installed_by[id] | BIT (i)) & members[k]) == 0)
    }
  :: else
  fi
}

inline check_primary ()
{
  if
  :: primary[id] && installed_by[id] == 0 ->
    /* No two primary views: none comes about after one that was proposed later. */
    assert (id > newest_primary);
    find_quorum (members[newest_primary], acking[id] | members[id]);
    /* No two primary views: each has a quorum of the one before it. */
    assert (needed);
    newest_primary = id
  :: else
  fi
}

inline install ()
{
  id = ready[i];
  if
  :: told_out[i] && !primary[id] -> end (i)
  :: else ->
    check_install ();
    if
    :: !HAS (members[id], i) -> end (i)
    :: else ->
      printf ("%c:   installs ", NAME (i));
      print_view ();
      printf ("\n");
      check_primary ();
      installed_by[id] = installed_by[id] | BIT (i);
      state[i] = MEMBER;
#ifdef PLAIN
      formed[i] = (primary[id] -> id : was_formed[id]);
#else
      if
      :: primary[id] -> merge_lineage (formed[i], doubtful[i], id, 0)
      :: else
      fi;
      /* What all who hold it have left behind cannot be installed any more. */
      for (n : 2 * N .. IDS - 1) {
        if
        :: (n < view[i] && (acking[n] & ~acking[id]) == 0) ->
          doubtful[i] = doubtful[i] & ~VIEW_BIT (n)
        :: else
        fi
      }
#endif
      view[i] = id;
      highest[i] = (NUMBER (id) > highest[i] -> NUMBER (id) : highest[i]);
      frozen[i] = false;
      promised[i] = 0;
      ready[i] = 0;
      ready_in[i] = 0;
      said_leave[i] = false;
      log[i] = 0;
      blocked[i] = 0;
      leavers[i] = 0;
      give_up_attempt (i);
      candidates[i] = candidates[i] & ~(dropped[id] | members[id]);
      failed[i] = failed[i] & candidates[i];
      answering[i] = answering[i] & candidates[i];
      for (j : 0 .. N - 1) {
        held_flush REPLY (i, j) = 0;
        if
        :: j == i
        :: j != i && HAS (members[id], j) ->
          /* to who is there already it says nothing */
          if
          :: view[j] < id -> say (j, HERE, id, 0, 0, 0, 0, 0, 0, 0, 0)
          :: else
          fi
        :: j != i && !HAS (members[id] | candidates[i], j) ->
          suspected[i] = suspected[i] & ~BIT (j);
          gone[i] = gone[i] & ~BIT (j);
          empty_link (j, i)
        :: else
        fi
      }
    fi
  fi
}

/* ---- the coordinator ---- */

inline start_attempt ()
{
  /* Attempts come to an end: members do not bid against each other for ever. */
  assert (highest[i] < NUMBERS);
  give_up_attempt (i);
  highest[i]++;
  promised[i] = ID (highest[i], i);
  frozen[i] = true;
  phase[i] = GATHER;
  for (j : 0 .. N - 1) {
    if
    :: IN_VIEW (i, j) && !IS_LOST (i, j) ->
      taking_part[i] = taking_part[i] | BIT (j);
      if
      :: j != i -> say (j, FLUSH, view[i], promised[i], 0, 0, 0, 0, 0, 0, 0)
      :: else
      fi
    :: else
    fi
  }
  printf ("%c:   starts attempt %d%c with ", NAME (i), highest[i], NAME (i));
  print_set (taking_part[i]);
  printf ("\n");
  all_formed[i] = formed[i];
  all_doubtful[i] = doubtful[i];
  answered[i] = BIT (i);
  leaving_reply[i] = said_leave[i] << i;
  reply_log REPLY (i, i) = log[i];
  reply_submitted REPLY (i, i) = submitted[i];
  reply_ready REPLY (i, i) = ready[i];
  reply_ready_in REPLY (i, i) = ready_in[i];
  todo = GATHERED
}

inline fetch (from, what, held)
{
  phase[i] = FETCHING;
  source[i] = from;
  wanted[i] = what;
  wanted_held[i] = held;
  say (from, FETCH, view[i], promised[i], LENGTH (log[i]), what, 0, 0, 0, 0, 0)
}

inline all_flushed ()
{
  best = N;
  for (k : 0 .. N - 1) {
    if
    :: (HAS (taking_part[i], k) && reply_ready REPLY (i, k) > 0
        && !(WHO (reply_ready REPLY (i, k)) == i
            && reply_ready REPLY (i, k) == reply_ready_in REPLY (i, k))
        && (best == N || reply_ready_in REPLY (i, k)
            > reply_ready_in REPLY (i, best))) -> best = k
    :: else
    fi
  }
  if
  :: best < N && reply_ready REPLY (i, best) == ready[i] -> todo = ADOPT
  :: best < N && reply_ready REPLY (i, best) != ready[i] ->
    fetch (best, reply_ready REPLY (i, best), LENGTH (reply_log REPLY (i, best)))
  :: else ->
    best = i;
    for (k : 0 .. N - 1) {
      if
      :: (HAS (taking_part[i], k) && LENGTH (reply_log REPLY (i, k))
          > LENGTH (reply_log REPLY (i, best))) -> best = k
      :: else
      fi
    }
    if
    :: best == i -> todo = PROPOSE_NEW
    :: else -> fetch (best, 0, LENGTH (reply_log REPLY (i, best)))
    fi
  fi
}

inline propose_new ()
{
  id = promised[i];
  acking[id] = taking_part[i];
  members[id] = ((taking_part[i] & ~leaving_reply[i])
      | (answering[i] & candidates[i] & ~failed[i] & ~suspected[i]));
  dropped[id] = failed[i] & candidates[i];
  cut[id] = log[i];
  left_view[id] = view[i];
#ifdef PLAIN
  was_formed[id] = formed[i];
#endif
  find_primary (0, members[id]);
  primary[id] = turn;
  appended[id] = 0;
  for (j : 0 .. N - 1) {
    if
    :: HAS (taking_part[i], j) ->
      /* The first of what it did not hear to be ordered may have been. */
      x = COUNT_BY (log[i], j) - COUNT_BY (reply_log REPLY (i, j), j);
      for (k : 0 .. 1) {
        if
        :: k >= x && k < LENGTH (reply_submitted REPLY (i, j)) ->
          appended[id] = PUT (appended[id],
              ITEM (reply_submitted REPLY (i, j), k))
        :: else
        fi
      }
    :: else
    fi
  }
  ready[i] = id
}

/* Who holds a view ready, or may, goes on as it says. But a primary one that was
 * not brought about by a quorum is not brought about by less than one: then this
 * part goes on by a view of its own, with the same messages. */
inline adopt ()
{
  x = ready[i];
  taking_part[i] = taking_part[i] & acking[x];
#ifndef PLAIN
  find_primary (x, 0);
  if
  :: primary[x] && !turn ->
    id = promised[i];
    acking[id] = taking_part[i];
    members[id] = ((taking_part[i] & ~leaving_reply[i])
        | (answering[i] & candidates[i] & ~failed[i] & ~suspected[i]));
    dropped[id] = failed[i] & candidates[i];
    cut[id] = cut[x];
    appended[id] = appended[x];
    left_view[id] = view[i];
    primary[id] = false;
    ready[i] = id
  :: else
  fi
#endif
}

/* i holds @id ready: from now on it may be installed, here or elsewhere. */
inline hold_ready (its_formed, its_doubtful)
{
  skip;
#ifndef PLAIN
  merge_lineage (formed[i], doubtful[i], its_formed, its_doubtful);
  if
  :: primary[id] && id > formed[i] -> doubtful[i] = doubtful[i] | VIEW_BIT (id)
  :: else
  fi
#endif
}

/* ready[i] is to be held ready by all who take part in it, and by newcomers. */
inline propose ()
{
  id = ready[i];
  ready_in[i] = promised[i];
  hold_ready (all_formed[i], all_doubtful[i]);
  taking_part[i] = taking_part[i] | (members[id] & ~members[view[i]]);
  phase[i] = PREPARING;
  printf ("%c:   proposes ", NAME (i));
  print_view ();
  printf (" under attempt %d%c\n", NUMBER (promised[i]), NAME (i));
  for (j : 0 .. N - 1) {
    if
    :: j != i && HAS (taking_part[i], j) ->
      say (j, PREPARE, view[i], promised[i], id,
          LENGTH (reply_log REPLY (i, j)), 0, 0, 0, all_formed[i],
          all_doubtful[i])
    :: else
    fi
  }
  forget_replies (i);
  answered[i] = BIT (i);
  todo = CHECK_ACKS
}

inline commit ()
{
  for (j : 0 .. N - 1) {
    if
    :: j != i && HAS (taking_part[i], j) ->
      say (j, COMMIT, view[i], promised[i], 0, 0, 0, 0, 0, 0, 0)
    :: else
    fi
  }
  todo = INSTALL
}

/* Who holds a view ready that this one cannot go to is on its way there. */
inline give_up_source ()
{
  for (k : 0 .. N - 1) {
    if
    :: (k != i && HAS (taking_part[i], k) && (k == source[i]
        || (wanted[i] > 0 && reply_ready REPLY (i, k) == wanted[i]))) ->
      gone[i] = gone[i] | BIT (k)
    :: else
    fi
  }
  todo = START
}

#define IS_WAITED_FOR(me, who) \
    (phase[me] == FETCHING -> (who) == source[me] : \
        phase[me] != NO_ATTEMPT && HAS (taking_part[me] & ~answered[me], who))

inline watch_attempt ()
{
  in_vain = false;
  for (k : 0 .. N - 1) {
    if
    :: IS_WAITED_FOR (i, k) && IS_LOST (i, k) ->
      if
      :: IN_VIEW (i, k) -> in_vain = true
      :: else ->
        failed[i] = failed[i] | (candidates[i] & BIT (k));
        /* Who is new in an adopted view need not answer. */
        if
        :: ready[i] == promised[i] -> in_vain = true
        :: else -> answered[i] = answered[i] | BIT (k)
        fi
      fi
    :: else
    fi
  }
  if
  :: in_vain -> todo = START
  :: !in_vain && phase[i] == PREPARING && (taking_part[i] & ~answered[i]) == 0 ->
    todo = CHECK_ACKS
  :: else
  fi
}

/* ---- a member's part ---- */

inline accept_flush (from, attempt)
{
  give_up_attempt (i);
  gone[i] = gone[i] & ~BIT (from);
  promised[i] = attempt;
  frozen[i] = true;
  say (from, FLUSHED, view[i], attempt, log[i] * 9 + submitted[i], ready_in[i],
      ready[i], (candidates[i] & ~failed[i]) + (wants_to_leave[i] << 7),
      highest[i], formed[i], doubtful[i]);
  highest[i] = (NUMBER (attempt) > highest[i] -> NUMBER (attempt) : highest[i])
}

inline handle_flush ()
{
  find_turn (i, f);
  if
  :: (state[i] != MEMBER || !IN_VIEW (i, f) || WHO (a) != f
      || NUMBER (a) <= NUMBER (view[i]))
  :: else ->
    if
    :: a <= promised[i] ->
      say (f, REFUSED, view[i], a, 0, 0, 0, 0, highest[i], 0, 0)
    :: a > promised[i] && turn -> accept_flush (f, a)
    :: else ->
      held_flush REPLY (i, f) = a;
      highest[i] = (NUMBER (a) > highest[i] -> NUMBER (a) : highest[i])
    fi
  fi
}

#define IS_REPLY(in) \
    (phase[i] == (in) && a == promised[i] && HAS (taking_part[i], f))

inline handle_prepare ()
{
  if
  :: phase[i] != NO_ATTEMPT || WHO (a) != f || (state[i] == JOINING
          -> a < promised[i] : !frozen[i] || a != promised[i])
  :: else ->
    if
    :: state[i] == MEMBER -> extend_log (i, cut[x], y)
    :: else
    fi;
    if
    :: (state[i] == MEMBER -> LENGTH (cut[x]) == LENGTH (log[i])
            && HAS (acking[x], i) : HAS (members[x], i)) ->
      promised[i] = a;
      ready[i] = x;
      ready_in[i] = a;
      id = x;
      hold_ready (fm, db);
      say (f, PREPARED, v, a, 0, 0, 0, 0, 0, 0, 0)
    :: else
    fi
  fi
}

inline handle_change ()
{
  if
  :: kind == FLUSH -> handle_flush ()
  :: kind == FLUSHED && IS_REPLY (GATHER) && !HAS (answered[i], f) ->
    answered[i] = answered[i] | BIT (f);
    reply_log REPLY (i, f) = x / 9;
    reply_submitted REPLY (i, f) = x % 9;
    reply_ready_in REPLY (i, f) = y;
    reply_ready REPLY (i, f) = z;
    leaving_reply[i] = leaving_reply[i] | ((w >> 7) << f);
    candidates[i] = candidates[i] | ((w & 127) & ~members[view[i]]);
    highest[i] = (h > highest[i] -> h : highest[i]);
#ifndef PLAIN
    merge_lineage (all_formed[i], all_doubtful[i], fm, db);
#endif
    todo = GATHERED
  :: kind == REFUSED && IS_REPLY (GATHER) && h >= NUMBER (promised[i]) ->
    highest[i] = (h > highest[i] -> h : highest[i]);
#ifdef PATIENT
    find_turn (i, i);
    if
    :: turn -> todo = START
    :: else
    fi
#else
    todo = START
#endif
  :: kind == FETCH && frozen[i] && WHO (a) == f && a == promised[i] ->
    say (f, SHOWN, view[i], a, log[i],
        (ready[i] == y) * y, 0, 0, 0, 0, 0)
  :: kind == SHOWN && IS_REPLY (FETCHING) && source[i] == f ->
    extend_log (i, x, 0);
    if
    :: wanted[i] == 0 && LENGTH (log[i]) == wanted_held[i] -> todo = PROPOSE_NEW
    :: (wanted[i] > 0 && y == wanted[i] && LENGTH (cut[y]) == LENGTH (log[i])
        && HAS (acking[y], i)) ->
      ready[i] = y;
      todo = ADOPT
    :: else -> give_up_source ()
    fi
  :: kind == PREPARE -> handle_prepare ()
  :: kind == PREPARED && IS_REPLY (PREPARING) && !HAS (answered[i], f) ->
    answered[i] = answered[i] | BIT (f);
    todo = CHECK_ACKS
  :: (kind == COMMIT && ready[i] > 0 && WHO (a) == f && a == promised[i]
      && a == ready_in[i]) -> todo = INSTALL
  :: else
  fi
}

/* the first of the view */
#define SEQUENCER(me) (!IN_VIEW (me, 0) \
    * (1 + !IN_VIEW (me, 1) * (1 + !IN_VIEW (me, 2))))

/* The sequencer gives @item its place. */
inline order (item)
{
  log[i] = PUT (log[i], item);
  if
  :: submitted[i] % 3 == item -> submitted[i] = submitted[i] / 3
  :: else
  fi;
  for (j : 0 .. N - 1) {
    if
    :: j != i && IN_VIEW (i, j) -> say (j, ORDER, view[i], 0, item, 0, 0, 0, 0, 0, 0)
    :: else
    fi
  }
}

inline handle_order ()
{
  if
  :: kind == LEAVE -> leavers[i] = leavers[i] | BIT (f)
  :: kind == SUBMIT && !frozen[i] && SEQUENCER (i) == i -> order (x)
  :: kind == ORDER && !frozen[i] && SEQUENCER (i) == f ->
    log[i] = PUT (log[i], x);
    if
    :: submitted[i] % 3 == x -> submitted[i] = submitted[i] / 3
    :: else
    fi
  :: else
  fi
}

/* Its sender went to a view that this one is not in yet: the message stays. */
inline handle_ahead ()
{
  if
  :: ready[i] > 0 && ready[i] == v -> todo = INSTALL
  :: else ->
    blocked[i] = blocked[i] | BIT (f);
    if
    :: state[i] == MEMBER && IN_VIEW (i, f) && !HAS (gone[i], f) ->
      gone[i] = gone[i] | BIT (f);
      told_out[i] = told_out[i] || (kind == HERE && primary[v])
    :: else
    fi
  fi
}

inline take_message ()
{
  LINK (f, i) ? < kind, v, a, x, y, z, w, h, fm, db >;
  printf ("%c: from %c ", NAME (i), NAME (f));
  print_kind ();
  printf ("\n");
  suspected[i] = suspected[i] & ~BIT (f);
  if
  :: (HAS_LINK (i, f) && ((state[i] == JOINING && kind < FLUSH)
      || (state[i] == MEMBER && v > view[i]))) -> handle_ahead ()
  :: else ->
    LINK (f, i) ? kind, v, a, x, y, z, w, h, fm, db;
    if
    :: !HAS_LINK (i, f)
    :: HAS_LINK (i, f) && state[i] == MEMBER && v < view[i] ->
      if
      :: kind == FLUSH -> say (f, HERE, view[i], 0, 0, 0, 0, 0, 0, 0, 0)
      :: else
      fi
    :: HAS_LINK (i, f) && state[i] == MEMBER && v == view[i] && kind < FLUSH ->
      handle_order ()
    :: else -> handle_change ()
    fi
  fi
}

/* ---- what follows ---- */

inline say_leave ()
{
  if
  :: wants_to_leave[i] && !said_leave[i] && !frozen[i] ->
    said_leave[i] = true;
    for (j : 0 .. N - 1) {
      if
      :: j != i && IN_VIEW (i, j) -> say (j, LEAVE, view[i], 0, 0, 0, 0, 0, 0, 0, 0)
      :: else
      fi
    }
  :: else
  fi
}

/* needed = somebody bids more than this member follows; or is out */
inline look_around ()
{
  say_leave ();
  needed = false;
  for (j : 0 .. N - 1) {
    if
    :: held_flush REPLY (i, j) > promised[i] ->
      find_turn (i, j);
      if
      :: turn ->
        accept_flush (j, held_flush REPLY (i, j));
        held_flush REPLY (i, j) = 0
      :: !turn && !IS_LOST (i, j) -> needed = true
      :: else
      fi
    :: else
    fi
  }
  /* What was outbid by one of them now is of no account any more. */
  for (j : 0 .. N - 1) {
    if
    :: held_flush REPLY (i, j) <= promised[i] -> held_flush REPLY (i, j) = 0
    :: else
    fi
  }
  if
  :: phase[i] != NO_ATTEMPT && needed -> todo = START
  :: phase[i] != NO_ATTEMPT && !needed -> watch_attempt ()
  :: else ->
    find_coordinator (i);
    for (k : 0 .. N - 1) {
      needed = needed || (IN_VIEW (i, k)
          && (IS_LOST (i, k) || IS_LEAVING (i, k)))
    }
    if
    :: (best == i && (needed || frozen[i]
        || (answering[i] & candidates[i] & ~failed[i] & ~suspected[i]) != 0)) ->
      todo = START
    :: else
    fi
  fi;
  if
  :: todo == NOTHING && told_out[i] && wants_to_leave[i] -> end (i)
  :: else
  fi
}

/* A message that changes nothing, now or later, is taken at once: fewer states,
 * and none that matters less. */
#define IS_IDLE(to) ( \
    state[to] == MEMBER && (v < view[to] && kind != FLUSH || v == view[to] && ( \
        kind == HERE || (kind == SUBMIT || kind == ORDER) && frozen[to] \
        || (kind == PREPARE || kind == COMMIT || kind == FETCH) \
            && a < promised[to] \
        || (kind == FLUSHED || kind == PREPARED || kind == REFUSED \
                || kind == SHOWN) \
            && (a != promised[to] || phase[to] == NO_ATTEMPT))) \
    || state[to] == JOINING && kind >= FLUSH \
        && (kind != PREPARE && kind != COMMIT || a < promised[to]))

inline drop_idle (from, to)
{
  do
  :: len (LINK (from, to)) > 0 ->
    LINK (from, to) ? < kind, v, a, x, y, z, w, h, fm, db >;
    if
    :: IS_IDLE (to) -> LINK (from, to) ? _, _, _, _, _, _, _, _, _, _;
      blocked[to] = blocked[to] & ~BIT (from)
    :: else -> break
    fi
  :: else -> break
  od
}

/* From what one input brought about to where nothing is left to be done. */
inline finish_step ()
{
  do
  :: todo == START -> start_attempt ()
  :: todo == GATHERED ->
    todo = NOTHING;
    if
    :: (taking_part[i] & ~answered[i]) == 0 -> all_flushed ()
    :: else
    fi;
    if
    :: todo == NOTHING -> todo = RUN
    :: else
    fi
  :: todo == PROPOSE_NEW -> propose_new (); propose ()
  :: todo == ADOPT -> adopt (); propose ()
  :: todo == CHECK_ACKS ->
    if
    :: (taking_part[i] & ~answered[i]) == 0 -> commit ()
    :: else -> todo = RUN
    fi
  :: todo == INSTALL -> install (); todo = RUN
  :: todo == NOTHING -> todo = RUN
  :: todo == RUN ->
    todo = NOTHING;
    if
    :: state[i] == MEMBER -> look_around ()
    :: else
    fi;
    if
    :: todo == NOTHING -> break
    :: else
    fi
  od;
  for (j : 0 .. N - 1) {
    if
    :: j != i -> drop_idle (i, j); drop_idle (j, i)
    :: else
    fi
  };
  todo = NOTHING
}

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
    && (!HAS (gone[me], who) || (primary[view[who]] && !told_out[me]))

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
      told_out[i] = told_out[i] || primary[view[f]];
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
