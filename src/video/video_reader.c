#include "gradus/video_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "video/feed.h"

/* How the packets of the part are gone through. */
typedef enum {
  SPARSE,  /* those that lead to wanted frames */
  COUNTED, /* all of them; nothing is given out, frames are counted */
  FULL     /* all of them */
} pass;

/* What came out in a pass, and what was wrong with it. */
typedef struct {
  int64_t last_frame; /* number of the last picture that was counted */
  int64_t n_decoded, n_kept, n_damaged;
  int64_t n_bad;     /* packets that the decoder refused */
  int64_t n_suspect; /* pictures that are damaged, kept or not */
  /* Damage: from packet bad_first on, until a key picture behind bad_last. */
  int is_tainted;
  int64_t bad_first, bad_last;
  int is_interlaced;
  int is_drained; /* there are no more pictures */
} books;

struct gd_video_reader {
  const gd_video_index *index;
  gd_sampling sampling;
  gd_patience patience;
  gd_range part; /* frames */
  int is_part;   /* and not the whole video */
  int64_t *wanted;
  int64_t n_wanted, next_wanted, wanted_end; /* of them, in the part */

  pass pass;
  int is_counted; /* frames are numbered as they come out, not by the index */
  gd_packet_plan plan;
  gd_feed *feed;
  gd_sampling_walk walk;
  int64_t n_chosen; /* by the counting pass; INT64_MAX: there was none */
  books books;
  int is_over, was_again;
  char size_note[160], note[640];
};

void gd_video_reader_close(gd_video_reader *r)
{
  if (r == NULL)
    return;
  gd_feed_close(r->feed);
  gd_packet_plan_free(&r->plan);
  free(r->wanted);
  free(r);
}

/* ------------------------------------------------------------------ begin */

static int is_cut(const gd_video_index *x, int64_t frame)
{
  const int64_t i = gd_frame_lower(x->cuts, x->n_cuts, frame);
  return i < x->n_cuts && x->cuts[i] == frame;
}

static gd_status choose_part(gd_video_reader *r, const gd_range *part)
{
  const gd_video_index *x = r->index;
  r->part = part == NULL ? (gd_range){0, x->n_frames} : *part;
  r->is_part = r->part.first > 0 || r->part.end < x->n_frames;
  if (r->part.first >= r->part.end || !is_cut(x, r->part.first) ||
      (r->part.end != x->n_frames && !is_cut(x, r->part.end)))
    return gd_fail(GD_ERR_DECODE,
                   "%s: cannot be cut at frames %" PRId64 " and %" PRId64
                   "; has it changed since it was indexed?",
                   x->path, r->part.first, r->part.end);
  return GD_OK;
}

/* Does the count of pictures alone decide which are kept? */
static int is_plain(const gd_sampling *s)
{
  return s->every > 0 && s->start_s <= 0 && s->stop_s <= 0 && s->most == 0;
}

static gd_status begin_pass(gd_video_reader *r, pass next)
{
  const gd_video_index *x = r->index;
  gd_feed_close(r->feed);
  gd_packet_plan_free(&r->plan);
  r->feed = NULL;
  r->pass = next;
  r->books = (books){.last_frame = -1};
  r->size_note[0] = '\0';
  r->walk = gd_sampling_begin(&r->sampling);
  r->walk.n_all = r->n_chosen;
  r->next_wanted = gd_frame_lower(r->wanted, r->n_wanted, r->part.first);
  r->is_counted = x->order != GD_ORDER_EXACT ||
                  (next == FULL && !r->is_part && is_plain(&r->sampling));
  gd_status st = GD_OK;
  if (!r->is_counted)
    st = gd_packet_plan_make(x, next == SPARSE ? r->wanted : NULL, r->n_wanted,
                             r->part, &r->plan);
  if (st == GD_OK)
    st = gd_feed_open(x, r->is_counted ? NULL : &r->plan, next == SPARSE,
                      &r->patience, &r->feed);
  return st;
}

