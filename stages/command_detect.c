/* gradus detect -- find the faces of single images: to try a detector, and to
 * compare it with others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "gradus/blur.h"
#include "gradus/canvas.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/mtcnn.h"
#include "gradus/run.h"

static const gd_option options[] = {
    {"--weights", "FILE", GD_OPTION_NEEDED,
     "Weights of MTCNN, see gradus help import; or `drawn`."},
    {"--min-face", "PX", GD_OPTION_ONCE,
     "Smallest face that is looked for (default 20)."},
    {"--json", NULL, GD_OPTION_ONCE, "One JSON object per image and line."},
    {"--draw", "DIR", GD_OPTION_ONCE,
     "Draw boxes and landmarks, into PNGs of this folder."},
    {"--no-blur", NULL, GD_OPTION_ONCE,
     "Draw on the faces as they are, not blurred."},
};

typedef struct {
  gd_mtcnn *detector;
  const char *draw; /* folder, or NULL */
  int is_json, is_sharp;
} detection;

static gd_status read_min_face(const gd_arguments *a, double *px)
{
  const char *text = gd_arguments_value(a, "--min-face");
  if (text == NULL)
    return GD_OK;
  char *end;
  errno = 0;
  *px = strtod(text, &end);
  if (end == text || *end != '\0' || errno != 0 || !(*px >= 12 && *px <= 4096))
    return gd_fail(GD_ERR_USAGE,
                   "--min-face: expected a number from 12 to 4096, got '%s'",
                   text);
  return GD_OK;
}

/* ------------------------------------------------------------------- printing
 */

static void add_boxes(gd_text *t, const gd_face *faces, int n)
{
  for (int i = 0; i < n; i++)
    gd_text_printf(t, "%s[%.9g, %.9g, %.9g, %.9g]", i > 0 ? ", " : "",
                   (double)faces[i].box[0], (double)faces[i].box[1],
                   (double)faces[i].box[2], (double)faces[i].box[3]);
}

static void add_landmarks(gd_text *t, const gd_face *face)
{
  for (int k = 0; k < GD_N_LANDMARKS; k++)
    gd_text_printf(t, "%s[%.9g, %.9g]", k > 0 ? ", " : "",
                   (double)face->landmarks[k][0],
                   (double)face->landmarks[k][1]);
}

static void add_json(gd_text *t, const char *path, const gd_face *faces, int n)
{
  gd_text_add(t, "{\"file\": ");
  gd_text_json(t, gd_path_base(path));
  gd_text_add(t, ", \"boxes\": [");
  add_boxes(t, faces, n);
  gd_text_add(t, "], \"probs\": [");
  for (int i = 0; i < n; i++)
    gd_text_printf(t, "%s%.9g", i > 0 ? ", " : "", (double)faces[i].confidence);
  gd_text_add(t, "], \"landmarks\": [");
  for (int i = 0; i < n; i++) {
    gd_text_add(t, i > 0 ? ", [" : "[");
    add_landmarks(t, &faces[i]);
    gd_text_add(t, "]");
  }
  gd_text_add(t, "]}\n");
}

static void add_lines(gd_text *t, const char *path, const gd_face *faces, int n)
{
  gd_text_printf(t, "%s: %d %s\n", path, n, n == 1 ? "face" : "faces");
  for (int i = 0; i < n; i++)
    gd_text_printf(t, "  %.3f  %.1f x %.1f px at (%.1f, %.1f)\n",
                   (double)faces[i].confidence,
                   (double)(faces[i].box[2] - faces[i].box[0]),
                   (double)(faces[i].box[3] - faces[i].box[1]),
                   (double)faces[i].box[0], (double)faces[i].box[1]);
}

/* -------------------------------------------------------------------- drawing
 */

static void draw_face(gd_canvas *c, const gd_face *face)
{
  const gd_paint mark = gd_paint_flat(gd_colour_hex(0x00c853));
  const double width = face->box[2] - face->box[0];
  const double line = width / 60 > 1.5 ? width / 60 : 1.5;
  gd_canvas_path(c);
  gd_canvas_rectangle(c, face->box[0], face->box[1], width,
                      face->box[3] - face->box[1]);
  gd_canvas_stroke(c, (gd_stroke){.width = line}, mark);
  for (int k = 0; k < GD_N_LANDMARKS; k++) {
    gd_canvas_path(c);
    gd_canvas_ellipse(c, face->landmarks[k][0], face->landmarks[k][1], line,
                      line);
    gd_canvas_fill(c, mark);
  }
}

/* Name the picture after the image: photo.jpg becomes photo.jpg.png, so that
 * photo.png has another. */
static gd_status picture_path(const char *folder, const char *image,
                              char out[GD_PATH_MAX])
{
  gd_text name = {0};
  gd_text_printf(&name, "%s.png", gd_path_base(image));
  gd_status st = gd_text_status(&name);
  if (st == GD_OK)
    st = gd_path_join(folder, gd_text_get(&name), out);
  gd_text_free(&name);
  return st;
}

