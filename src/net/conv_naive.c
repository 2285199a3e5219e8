/* The definitions of convolution and its gradients, by one walk over all that
 * meets: no cleverness here. */
#include "gradus/conv.h"

#include <stddef.h>

/* What is met when kernel element (r, s) lies over output pixel (n, p, q). */
typedef struct {
  int n, p, q, r, s;
  ptrdiff_t x; /* first channel of the input pixel; -1 outside the image */
  ptrdiff_t y; /* first channel of the output pixel */
} meeting;

typedef struct {
  gd_conv_shape f;
  const double *x, *weights, *dy; /* what a pass reads */
  double *y, *dx, *dweights;      /* what it adds to, NULL if it does not */
} pass;

static void meet(const pass *a, const meeting *m)
{
  const gd_conv_shape f = a->f;
  for (int k = 0; k < f.K; k++)
    for (int c = 0; c < f.C; c++) {
      const ptrdiff_t w = (((ptrdiff_t)k * f.C + c) * f.R + m->r) * f.S + m->s;
      if (a->y != NULL)
        a->y[m->y + k] += a->weights[w] * a->x[m->x + c];
      if (a->dx != NULL)
        a->dx[m->x + c] += a->weights[w] * a->dy[m->y + k];
      if (a->dweights != NULL)
        a->dweights[w] += a->x[m->x + c] * a->dy[m->y + k];
    }
}

static void walk(const pass *a, gd_conv_input in)
{
  const gd_conv_shape f = a->f;
  const int P = gd_conv_out_H(f, in.H);
  const int Q = gd_conv_out_W(f, in.W);
  meeting m;
  for (m.n = 0; m.n < in.N; m.n++)
    for (m.p = 0; m.p < P; m.p++)
      for (m.q = 0; m.q < Q; m.q++)
        for (m.r = 0; m.r < f.R; m.r++)
          for (m.s = 0; m.s < f.S; m.s++) {
            const int h = m.p * f.stride + m.r - f.pad;
            const int w = m.q * f.stride + m.s - f.pad;
            if (h < 0 || h >= in.H || w < 0 || w >= in.W)
              continue;
            m.x = (((ptrdiff_t)m.n * in.H + h) * in.W + w) * f.C;
            m.y = (((ptrdiff_t)m.n * P + m.p) * Q + m.q) * f.K;
            meet(a, &m);
          }
}

void gd_conv_forward_naive(gd_conv_shape f, gd_conv_input in, const double *x,
                           const double *weights, const double *bias, double *y)
{
  const ptrdiff_t pixels =
      (ptrdiff_t)in.N * gd_conv_out_H(f, in.H) * gd_conv_out_W(f, in.W);
  for (ptrdiff_t i = 0; i < pixels * f.K; i++)
    y[i] = bias == NULL ? 0.0 : bias[i % f.K];
  walk(&(pass){.f = f, .x = x, .weights = weights, .y = y}, in);
}

void gd_conv_backward_data_naive(gd_conv_shape f, gd_conv_input in,
                                 const double *dy, const double *weights,
                                 double *dx)
{
  const ptrdiff_t count = (ptrdiff_t)in.N * in.H * in.W * f.C;
  for (ptrdiff_t i = 0; i < count; i++)
    dx[i] = 0.0;
  walk(&(pass){.f = f, .dy = dy, .weights = weights, .dx = dx}, in);
}

void gd_conv_backward_weights_naive(gd_conv_shape f, gd_conv_input in,
                                    const double *x, const double *dy,
                                    double *dweights)
{
  const ptrdiff_t count = (ptrdiff_t)f.K * f.C * f.R * f.S;
  for (ptrdiff_t i = 0; i < count; i++)
    dweights[i] = 0.0;
  walk(&(pass){.f = f, .x = x, .dy = dy, .dweights = dweights}, in);
}