static gd_status begin(gd_video_reader *r)
{
  r->n_chosen = INT64_MAX;
  if (r->index->order != GD_ORDER_EXACT)
    return begin_pass(r, r->sampling.most > 0 ? COUNTED : FULL);
  gd_status st =
      gd_sampling_select(&r->sampling, r->index, &r->wanted, &r->n_wanted);
  if (st != GD_OK)
    return st;
  r->wanted_end = gd_frame_lower(r->wanted, r->n_wanted, r->part.end);
  r->is_over =
      gd_frame_lower(r->wanted, r->n_wanted, r->part.first) == r->wanted_end;
  return r->is_over ? GD_OK : begin_pass(r, SPARSE);
}

gd_status gd_video_reader_open(const gd_video_index *index,
                               const gd_sampling *sampling,
                               const gd_range *part,
                               const gd_patience *patience,
                               gd_video_reader **out)
{
  assert(index != NULL && sampling != NULL && out != NULL);
  assert(gd_sampling_is_valid(sampling));

  *out = NULL;
  gd_video_reader *r = gd_alloc(1, sizeof *r);
  if (r == NULL)
    return GD_ERR_NOMEM;
  r->index = index;
  r->sampling = *sampling;
  if (patience != NULL)
    r->patience = *patience;
  gd_status st = choose_part(r, part);
  if (st == GD_OK)
    st = begin(r);
  if (st != GD_OK) {
    gd_video_reader_close(r);
    return st;
  }
  *out = r;
  return GD_OK;
}

/* ----------------------------------------------------------------- damage */

static void taint(books *b, int64_t packet)
{
  if (!b->is_tainted)
    b->bad_first = b->bad_last = packet;
  b->is_tainted = 1;
  b->bad_first = packet < b->bad_first ? packet : b->bad_first;
  b->bad_last = packet > b->bad_last ? packet : b->bad_last;
}

/* Say whether a picture is damaged, and keep the books of damage. */
static int is_suspect(books *b, const gd_decoded *d, int64_t last_sent)
{
  if (d->is_damaged && d->is_leaf)
    return 1;
  if (d->is_damaged)
    taint(b, d->packet >= 0 ? d->packet : last_sent);
  else if (d->is_key && d->packet > b->bad_last)
    b->is_tainted = 0;
  return b->is_tainted && (d->packet < 0 || d->packet >= b->bad_first);
}

/* ----------------------------------------------------------------- frames */

static int64_t frame_of_packet(const gd_video_reader *r, int64_t packet)
{
  const gd_video_index *x = r->index;
  return packet >= 0 && packet < x->n_packets ? x->packets[packet].frame : -1;
}

/* Return the picture's frame number, or -1 when it does not belong here. */
static int64_t number_of(const gd_video_reader *r, const gd_decoded *d)
{
  if (r->is_counted)
    return r->books.last_frame + 1;
  const int64_t frame = frame_of_packet(r, d->packet);
  return frame > r->books.last_frame && frame >= r->part.first &&
                 frame < r->part.end
             ? frame
             : -1;
}

static double time_of(const gd_video_reader *r, const gd_decoded *d,
                      int64_t frame)
{
  const gd_video_index *x = r->index;
  if (x->is_timed && d->packet >= 0 && d->packet < x->n_packets)
    return x->packets[d->packet].time_s;
  return x->first_s + (double)frame / x->fps;
}

/* Is this a frame of the list or, where there is none, one that the sampling
 * takes?  Behind the last, reading is over. */
static int is_wanted(gd_video_reader *r, int64_t frame, double time_s)
{
  if (r->is_counted) {
    const double since_s = time_s - r->index->first_s;
    const int takes = gd_sampling_takes(&r->walk, frame, since_s);
    return takes && r->pass != COUNTED;
  }
  while (r->next_wanted < r->wanted_end && r->wanted[r->next_wanted] < frame)
    r->next_wanted++;
  if (r->next_wanted == r->wanted_end || r->wanted[r->next_wanted] != frame)
    return 0;
  r->next_wanted++;
  r->is_over = r->pass == SPARSE && r->next_wanted == r->wanted_end;
  return 1;
}

