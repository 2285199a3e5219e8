/**
 * Pictures packed into bytes without loss, each on its own, and back.
 *
 *   picture --gd_packer--> bytes (+ a header, equal for equal layouts)
 *   bytes, header, layout --gd_unpacker--> the same planes, bit for bit
 *
 * The bytes are a frame of FFmpeg's codec FFVHUFF: each sample is predicted
 * from those to its left and above, and what remains is written in a Huffman
 * code.  The header is that codec's extradata.  The code is the same for all
 * pictures, made for what camera pictures leave (see the source), so that a
 * picture's bytes depend on nothing but the picture.
 *
 * Where FFVHUFF cannot hold a picture (a pixel format or width that it lacks),
 * or would not make it smaller (noise), the bytes are the planes themselves,
 * row after row without padding.
 *
 * To read them elsewhere, any FFmpeg does; in Python with PyAV:
 *
 *     codec = av.CodecContext.create("ffvhuff", "r")
 *     codec.width, codec.height, codec.extradata = width, height, header
 *     frame = codec.decode(av.Packet(packed))[0]
 */
#ifndef GRADUS_PACKING_H
#define GRADUS_PACKING_H

#include <stddef.h>

#include "gradus/picture.h"
#include "gradus/status.h"

typedef enum { GD_PACKING_PLANES, GD_PACKING_FFVHUFF } gd_packing;

typedef struct {
  gd_packing packing;
  const uint8_t *header; /**< NULL with GD_PACKING_PLANES */
  size_t header_bytes;
  const uint8_t *bytes;
  size_t size_bytes;
} gd_packed;

typedef struct gd_packer gd_packer;
typedef struct gd_unpacker gd_unpacker;

/** Ends with: gd_packer_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_packer_new(gd_packer **out);
/**
 * Pack a picture.  The first one of a layout is unpacked again and compared:
 * what does not come back as it was is kept as planes.
 * @param[out] out  borrowed until the next call
 * Errors: GD_ERR_DECODE (a pixel format that has no planes in memory),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_packer_run(gd_packer *p, const gd_picture *picture,
                                     gd_packed *out);
void gd_packer_free(gd_packer *p); /**< NULL is allowed */

/** Ends with: gd_unpacker_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_unpacker_new(gd_unpacker **out);
/**
 * Unpack a picture.
 * @param[out] out  its planes are borrowed until the next call
 * Errors: GD_ERR_FORMAT (the bytes do not hold a picture of that layout),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_unpacker_run(gd_unpacker *u,
                                       const gd_picture_layout *layout,
                                       const gd_packed *packed,
                                       gd_picture *out);
void gd_unpacker_free(gd_unpacker *u); /**< NULL is allowed */

/** Return the bytes of a layout's planes without padding; 0 if it has none. */
size_t gd_picture_planes_bytes(const gd_picture_layout *layout);

#endif
