/* gcp-fault.h: faults that the tests put into the engine
 *
 * A checker that never finds anything shows nothing. So the engine can be built
 * with faults, each at one place and each such that virtual synchrony breaks:
 * with GCP_WITH_FAULTS, which only tests/sim defines, gcp_fault says which one it
 * has. In every other build GCP_FAULT () is a constant, and nothing is left of it.
 */
#pragma once

#include <glib.h>

#ifdef GCP_WITH_FAULTS

typedef enum {
  GCP_FAULT_NONE,
  /* links */
  GCP_FAULT_LOST_FORGOTTEN,     /* what is lost is not sent again */
  /* within a view */
  GCP_FAULT_SAFE_AS_AGREED,     /* safe messages are delivered like agreed ones */
  GCP_FAULT_RECEIPT_TOO_HIGH,   /* a receipt is taken for more than it says */
  GCP_FAULT_LAST_FIRST,         /* own messages are sent in the opposite order */
  GCP_FAULT_LOG_FORGETFUL,      /* messages are forgotten before all hold them */
  GCP_FAULT_PENDING_KEPT,       /* messages of an older view count in this one */
  GCP_FAULT_BEGUN_FORGOTTEN,    /* half of an own message is not sent again */
  GCP_FAULT_BEGUN_CONTINUED,    /* ... though there are newcomers, who lack the
                                 * other half */
  GCP_FAULT_IMPATIENT,          /* a short silence is a crash */
  /* from one view to the next */
  GCP_FAULT_CUT_TOO_SHORT,      /* ends with what the coordinator holds itself */
  GCP_FAULT_CUT_NOT_DELIVERED,  /* what waits to become safe is dropped */
  GCP_FAULT_APPENDED_TWICE,     /* what was ordered meanwhile is appended too */
  GCP_FAULT_APPENDED_MIXED,     /* everybody has an order of its own */
  GCP_FAULT_NOT_APPENDED,       /* left over messages go to the next view */
  GCP_FAULT_COMMIT_EARLY,       /* views are installed that not all hold ready */
  GCP_FAULT_PREPARED_FORGOTTEN, /* a view that some may be in is not finished */
  GCP_FAULT_LEFT_IS_FAILED,     /* who left is said to have crashed */
  GCP_FAULT_ALWAYS_PRIMARY,     /* a minority is primary too */
} GcpFault;

extern GcpFault gcp_fault;

#define GCP_FAULT(name) (gcp_fault == GCP_FAULT_ ## name)
#else
#define GCP_FAULT(name) FALSE
#endif
