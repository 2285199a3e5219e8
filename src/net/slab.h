/**
 * Slabs: what a piece of a convolution's grid sees of the source, brought into
 * the cache in the order in which it is multiplied.
 *
 * Position (n, i, j) of a grid sees R x S taps, tap (a, b) being the C channels
 * of source pixel (n, i * step + row + a, j * step + column + b), zeros outside
 * the image.  Forward, the grid is the output and the source the input;
 * backward, the grid is one residue class of the input and the source the
 * output's gradient.
 *
 * The grid is cut into pieces, by its shape alone: a few samples, rows and
 * columns.  A piece's slab holds each source pixel that it sees once, in blocks
 * of 64 channels.  Within a block the columns of a row lie side by side, the
 * samples of the piece one behind the other at each column, and columns of
 * different residue by the step apart.  So, for a tap and a row of the grid,
 * the positions follow one another at a constant distance: they are the rows of
 * a matrix where they lie, and a sum over taps is a sum of products.
 *
 *   (block, source row, column % step, column / step, sample, channel)
 *
 * Where there are few channels (narrow), a pixel of the slab is what the S taps
 * of a row see: S * C values, and there is one tap per row left.
 *
 * A slab is of what the kernels take (gd_gemm_takes()): floats, or bf16 numbers
 * as they are.  What is computed on the way into it is rounded to the source's
 * precision: a product of two numbers of a slab is one of two such numbers.
 */
#ifndef GRADUS_NET_SLAB_H
#define GRADUS_NET_SLAB_H

#include <stdint.h>

#include "gradus/conv.h"
#include "net/workspace.h"

typedef struct {
  int N, rows, columns;   /**< the grid */
  int H, W, C;            /**< the source, (N, H, W, C) */
  gd_precision precision; /**< of the source */
  int step;               /**< source pixels from one position to the next */
  int row, column; /**< the first tap's, seen from (i * step, j * step) */
  int R, S;        /**< taps; 0 x 0: nothing is seen */
} gd_patches;

/** Say whether each pixel of the source is seen once, in order, by one tap. */
int gd_patches_are_source(const gd_patches *p);

/** Blocks of channels: whole ones of GD_BLOCK, and a rest, or a narrow one. */
typedef struct {
  int n_whole, rest;
  int rest_pitch; /**< numbers from pixel to pixel of the rest's block */
  int narrow;     /**< the rest is what a row of taps sees */
} gd_channels;

gd_channels gd_channels_of(int C, int S);

/** How a grid is cut. */
typedef struct {
  int samples, rows, columns; /**< of a piece, at most */
  int n_groups, n_bands, n_spans;
  int tile; /**< kind of the products of a row: gd_tiles[tile] positions */
} gd_cut;

/** Rows of a product; with 4 vectors of columns, runs of 7 fill the registers
 * of AVX-512.  Two families in turns, each half the one before. */
enum { GD_N_TILES = 6 };
extern const int gd_tiles[GD_N_TILES];

/** Cut into pieces of at most `positions` whose slabs of C channels have at
 * most `floats` where that can be, and GD_SLAB_FLOATS in any case. */
gd_cut gd_cut_of(const gd_patches *p, int C, int positions, int64_t floats);
int gd_cut_n_pieces(const gd_cut *c);
/** The work of a piece with blocks b0..b1 of columns. */
typedef void gd_piece_run(const void *context, gd_scratch scratch, int i_piece,
                          int b0, int b1);
/**
 * Run all pieces on the workspace's threads, with all blocks of columns: in one
 * go, or, where the pieces are too few for the threads, in several tasks. Every
 * block is the same work in any case, so this may depend on the number of
 * threads: the bits do not.
 */
void gd_cut_run(const gd_cut *c, int n_blocks, const gd_workspace *ws,
                gd_piece_run *run, const void *context);

/** One piece: samples n0.. , rows i0.., columns j0.. of the grid. */
typedef struct {
  int n0, n, i0, rows, j0, columns;
} gd_piece;

gd_piece gd_cut_piece(const gd_cut *c, const gd_patches *p, int i);

/** What a slab is of.  In pairs, pixels 2p and 2p + 1 share their place,
 * channel by channel: the transposed A of a kernel of bf16.  These are of
 * a source of bf16 that is seen as it is, with a step of 1. */
typedef enum { GD_SLAB_FP32, GD_SLAB_BF16, GD_SLAB_BF16_PAIRS } gd_slab_form;

/** Where things lie in the slab of a piece. */
typedef struct {
  gd_slab_form form;
  gd_channels channels;
  int n_rows, planes, plane_columns, n; /**< n: samples */
  int pitch;          /**< pixels from one source row to the next */
  int row_pixels;     /**< from one row of the grid to the next */
  int64_t next_block; /**< numbers from one block of channels to the next */
} gd_slab;

/**
 * Lay out the slab of `channels`.
 * @param[in] multiple  a source row is filled up with zeros to as many pixels,
 *                      for pairs an even number
 */
gd_slab gd_slab_of(const gd_patches *p, const gd_piece *piece,
                   const gd_channels *channels, gd_slab_form form,
                   int multiple);
/** Return the first pixel that tap (a, b) sees. */
int64_t gd_slab_pixel(const gd_slab *s, const gd_patches *p, int a, int b);

/**
 * Bring channels c0.. of the source (as many as the layout has).
 * @param[out] numbers  what no position sees is left as it is, but for the
 * first GD_MOST_TILE pixels of a row that is not seen, as many behind the last
 * one, and an odd rest's next channel, which are zero
 */
void gd_slab_fill(const gd_slab *s, const gd_patches *p, const gd_piece *piece,
                  const gd_conv_source *source, int c0, void *numbers);

#endif