static int by_name(const void *a, const void *b)
{
  const char *x = *(char *const *)a, *y = *(char *const *)b;
  const int order = strcmp(gd_path_base(x), gd_path_base(y));
  return order != 0 ? order : strcmp(x, y);
}

/* No picture may take the place of another image's. */
static gd_status check_names(const gd_arguments *a)
{
  const int n = gd_arguments_n_operands(a);
  const char **images = gd_alloc(n, sizeof *images);
  gd_status st = images == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++)
    images[i] = gd_arguments_operand(a, i);
  if (st == GD_OK)
    qsort(images, (size_t)n, sizeof *images, by_name);
  for (int i = 1; st == GD_OK && i < n; i++)
    if (strcmp(gd_path_base(images[i - 1]), gd_path_base(images[i])) == 0 &&
        strcmp(images[i - 1], images[i]) != 0)
      st = gd_fail(GD_ERR_USAGE,
                   "%s and %s: their pictures would have one name / draw them "
                   "into two folders",
                   images[i - 1], images[i]);
  free(images);
  return st;
}

static gd_status draw(const detection *d, const char *path, gd_image *image,
                      const gd_face *faces, int n)
{
  char to[GD_PATH_MAX];
  gd_canvas *c = NULL;
  gd_status st = picture_path(d->draw, path, to);
  for (int i = 0; st == GD_OK && i < n && !d->is_sharp; i++)
    st = gd_image_blur(image, faces[i].box);
  if (st == GD_OK)
    st = gd_canvas_new(GD_CANVAS_PIXELS, image->width_px, image->height_px, &c);
  if (st == GD_OK) {
    gd_canvas_image(c, image->rgb, image->width_px, image->height_px, 0, 0,
                    image->width_px, image->height_px);
    for (int i = 0; i < n; i++)
      draw_face(c, &faces[i]);
    st = gd_canvas_write(c, to);
  }
  gd_canvas_free(c);
  return st;
}

/* ------------------------------------------------------------------ detecting
 */

static gd_status detect(const detection *d, const char *path, gd_text *said)
{
  gd_image image;
  const gd_face *faces;
  int n;
  gd_status st = gd_image_read(path, &image);
  if (st != GD_OK)
    return st;
  st = gd_mtcnn_detect(d->detector, &image, &faces, &n);
  if (st == GD_OK)
    (d->is_json ? add_json : add_lines)(said, path, faces, n);
  if (st == GD_OK && d->draw != NULL)
    st = draw(d, path, &image, faces, n);
  gd_image_free(&image);
  return st;
}

/* An image that cannot be read does not keep the others from being looked at.
 */
static int detect_all(const gd_arguments *a, const detection *d)
{
  int code = GD_EXIT_DONE;
  for (int i = 0; i < gd_arguments_n_operands(a); i++) {
    gd_text said = {0};
    const gd_status st = detect(d, gd_arguments_operand(a, i), &said);
    const int ended =
        st == GD_OK ? gd_command_print(&said) : gd_command_failed(st);
    if (st != GD_OK)
      gd_text_free(&said);
    if (ended != GD_EXIT_DONE)
      code = ended;
  }
  return code;
}

static int run(const gd_arguments *a)
{
  gd_mtcnn_config config = gd_mtcnn_defaults();
  detection d = {.draw = gd_arguments_value(a, "--draw"),
                 .is_json = gd_arguments_count(a, "--json") > 0,
                 .is_sharp = gd_arguments_count(a, "--no-blur") > 0};
  const char *weights = gd_arguments_value(a, "--weights");
  gd_status st = GD_OK;
  if (weights == NULL)
    st = gd_fail(GD_ERR_USAGE, "--weights is missing: the file that 'gradus "
                               "import mtcnn' wrote; `drawn` for drawn faces");
  if (st == GD_OK)
    st = read_min_face(a, &config.min_face_px);
  if (st == GD_OK)
    st = gd_mtcnn_open(weights, &config, &d.detector);
  if (st == GD_OK && d.draw != NULL)
    st = check_names(a);
  if (st == GD_OK && d.draw != NULL)
    st = gd_directory_make(d.draw);
  const int code = st == GD_OK ? detect_all(a, &d) : gd_command_failed(st);
  gd_mtcnn_close(d.detector);
  return code;
}

const gd_command gd_command_detect = {
    .name = "detect",
    .operands = "IMAGE...",
    .least = 1,
    .most = -1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "find faces and landmarks in images",
    .details =
        "Looks for faces in PNG and JPEG images with MTCNN, largest first.\n"
        "With --json, each line has `file`, `boxes` (x0 y0 x1 y1, px),\n"
        "`probs` and `landmarks` (x y of the eye at image left, the eye at\n"
        "image right, nose, mouth corner at image left, at image right).\n"
        "In pictures of --draw the faces that were found are blurred; one\n"
        "that was missed is not. Look at each before you pass it on.\n"
        "\n"
        "The weights `drawn` ship with gradus. They are made of drawn faces\n"
        "alone and find drawn faces; for people, import public weights.\n",
    .run = run,
};
