#include "bravis-processor.h"

#if defined (__aarch64__)
#include <sys/auxv.h>
#endif

gboolean
bravis_processor_has_aes (void)
{
#if defined (__x86_64__) || defined (__i386__)
  return __builtin_cpu_supports ("aes") && __builtin_cpu_supports ("pclmul");
#elif defined (__aarch64__)
  const unsigned long needed = HWCAP_AES | HWCAP_PMULL;

  return (getauxval (AT_HWCAP) & needed) == needed;
#else
  return FALSE;
#endif
}
