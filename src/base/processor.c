#include "gradus/processor.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

/* What is compiled so can run on all. */
#ifdef __x86_64__
#define ANYWHERE __attribute__((target("arch=x86-64")))
#else
#define ANYWHERE
#endif

/* Extensions that a compiler uses by itself, from old to new. */
#ifdef __x86_64__
#define NEED(name)                                                             \
  if (!__builtin_cpu_supports(name))                                           \
    return name;

ANYWHERE const char *gd_processor_lacks(void)
{
  __builtin_cpu_init();
#ifdef __SSE3__
  NEED("sse3")
#endif
#ifdef __SSSE3__
  NEED("ssse3")
#endif
#ifdef __SSE4_1__
  NEED("sse4.1")
#endif
#ifdef __SSE4_2__
  NEED("sse4.2")
#endif
#ifdef __POPCNT__
  NEED("popcnt")
#endif
#ifdef __AVX__
  NEED("avx")
#endif
#ifdef __AVX2__
  NEED("avx2")
#endif
#ifdef __FMA__
  NEED("fma")
#endif
#ifdef __BMI__
  NEED("bmi")
#endif
#ifdef __BMI2__
  NEED("bmi2")
#endif
#if defined(__GNUC__) && !defined(__clang__) /* which knows not all names */
#ifdef __LZCNT__
  NEED("lzcnt")
#endif
#ifdef __MOVBE__
  NEED("movbe")
#endif
#ifdef __GFNI__
  NEED("gfni")
#endif
#ifdef __AVXVNNI__
  NEED("avxvnni")
#endif
#endif
#ifdef __AVX512F__
  NEED("avx512f")
#endif
#ifdef __AVX512VL__
  NEED("avx512vl")
#endif
#ifdef __AVX512BW__
  NEED("avx512bw")
#endif
#ifdef __AVX512DQ__
  NEED("avx512dq")
#endif
#ifdef __AVX512CD__
  NEED("avx512cd")
#endif
#ifdef __AVX512IFMA__
  NEED("avx512ifma")
#endif
#ifdef __AVX512VBMI__
  NEED("avx512vbmi")
#endif
#ifdef __AVX512VBMI2__
  NEED("avx512vbmi2")
#endif
#ifdef __AVX512VNNI__
  NEED("avx512vnni")
#endif
#ifdef __AVX512BITALG__
  NEED("avx512bitalg")
#endif
#ifdef __AVX512VPOPCNTDQ__
  NEED("avx512vpopcntdq")
#endif
#ifdef __AVX512BF16__
  NEED("avx512bf16")
#endif
  return NULL;
}
#else
const char *gd_processor_lacks(void)
{
  return NULL;
}
#endif

ANYWHERE int gd_processor_suffices(void)
{
  const char *lacks = gd_processor_lacks();
  if (lacks == NULL)
    return 1;
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  fprintf(stderr,
          "gradus: error: built for processors with %s, which that of %s has "
          "not: build it there; -DGRADUS_ARCH=x86-64-v3 suits most since "
          "2015\n",
          lacks, host);
  return 0;
}
