#include "reference_faces.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* The numbers of the (nested) list behind "key". */
static int list_numbers(const char *at, const char *key, double *out, int most)
{
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\"", key);
  const char *next = strstr(at, quoted);
  int n = 0, depth = 0;
  assert_non_null(next);
  next += strlen(quoted);
  do {
    if (*next == '[')
      depth++;
    else if (*next == ']')
      depth--;
    if (*next == '-' || (*next >= '0' && *next <= '9')) {
      char *end;
      assert_true(n < most);
      out[n++] = strtod(next, &end);
      next = end;
    } else {
      next++;
    }
  } while (*next != '\0' && (depth > 0 || *next != '\n'));
  return n;
}

int gd_reference_faces(const char *at, gd_face *faces)
{
  static double boxes[GD_REFERENCE_FACES * 4], probs[GD_REFERENCE_FACES],
      landmarks[GD_REFERENCE_FACES * 10];
  const int n = list_numbers(at, "probs", probs, GD_REFERENCE_FACES);
  assert_int_equal(list_numbers(at, "boxes", boxes, GD_REFERENCE_FACES * 4),
                   4 * n);
  assert_int_equal(
      list_numbers(at, "landmarks", landmarks, GD_REFERENCE_FACES * 10),
      10 * n);
  for (int i = 0; i < n; i++) {
    faces[i].confidence = (float)probs[i];
    for (int k = 0; k < 4; k++)
      faces[i].box[k] = (float)boxes[4 * i + k];
    for (int k = 0; k < 10; k++)
      faces[i].landmarks[k / 2][k % 2] = (float)landmarks[10 * i + k];
  }
  return n;
}

int gd_reference_pixels(const char *at, const gd_image *image)
{
  char command[GD_PATH_MAX + 32], digest[65] = "";
  const char *raw = gd_test_path("pixels.raw");
  const char *want = strstr(at, "\"rgb_sha256\": \"");
  assert_non_null(want);
  assert_ok(gd_file_write(
      raw, image->rgb, (size_t)image->width_px * 3 * (size_t)image->height_px));
  snprintf(command, sizeof command, "sha256sum '%s'", raw);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_int_equal(fread(digest, 1, 64, pipe), 64);
  pclose(pipe);
  return strncmp(digest, want + strlen("\"rgb_sha256\": \""), 64) == 0;
}

double gd_reference_distance(const gd_face *a, const gd_face *b)
{
  double worst = 0;
  for (int k = 0; k < 14; k++) {
    const int i = k - 4; /* behind the box */
    const double d =
        k < 4 ? fabs(a->box[k] - b->box[k])
              : fabs(a->landmarks[i / 2][i % 2] - b->landmarks[i / 2][i % 2]);
    if (!(d <= worst)) /* NaN stays */
      worst = d;
  }
  return worst;
}

int gd_reference_match(const gd_face *face, const gd_face *faces, int n)
{
  int best = -1;
  double most = 0;
  for (int i = 0; i < n; i++) {
    const double overlap = gd_face_overlap(face, &faces[i]);
    if (overlap > most) {
      most = overlap;
      best = i;
    }
  }
  return best;
}
