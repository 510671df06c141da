/* Primary views, and installing one: gcp-lineage.c, gcp-install.c. What GCP
 * promises of views is looked at here, in assertions; the comment above each says
 * what breaks where it fails. */

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
