/* The coordinator's side of the view change: gcp-coordinator.c. */

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

/* Proposed by i, and not by another again: i knows that it did not commit it. */
#define IS_OWN(id, in) (WHO (id) == i && (id) == (in))

/* Own ones do not count, but the messages of another view may be in them. */
#define DOES_COUNT(who) (reply_ready REPLY (i, who) > 0 \
    && (!IS_OWN (reply_ready REPLY (i, who), reply_ready_in REPLY (i, who)) \
        || apart[ready[i]] && reply_ready REPLY (i, who) == ready[i]))

inline all_flushed ()
{
  best = N;
  for (k : 0 .. N - 1) {
    if
    :: (HAS (taking_part[i], k) && DOES_COUNT (k)
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
  :: IS_OWN (x, ready_in[i]) || primary[x] && !turn ->
    apart[promised[i]] = true;
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
  highest[i] = (NUMBER (id) > highest[i] -> NUMBER (id) : highest[i]);
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
