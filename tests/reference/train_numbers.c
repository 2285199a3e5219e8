/* What losses and optimisers compute, for whoever wants to compare:
 *
 *   train_numbers loss NAME K N        reads N rows of outputs, then N labels;
 *                                      prints the loss, gradients and levels
 *   train_numbers optimizer NAME RATE DECAY COUNT STEPS
 *                                      reads weights, then a gradient per step;
 *                                      prints the weights behind each step
 *
 * Numbers are read and written as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/loss.h"
#include "gradus/optimizer.h"

static void must(gd_status st)
{
  if (st == GD_OK)
    return;
  fprintf(stderr, "%s\n", gd_reason());
  exit(1);
}

static float *make(long n)
{
  float *values = calloc((size_t)n, sizeof *values);
  if (values == NULL)
    exit(1);
  return values;
}

static float *read_numbers(long n)
{
  float *values = make(n);
  for (long i = 0; i < n; i++)
    if (scanf("%f", &values[i]) != 1) {
      fprintf(stderr, "number %ld of %ld is missing\n", i, n);
      exit(1);
    }
  return values;
}

static void print_numbers(const float *values, long n)
{
  for (long i = 0; i < n; i++)
    printf("%.9g\n", (double)values[i]);
}

static void compute_loss(const char *name, int K, int n)
{
  gd_loss loss;
  must(gd_loss_of(name, &loss));
  const long outputs = gd_loss_outputs(loss, K);
  float *z = read_numbers(n * outputs), *labels = read_numbers(n);
  float *dz = make(n * outputs), *expected = make(n);
  double *weights = calloc((size_t)K, sizeof *weights), part;
  gd_loss_options options = gd_loss_options_default();
  gd_loss_balance(labels, n, K, weights);
  options.weights = weights;
  must(gd_loss_forward_backward(loss, &options, K, z, labels, n, n, dz,
                                expected, &part));
  printf("%.17g\n", part);
  print_numbers(dz, n * outputs);
  print_numbers(expected, n);
  free(z);
  free(labels);
  free(dz);
  free(expected);
  free(weights);
}

static void compute_steps(const char *name, double rate, double decay,
                          long count, long steps)
{
  gd_optimizer_kind kind;
  must(gd_optimizer_kind_of(name, &kind));
  gd_optimizer o = gd_optimizer_default(kind);
  o.rate = rate;
  o.weight_decay = decay;
  float *w = read_numbers(count);
  float *states[] = {make(count), make(count)};
  for (long step = 1; step <= steps; step++) {
    float *g = read_numbers(count);
    gd_optimizer_step(&o, step, 1, count, w, g, states);
    print_numbers(w, count);
    free(g);
  }
  free(w);
  free(states[0]);
  free(states[1]);
}

int main(int argc, char **argv)
{
  if (argc == 5 && strcmp(argv[1], "loss") == 0)
    compute_loss(argv[2], (int)strtol(argv[3], NULL, 10),
                 (int)strtol(argv[4], NULL, 10));
  else if (argc == 7 && strcmp(argv[1], "optimizer") == 0)
    compute_steps(argv[2], strtod(argv[3], NULL), strtod(argv[4], NULL),
                  strtol(argv[5], NULL, 10), strtol(argv[6], NULL, 10));
  else
    return 2;
  return 0;
}
