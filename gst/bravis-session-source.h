/* bravis-session-source.h: a session's epochs, for senders and receivers */
#pragma once

#include "bravis-epoch-source.h"
#include "../keymgmt/bravis-session.h"

G_BEGIN_DECLS

/* Holds a reference to @session until it is cleared. */
BravisEpochSource bravis_session_epoch_source (BravisSession *session);

G_END_DECLS
