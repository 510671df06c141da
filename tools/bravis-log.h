/* bravis-log.h: `bravis log`, which prints membership logs and checks them */
#pragma once

int bravis_log_main (int argc, char **argv);