/* Say it when a picture has another size than the header tells. */
static void note_size(gd_video_reader *r, const gd_picture_layout *now,
                      int64_t frame)
{
  const gd_picture_layout *first = gd_feed_layout(r->feed);
  if (r->size_note[0] == '\0' &&
      (now->width_px != first->width_px || now->height_px != first->height_px))
    snprintf(r->size_note, sizeof r->size_note,
             "from frame %" PRId64 " on, pictures of %d x %d were fitted into "
             "%d x %d",
             frame, now->width_px, now->height_px, r->index->width_px,
             r->index->height_px);
}

/* Count the picture; describe it if it is wanted. */
static int consider(gd_video_reader *r, const gd_decoded *d,
                    gd_frame_info *info)
{
  books *b = &r->books;
  const int64_t frame = number_of(r, d);
  const int suspect = is_suspect(b, d, gd_feed_last_sent(r->feed));
  if (frame < 0)
    return 0;
  b->last_frame = frame;
  b->n_decoded++;
  b->n_suspect += suspect;
  b->is_interlaced |= d->is_interlaced;
  const double time_s = time_of(r, d, frame);
  if (!is_wanted(r, frame, time_s))
    return 0;
  note_size(r, &d->picture->layout, frame);
  b->n_kept++;
  b->n_damaged += suspect;
  *info = (gd_frame_info){.frame_index = frame,
                          .time_s = time_s,
                          .status = suspect ? GD_FRAME_DAMAGED : GD_FRAME_WHOLE,
                          .height_px = r->index->height_px,
                          .width_px = r->index->width_px};
  return 1;
}

/* Is a picture missing that was sent and is presented before this one? */
static int has_missed(const gd_video_reader *r, int64_t frame)
{
  const gd_range sent = r->plan.packets;
  for (int64_t f = r->books.last_frame + 1; f < frame; f++) {
    const int64_t p = r->index->shown_by[f];
    if (p >= sent.first && p < sent.end &&
        r->plan.actions[p - sent.first] != GD_PACKET_SKIP)
      return 1;
  }
  return 0;
}

/* In a sparse pass: is a picture, or the end, not what the plan expects? */
static int is_unexpected(const gd_video_reader *r, gd_feed_event event,
                         const gd_decoded *d)
{
  if (event == GD_FEED_BAD || event == GD_FEED_END)
    return event == GD_FEED_BAD || r->next_wanted < r->wanted_end;
  const int64_t frame = frame_of_packet(r, d->packet);
  return d->is_damaged || frame <= r->books.last_frame || has_missed(r, frame);
}

/* After the counting pass comes the one that gives frames out. */
static gd_status end_pass(gd_video_reader *r)
{
  if (r->pass == COUNTED) {
    r->n_chosen = r->walk.n_seen;
    return begin_pass(r, FULL);
  }
  r->is_over = 1;
  if (r->books.n_decoded > 0)
    return GD_OK;
  if (r->is_part)
    return gd_fail(GD_ERR_DECODE,
                   "%s: none of the frames %" PRId64 " to %" PRId64
                   " can be decoded",
                   r->index->path, r->part.first, r->part.end - 1);
  return gd_fail(GD_ERR_DECODE, "%s: none of its pictures can be decoded",
                 r->index->path);
}

/* Begin again with all packets; tell it if frames were given out. */
static gd_status fall_back(gd_video_reader *r, gd_read_step *step, int *tells)
{
  *step = GD_READ_AGAIN;
  *tells = r->books.n_kept > 0;
  r->was_again = 1;
  return begin_pass(r, FULL);
}

/* Can no frame that comes be kept?  Time stamps of a video whose order is not
 * known may jump back; without them, times rise with the count. */
