/* Signed commands: one's own until they are delivered, everybody's at delivery, and
 * leaving, which is one. */
#include "bravis-conference-private.h"

#include "bravis-command.h"
#include "bravis-session.h"

#define MAX_WAITING 64                  /* commands of one's own */

static void
free_command (gpointer command)
{
  bravis_command_clear (command);
  g_free (command);
}

void
bravis_conference_init_commands (BravisConference *conference)
{
  g_queue_init (&conference->commands);
  conference->heard_commands = g_array_new (FALSE, TRUE, sizeof (guint32));
  conference->leaving = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
}

void
bravis_conference_clear_commands (BravisConference *conference)
{
  g_queue_clear_full (&conference->commands, free_command);
  g_array_unref (conference->heard_commands);
  g_array_unref (conference->leaving);
}

void
bravis_conference_forget_commands (BravisConference *conference)
{
  g_queue_clear_full (&conference->commands, free_command);
  conference->last_command = 0;
}

/* --- one's own --- */

/* Signs @command for the present view, as the next in it. */
static gboolean
say (BravisConference *conference, BravisCommand *command, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;

  command->view = gcp_view_get_number (conference->view);
  command->sequence = conference->last_command + 1;
  bytes = bravis_command_sign (command, conference->identity, conference->name,
      conference->own->card->id, error);
  if (!bytes)
    return FALSE;
  conference->last_command++;
  bravis_conference_multicast (conference, bytes, GCP_SAFE);
  return TRUE;
}

gboolean
bravis_conference_give_command (BravisConference *conference, guint kind,
    GBytes *body, GError **error)
{
  BravisCommand *command = g_new0 (BravisCommand, 1);

  command->kind = kind;
  command->body = g_bytes_ref (body);
  if (!say (conference, command, error)) {
    free_command (command);
    return FALSE;
  }
  g_queue_push_tail (&conference->commands, command);
  return TRUE;
}

gboolean
bravis_conference_command (BravisConference *conference, guint kind,
    GBytes *body, gint64 now, GError **error)
{
  if (conference->state != BRAVIS_CONFERENCE_MEMBER || !conference->view) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "this peer is no member of a conference");
    return FALSE;
  }
  if (kind == 0 || (kind > BRAVIS_COMMAND_PUT_OUT
          && kind < BRAVIS_COMMAND_APPLICATION) || kind > G_MAXUINT8
      || g_bytes_get_size (body) > BRAVIS_MAX_COMMAND
      || conference->commands.length >= MAX_WAITING) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "cannot give command %u of %" G_GSIZE_FORMAT " octets: expected a kind of 1 "
        "to 5 or 16 to 255, at most %d octets, and at most %d that are on their way",
        kind, g_bytes_get_size (body),
        BRAVIS_MAX_COMMAND, MAX_WAITING);
    return FALSE;
  }
  if (!bravis_conference_give_command (conference, kind, body, error))
    return FALSE;
  bravis_conference_tick (conference, now, conference->wall_clock);
  return TRUE;
}

/* What the session itself said of this view it says anew of the next, if it is still
 * so: bravis-conference-validity.c. */
static void
drop_expired (BravisConference *conference)
{
  GList *link = conference->commands.head;

  while (link) {
    GList *next = link->next;
    BravisCommand *command = link->data;

    if (command->kind == BRAVIS_COMMAND_EXPIRED) {
      free_command (command);
      g_queue_delete_link (&conference->commands, link);
    }
    link = next;
  }
}

void
bravis_conference_renew_commands (BravisConference *conference)
{
  drop_expired (conference);
  conference->last_command = 0;
  g_array_set_size (conference->leaving, 0);
  g_array_set_size (conference->heard_commands, 0);
  g_array_set_size (conference->heard_commands,
      gcp_view_get_n_members (conference->view));
  for (GList *link = conference->commands.head; link; link = link->next) {
    GError *error = NULL;

    if (!say (conference, link->data, &error)) {
      bravis_conference_push_refused (conference,
          bravis_conference_own_name (conference), NULL, error);
      break;
    }
  }
}

