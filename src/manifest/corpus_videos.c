/* A list of videos without labels: a text file with a path on each line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_list.h"
#include "gradus/file.h"

/* A video is called by its path, and shards note names of so many bytes. */
enum { MOST_BYTES = 1 << 28, MOST_NAME = 700 };

static gd_status add_video(gd_corpus_list *l, const char *origin,
                           const char *path, int line)
{
  gd_corpus_row row = {.origin = origin, .line = line};
  gd_video *v = &row.video;
  if (strlen(path) > MOST_NAME)
    return gd_fail(GD_ERR_USAGE, "%s:%d: path longer than %d bytes", origin,
                   line, MOST_NAME);
  /* From the folder where the program was started, not from the list's. */
  gd_corpus_list here = *l;
  here.root = "";
  gd_status st = gd_corpus_list_place(&here, v, path);
  if (st != GD_OK)
    return st;
  /* It is called just as it was named.  Nobody knows who is in it. */
  v->id = v->path;
  v->subject = v->task = "";
  v->partition = GD_TEST;
  v->label = NAN;
  return gd_corpus_list_add(l, row);
}

gd_status gd_corpus_read_videos(gd_corpus_list *l)
{
  char *text = NULL;
  size_t size_bytes;
  const char *origin = gd_corpus_list_text(l, l->root);
  gd_status st = origin == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_file_judge(gd_file_read(l->root, MOST_BYTES, &text, &size_bytes),
                       l->root);
  if (st == GD_OK && strlen(text) != size_bytes)
    st = gd_fail(GD_ERR_USAGE, "%s: holds zero bytes: is it a text file?",
                 l->root);
  int number = 0;
  for (char *line = text, *next; st == GD_OK && line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL)
      *next++ = '\0';
    const size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\r')
      line[length - 1] = '\0';
    number++;
    if (line[0] != '\0')
      st = add_video(l, origin, line, number);
  }
  free(text);
  return st;
}
