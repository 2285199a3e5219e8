#include "gradus/drawn_detector.h"

/* The bytes of GRADUS_DRAWN_DETECTOR, the path of models/mtcnn-drawn.h5. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        ".global gd_drawn_detector_begin, gd_drawn_detector_end\n"
        "gd_drawn_detector_begin:\n"
        ".incbin \"" GRADUS_DRAWN_DETECTOR "\"\n"
        "gd_drawn_detector_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const unsigned char gd_drawn_detector_begin[], gd_drawn_detector_end[];

static size_t size_bytes(void)
{
  return (size_t)(gd_drawn_detector_end - gd_drawn_detector_begin);
}

gd_status gd_drawn_detector_open(gd_weights **out)
{
  return gd_weights_open_bytes("the drawn detector", gd_drawn_detector_begin,
                               size_bytes(), out);
}

gd_digest gd_drawn_detector_digest(void)
{
  return gd_digest_of(gd_drawn_detector_begin, size_bytes());
}
