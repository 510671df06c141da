/* A member's side of the view change, and what follows from one input, up to where
 * nothing is left to be done: gcp-change.c, gcp-order.c, gcp-engine.c. */

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
      ready_in[i] = reply_ready_in REPLY (i, f);
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
      gone[i] = gone[i] | BIT (f)
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
      :: kind == FLUSH && IN_VIEW (i, f) -> say (f, HERE, view[i], 0, 0, 0, 0, 0, 0, 0, 0)
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