/* --- delivery --- */

/* One's own is what one has signed, and nothing else. */
static gboolean
is_own (BravisConference *conference, const BravisCommand *command)
{
  const BravisCommand *first = g_queue_peek_head (&conference->commands);

  return first && first->sequence == command->sequence
      && g_bytes_equal (first->signature, command->signature)
      && g_bytes_equal (first->body, command->body)
      && first->kind == command->kind;
}

static gboolean
is_proven (BravisConference *conference, GcpMemberId from,
    const BravisCommand *command, GError **error)
{
  BravisContact *contact;

  if (from == conference->own->card->id) {
    if (is_own (conference, command))
      return TRUE;
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_SIGNATURE,
        "somebody gave a command in this peer's name");
    return FALSE;
  }
  contact = bravis_contacts_find (conference->contacts, from);
  return contact && bravis_command_verify (command, conference->name, from,
      contact->card->certificate, error);
}

/* Whose turn it is not was repeated, or stands behind one that was left out. */
static gboolean
is_next (BravisConference *conference, gint index,
    const BravisCommand *command, GError **error)
{
  if (command->sequence == g_array_index (conference->heard_commands, guint32,
          index) + 1)
    return TRUE;
  g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
      "a command in its name is repeated, or one is left out");
  return FALSE;
}

static void
take (BravisConference *conference, GcpMemberId from, BravisCommand *command)
{
  if (command->kind == BRAVIS_COMMAND_LEAVE)
    g_array_append_val (conference->leaving, from);
  else if (command->kind == BRAVIS_COMMAND_EXPIRED)
    bravis_conference_deliver_expired (conference, from, command->body);
  else
    bravis_conference_push (conference, (BravisConferenceOutput) {
        .type = BRAVIS_CONFERENCE_COMMAND, .member = from,
        .command_kind = command->kind,
        .bytes = g_steal_pointer (&command->body) });
}

/* One that was given in another view is given anew by an honest member. Who
 * forged what does not verify is not known: whoever orders the messages could. */
void
bravis_conference_deliver_command (BravisConference *conference,
    GcpMemberId from, GBytes *bytes)
{
  gint index = gcp_view_find (conference->view, from);
  g_auto (BravisCommand) command = { 0 };
  GError *error = NULL;

  if (!bravis_command_read (&command, bytes)
      || command.view != gcp_view_get_number (conference->view)
      || (guint) index >= conference->heard_commands->len)
    return;
  if (!is_proven (conference, from, &command, &error)
      || !is_next (conference, index, &command, &error)) {
    bravis_conference_push_refused (conference,
        bravis_conference_name_of (conference, from), NULL, error);
    return;
  }
  g_array_index (conference->heard_commands, guint32, index)++;
  if (from == conference->own->card->id)
    free_command (g_queue_pop_head (&conference->commands));
  take (conference, from, &command);
}

/* --- leaving --- */

void
bravis_conference_leave_group (BravisConference *conference)
{
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);

  if (conference->view)
    bravis_conference_give_command (conference, BRAVIS_COMMAND_LEAVE, nothing,
        NULL);
  bravis_conference_empty_outbox (conference);
  bravis_conference_submit_last_messages (conference);
  conference->state = BRAVIS_CONFERENCE_LEAVING;
  bravis_door_set_open (conference->door, FALSE);
  gcp_engine_leave (conference->engine, conference->now);
}

static gboolean
said_so (BravisConference *conference, GcpMemberId id)
{
  for (guint i = 0; i < conference->leaving->len; i++)
    if (g_array_index (conference->leaving, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

GArray *
bravis_conference_judge_departures (BravisConference *conference,
    GArray *departures)
{
  GArray *judged = g_array_new (FALSE, FALSE, sizeof (GcpDepartureRecord));

  for (guint i = 0; departures && i < departures->len; i++) {
    GcpDepartureRecord record = g_array_index (departures, GcpDepartureRecord, i);

    if (record.why == GCP_LEFT && !said_so (conference, record.id))
      record.why = GCP_FAILED;
    g_array_append_val (judged, record);
  }
  return judged;
}
