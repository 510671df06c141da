/* What is printed when a trail is replayed: tools/check-model shows it. */

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
