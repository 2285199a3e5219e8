#include "video/nal.h"

#include <string.h>

#include "test.h"

/* A unit as it is written, bit by bit, with what keeps start codes out. */
typedef struct {
  uint8_t bytes[128];
  size_t n_bytes;
  int n_bits, n_zeros; /* of the byte that is begun; zero bytes before it */
  uint8_t last;
} writer;

static writer unit_of(uint8_t head)
{
  return (writer){.bytes = {0, 0, 1, head}, .n_bytes = 4};
}

static void put(writer *w, int n, uint32_t value)
{
  for (; n > 0; n--) {
    w->last = (uint8_t)(w->last << 1 | (value >> (n - 1) & 1));
    if (++w->n_bits < 8)
      continue;
    assert_true(w->n_bytes + 2 < sizeof w->bytes);
    if (w->n_zeros >= 2 && w->last <= 3) {
      w->bytes[w->n_bytes++] = 3;
      w->n_zeros = 0;
    }
    w->bytes[w->n_bytes++] = w->last;
    w->n_zeros = w->last == 0 ? w->n_zeros + 1 : 0;
    w->n_bits = 0;
    w->last = 0;
  }
}

static void put_ue(writer *w, uint32_t value)
{
  int n = 0;
  while ((value + 1) >> n > 1)
    n++;
  put(w, n, 0);
  put(w, n + 1, value + 1);
}

static void end(writer *w)
{
  put(w, 1, 1);
  while (w->n_bits > 0)
    put(w, 1, 0);
}

static writer begin_sps(uint8_t profile)
{
  writer w = unit_of(0x67);
  put(&w, 8, profile);
  put(&w, 16, 30);
  put_ue(&w, 0);
  return w;
}

/* The rest of a sequence parameter set whose pictures may be fields. */
static void end_sps(writer *w, uint32_t frame_num_minus4)
{
  put_ue(w, frame_num_minus4);
  put_ue(w, 2); /* order */
  put_ue(w, 1); /* reference frames */
  put(w, 1, 0);
  put_ue(w, 9); /* width */
  put_ue(w, 9); /* height */
  put(w, 1, 0); /* not only frames */
  end(w);
}

static gd_access_parser parser_of(const writer *sps)
{
  return gd_access_parser_of(&(gd_stream){.codec = GD_CODEC_H264,
                                          .extradata = sps->bytes,
                                          .extradata_bytes = sps->n_bytes});
}

/* Look at a slice that says, behind `n` bits of a frame number, that it is a
 * field. */
static gd_access look_at_field(gd_access_parser *a, int n)
{
  writer w = unit_of(0x65);
  put_ue(&w, 0);
  put_ue(&w, 2);
  put_ue(&w, 0);
  put(&w, n, 0);
  put(&w, 1, 1);
  end(&w);
  return gd_access_look(a,
                        &(gd_packet){.data = w.bytes, .size_bytes = w.n_bytes});
}

static void longest_frame_number_is_read_over(void **state)
{
  (void)state;
  writer sps = begin_sps(66);
  end_sps(&sps, 12);
  gd_access_parser a = parser_of(&sps);
  assert_int_equal(a.frame_num_bits, 16);
  assert_non_null(look_at_field(&a, 16).doubt);
}

/* The largest take hours to read over, or wrap around. */
static void frame_number_beyond_the_standard_is_no_answer(void **state)
{
  (void)state;
  static const uint32_t lengths[] = {13, 1u << 20, 0x7ffffffa, 0x7fffffff,
                                     0xfffffffe};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    writer sps = begin_sps(66);
    end_sps(&sps, lengths[i]);
    gd_access_parser a = parser_of(&sps);
    assert_int_equal(a.frame_num_bits, 0);
    assert_null(look_at_field(&a, 16).doubt);
  }
}

/* What follows is read as if the list had ended there. */
static void scaling_list_ends_at_a_step_beyond_the_standard(void **state)
{
  (void)state;
  static const uint32_t steps[] = {2 * 128 - 1, 2 * 129, 0x7ffffffd};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    writer sps = begin_sps(100);
    put_ue(&sps, 1); /* chroma */
    put_ue(&sps, 0);
    put_ue(&sps, 0);
    put(&sps, 1, 0);
    put(&sps, 1, 1); /* there are lists: the first of eight */
    put(&sps, 1, 1);
    put_ue(&sps, steps[i]);
    put(&sps, 7, 0);
    end_sps(&sps, 5);
    gd_access_parser a = parser_of(&sps);
    assert_int_equal(a.frame_num_bits, 9);
    assert_true(a.may_have_fields);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(longest_frame_number_is_read_over),
    cmocka_unit_test(frame_number_beyond_the_standard_is_no_answer),
    cmocka_unit_test(scaling_list_ends_at_a_step_beyond_the_standard),
};

gd_test_main(tests)