static int is_past(const gd_video_reader *r)
{
  const gd_video_index *x = r->index;
  return r->is_counted && !x->is_timed &&
         gd_sampling_is_past(&r->walk,
                             (double)(r->books.last_frame + 1) / x->fps);
}

/* Take what the feed gives next; is there anything to tell? */
static gd_status advance(gd_video_reader *r, gd_read_step *step, int *tells,
                         gd_frame_info *info, const gd_picture **picture)
{
  gd_feed_event event;
  gd_decoded d;
  gd_status st = gd_feed_next(r->feed, &event, &d);
  *tells = 0;
  if (st != GD_OK)
    return st;
  if (r->pass == SPARSE && is_unexpected(r, event, &d))
    return fall_back(r, step, tells);
  switch (event) {
  case GD_FEED_END:
    r->books.is_drained = 1;
    return end_pass(r);
  case GD_FEED_BAD:
    r->books.n_bad++;
    taint(&r->books, d.packet);
    return GD_OK;
  case GD_FEED_PICTURE:
    break;
  }
  if (consider(r, &d, info)) {
    *step = GD_READ_FRAME;
    *picture = d.picture;
    *tells = 1;
  }
  return is_past(r) ? end_pass(r) : GD_OK;
}

gd_status gd_video_reader_next(gd_video_reader *r, gd_read_step *step,
                               gd_frame_info *info, const gd_picture **picture)
{
  assert(r != NULL && step != NULL && info != NULL && picture != NULL);

  *picture = NULL;
  *step = GD_READ_END;
  while (!r->is_over) {
    int tells;
    gd_status st = advance(r, step, &tells, info, picture);
    if (st != GD_OK || tells)
      return st;
  }
  return GD_OK;
}

/* Pictures that are announced but did not come out.  Where only decoding tells
 * how many there are, a lack is a loss only if something else is wrong, too. */
static int64_t count_lost(const gd_video_reader *r)
{
  const gd_video_index *x = r->index;
  const books *b = &r->books;
  const int64_t expected = r->part.end - r->part.first;
  const int is_sure =
      x->order == GD_ORDER_EXACT || b->n_bad > 0 || x->warning[0] != '\0';
  return r->pass == FULL && is_sure && b->is_drained && expected > b->n_decoded
             ? expected - b->n_decoded
             : 0;
}

/* Say in one line all that is wrong with the video. */
static void write_note(gd_video_reader *r, int64_t n_lost)
{
  const books *b = &r->books;
  char lost[64] = "", damaged[96] = "";
  if (n_lost > 0)
    snprintf(lost, sizeof lost, "pictures lost: %" PRId64, n_lost);
  if (b->n_suspect > 0)
    snprintf(damaged, sizeof damaged,
             "pictures damaged: %" PRId64 " of %" PRId64, b->n_suspect,
             b->n_decoded);
  const char *const parts[] = {
      r->index->warning,
      lost,
      damaged,
      r->size_note,
      r->was_again ? "all of it was decoded" : "",
      r->index->is_interlaced || b->is_interlaced ? "interlaced" : ""};
  const int n_parts = (int)(sizeof parts / sizeof *parts);
  size_t length = 0;
  r->note[0] = '\0';
  for (int i = 0; i < n_parts; i++)
    if (parts[i][0] != '\0')
      length += (size_t)snprintf(r->note + length, sizeof r->note - length,
                                 "%s%s", length > 0 ? "; " : "", parts[i]);
  assert(length < sizeof r->note);
}

gd_frame_reading gd_video_reader_result(gd_video_reader *r)
{
  assert(r != NULL);

  const int64_t n_lost = count_lost(r);
  write_note(r, n_lost);
  return (gd_frame_reading){.first_frame = r->part.first,
                            .n_decoded = r->books.n_decoded,
                            .n_lost = n_lost,
                            .n_kept = r->books.n_kept,
                            .n_damaged = r->books.n_damaged,
                            .note = r->note};
}
